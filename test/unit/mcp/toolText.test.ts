import assert from 'node:assert/strict';
import { toolResultOf } from '../../../src/mcp/toolText';

const gif = 'R0lGODlhAQABAAAAACw=';
const image = (data: string) => ({ type: 'image', data, mimeType: 'image/png' });
const resultOf = (content: readonly unknown[]) => toolResultOf({ content }, (text) => text.replaceAll('secret', '***'));

describe('what a tool of an MCP server gives', () => {
  it('is its words and its images, each image named in its place', () => {
    const blob = { type: 'resource', resource: { uri: 'x:/y', blob: gif, mimeType: 'image/gif' } };
    const { text, images } = resultOf([{ type: 'text', text: 'a secret' }, image(gif), blob]);
    assert.equal(text, 'a ***\n(image 1: 1 × 1 pixels)\nx:/y:\n(image 2: 1 × 1 pixels)');
    assert.deepEqual(
      images?.map(({ mediaType, bytes }) => [mediaType, Buffer.from(bytes).toString('base64')]),
      [
        ['image/gif', gif],
        ['image/gif', gif],
      ],
    );
  });

  it('has no image that no model would take', () => {
    const large = Buffer.concat([Buffer.from(gif, 'base64'), Buffer.alloc(3_750_000)]).toString('base64');
    for (const [data, why] of [
      ['no base64 at all', 'is damaged'],
      ['', 'is damaged'],
      [Buffer.from('GIF89a').toString('base64'), 'is damaged'],
      [large, 'has 3750014 bytes, more than 3750000'],
    ] as const) {
      assert.deepEqual(resultOf([image(data)]), { ok: true, text: `(an image that cannot be shown: it ${why})` });
    }
  });

  it('has at most ten images', () => {
    const { text, images } = resultOf(Array.from({ length: 11 }, () => image(gif)));
    assert.equal(images?.length, 10);
    assert.match(text, /\n\(an image that is left out: 10 are shown at once\)$/);
  });

  it('says of anything else that it cannot be shown', () => {
    const blob = { type: 'resource', resource: { uri: 'x:/y', blob: 'AAAA', mimeType: 'application/zip' } };
    const { text } = resultOf([{ type: 'audio', data: '' }, 7, blob]);
    assert.equal(
      text,
      '(audio, which cannot be shown here)\n(something, which cannot be shown here)\nx:/y:\n(no text)',
    );
  });
});
