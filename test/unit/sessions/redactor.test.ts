import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { redacted, redactedMark, Redactor, secretPatterns } from '../../../src/sessions/redactor';

/** Made up, in the form of the real ones. Joined here, so that nothing that scans this file takes them for real. */
const fake = {
  anthropic: `sk-ant-${'api03-Zm9vYmFyYmF6cXV4_'.repeat(3)}AA`,
  github: `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`,
  aws: `AKIA${'IOSFODNN7EXAMPLE'}`,
  slack: `xoxb-${'123456789012-abcdefghijkl'}`,
  block: `-----BEGIN RSA PRIVATE KEY-----\r\n${'MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy\r\n'.repeat(20)}-----END RSA PRIVATE KEY-----`,
};
const known = 'correct-horse-battery';
const patterns = secretPatterns([known, 'correct-horse-stable!', 'short']);

/** As the filters give text out: an escape sequence is never cut. */
const units = (text: string): string[] => text.match(/\x1b\[[^m]*m|[^]/g) ?? []; // oxlint-disable-line no-control-regex

const split = (text: string, cuts: readonly number[]): string[] => {
  const all = units(text);
  const at = [...new Set(cuts.map((cut) => cut % (all.length + 1)))].sort((a, b) => a - b);
  return [...at, all.length].map((end, index) => all.slice(index === 0 ? 0 : at[index - 1], end).join(''));
};

const streamed = (pieces: readonly string[]): string => {
  const redactor = new Redactor(patterns);
  return pieces.map((piece) => redactor.redact(piece)).join('') + redactor.flush();
};

describe('what is shown and recorded', () => {
  const rows: [string, string, string][] = [
    ['a key of Anthropic', `key=${fake.anthropic};`, `key=sk-ant-${redactedMark};`],
    ['a token of GitHub', `${fake.github}\r\n`, `ghp_${redactedMark}\r\n`],
    ['a token in an address', `https://x:${fake.github}@github.com/a`, `https://x:ghp_${redactedMark}@github.com/a`],
    ['the id of a key of AWS', `"${fake.aws}"`, `"AKIA${redactedMark}"`],
    [
      'a key of AWS by its name',
      `aws_secret_access_key = ${'k'.repeat(40)}`,
      `aws_secret_access_key = ${redactedMark}`,
    ],
    ['a token of Slack', fake.slack, `xoxb-${redactedMark}`],
    ['a private key', `a\r\n${fake.block}\r\nb`, `a\r\n-----BEGIN RSA PRIVATE KEY-----${redactedMark}\r\nb`],
    ['a value that the product knows', `a ${known} b`, `a corr${redactedMark} b`],
    ['one of two that begin alike', 'correct-horse-stable!', `corr${redactedMark}`],
    ['a secret with colours in it', `ghp_\x1b[1;31ma1B2c3\x1b[m${fake.github.slice(10)} x`, `ghp_${redactedMark} x`],
    [
      'a known value with colours in it',
      'correct-\x1b[31mhorse\x1b[0m-battery\x1b[0m x',
      `corr${redactedMark}\x1b[0m x`,
    ],
    ['one right after another', `${fake.aws}-${fake.slack}`, `AKIA${redactedMark}-xoxb-${redactedMark}`],
    ['one within what only began like one', `ghp_x-${fake.github}`, `ghp_x-ghp_${redactedMark}`],
    ['a known value within what began like it', `correct-${known}`, `correct-corr${redactedMark}`],
  ];
  for (const [what, text, expected] of rows) {
    it(`has a mark in the place of ${what}`, () => assert.equal(redacted(text, patterns), expected));
    it(`has that too when ${what} comes in pieces`, () => {
      assert.equal(streamed(units(text)), expected);
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
          assert.equal(streamed(split(text, cuts)), expected);
        }),
      );
    });
  }

  it('is otherwise what it was, whatever may look like the beginning of a secret', () => {
    const part = fc.oneof(
      fc.constantFrom(
        'sk-ant-',
        'ghp_',
        'AKI',
        'npm_config_x',
        'correct',
        'corr',
        '-----BEGIN PRIVATE',
        '\x1b[31m',
        'short',
        '\r\n',
      ),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 8 }), (parts, cuts) => {
        const text = parts.join(' ');
        fc.pre(redacted(text, patterns) === text);
        assert.equal(streamed(split(text, cuts)), text);
      }),
    );
    assert.equal(
      redacted('npm_config_registry ghp_short AKIA sk-ant-x correct-horse-race short', patterns),
      'npm_config_registry ghp_short AKIA sk-ant-x correct-horse-race short',
    );
  });

  it('holds nothing back that is not the beginning of a secret, and of that its anchor is shown', () => {
    const redactor = new Redactor(patterns);
    assert.deepEqual(
      ['$ ', 's', 'k', '-', 'a', 'n', 't-', 'abc', ' '].map((piece) => redactor.redact(piece)),
      ['$ ', 's', 'k', '-', 'a', 'n', 't-', '', 'abc '],
    );
  });

  it('has nothing of a secret whose middle was left out', () => {
    const redactor = new Redactor(patterns);
    const { length } = fake.anthropic;
    const before = redactor.redact(`a ${fake.anthropic.slice(0, length - 60)}`) + redactor.gap();
    assert.equal(before + redactor.redact(`${fake.anthropic.slice(-20)} b`), `a sk-ant-${redactedMark} b`);
    redactor.gap();
    assert.equal(redactor.redact(`${fake.block.slice(-300)} b`), `${redactedMark} b`);
  });

  it('comes back after what only claims to be a private key', () => {
    const text = `-----BEGIN PRIVATE KEY-----${'x'.repeat(100_000)}end`;
    assert.ok(redacted(text, patterns).endsWith('xxend'));
    assert.ok(streamed(split(text, [5_000, 10_000, 20_000, 30_000])).endsWith('xxend'));
    assert.ok(redacted(`sk-ant-${'x'.repeat(10_000)}end`, patterns).endsWith('xxend'));
  });

  it('comes to an end, whatever comes', function () {
    // What searched anew from each byte would take hours.
    this.timeout(60_000);
    for (const unit of ['some ordinary words in a line\r\n', 'sk-ant-', 'A', 'ghp_a ', '-----BEGIN ', 'corr']) {
      const piece = unit.repeat((64 * 1024) / unit.length);
      const redactor = new Redactor(patterns);
      for (let index = 0; index < 100; index += 1) assert.equal(typeof redactor.redact(piece), 'string');
    }
  });
});
