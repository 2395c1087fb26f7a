import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { MarkerSplitter, type SplitPart } from '../../../src/sessions/markerSplitter';

const marker = Buffer.from('\x1eNONCE\x1e');

function joined(parts: readonly SplitPart[]): (string | { marker: string })[] {
  const result: (string | { marker: string })[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (part.kind === 'marker') result.push({ marker: part.name });
    else if (typeof last === 'string') result[result.length - 1] = last + part.bytes.toString('latin1');
    else result.push(part.bytes.toString('latin1'));
  }
  return result;
}

describe('the marker splitter', () => {
  it('hands on everything at once that cannot be a marker', () => {
    const splitter = new MarkerSplitter();
    splitter.expect(['NONCE']);
    assert.deepEqual(joined(splitter.push(Buffer.from('abc\x1eNOT'))), ['abc\x1eNOT']);
    assert.deepEqual(joined(splitter.push(Buffer.from('def\x1eNON'))), ['def']);
    assert.deepEqual(joined(splitter.push(Buffer.from('sense'))), ['\x1eNONsense']);
  });

  it('finds a marker wherever the stream is split, and no byte is lost or changed', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
    const nearMarker = fc
      .constantFrom('\x1e', '\x1eNON', '\x1e\x1eNONCE', 'NONCE\x1e')
      .map((text) => Buffer.from(text));
    const content = fc.array(fc.oneof(bytes, nearMarker), { maxLength: 6 }).map((all) => Buffer.concat(all));
    fc.assert(
      fc.property(content, content, fc.array(fc.nat({ max: 200 })), (before, after, cuts) => {
        fc.pre(
          !Buffer.concat([before, marker.subarray(0, -1)]).includes(marker) &&
            !Buffer.concat([after, Buffer.from('end')]).includes(marker),
        );
        const whole = Buffer.concat([before, marker, after]);
        const splitter = new MarkerSplitter();
        splitter.expect(['NONCE', 'OTHER']);
        const edges = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
        const parts = edges.slice(1).flatMap((edge, index) => splitter.push(whole.subarray(edges[index], edge)));
        parts.push(...splitter.push(Buffer.from('end')));
        const expected = [before.toString('latin1'), { marker: 'NONCE' }, `${after.toString('latin1')}end`];
        assert.deepEqual(
          joined(parts).filter((part) => part !== ''),
          expected.filter((part) => part !== ''),
        );
      }),
    );
  });
});
