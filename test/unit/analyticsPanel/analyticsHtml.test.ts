import assert from 'node:assert/strict';
import type { AnalyticsSetup } from '../../../src/protocol/analyticsProtocol';
import { analyticsHtml } from '../../../src/ui/analytics/analyticsHtml';

const sources = {
  cspSource: 'https://own.example',
  scriptUri: 'https://own.example/a.js',
  styleUri: 'https://own.example/a.css',
};

function setup(title: string): AnalyticsSetup {
  return { language: 'en', text: { title } as AnalyticsSetup['text'] };
}

describe('the page of the analytics webview', () => {
  it('lets one script run, by a nonce that is new each time', () => {
    const nonces = [1, 2].map(() => {
      const html = analyticsHtml(setup('x'), sources);
      const [, allowed] = /script-src 'nonce-([^']+)'/.exec(html) ?? [];
      const [, given] = /<script nonce="([^"]+)" src="https:\/\/own\.example\/a\.js">/.exec(html) ?? [];
      assert.ok(allowed);
      assert.equal(given, allowed);
      return allowed;
    });
    assert.notEqual(nonces[0], nonces[1]);
  });

  it('forbids everything that it does not name', () => {
    const html = analyticsHtml(setup('x'), sources).replaceAll(/nonce-[^']+/g, 'nonce-N');
    const [, policy] = /Content-Security-Policy" content="([^"]+)"/.exec(html) ?? [];
    assert.deepEqual(policy?.split('; '), [
      "default-src 'none'",
      "style-src https://own.example 'unsafe-inline'",
      "script-src 'nonce-N'",
      "base-uri 'none'",
      "form-action 'none'",
    ]);
  });

  it('does not let words become markup', () => {
    const html = analyticsHtml(setup('</script><img src=x onerror=alert(1)>'), sources);
    assert.equal(html.includes('<img'), false);
    const [, json] = /id="setup">(.*?)<\/script>/s.exec(html) ?? [];
    assert.deepEqual(JSON.parse(json ?? ''), setup('</script><img src=x onerror=alert(1)>'));
  });
});
