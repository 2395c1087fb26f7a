import assert from 'node:assert/strict';

/** What the kernel gives a filter to judge: one system call. */
export interface SeccompData {
  readonly number: number;
  readonly architecture: number;
  readonly args: readonly bigint[];
}

/** Runs classic BPF as the kernel does, and answers the verdict in words. It knows no more instructions than a filter needs. */
export function runFilter(filter: Uint8Array, data: SeccompData): string {
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const memory = seccompData(data);
  let accumulator = 0;
  for (let at = 0; at < filter.byteLength / 8; at += 1) {
    const code = program.getUint16(at * 8, true);
    const [then, otherwise] = [program.getUint8(at * 8 + 2), program.getUint8(at * 8 + 3)];
    const operand = program.getUint32(at * 8 + 4, true);
    if (code === 0x20) accumulator = memory.getUint32(operand, true);
    else if (code === 0x54) accumulator = (accumulator & operand) >>> 0;
    else if (code === 0x15) at += accumulator === operand ? then : otherwise;
    else if (code === 0x35) at += accumulator >= operand ? then : otherwise;
    else if (code === 0x06) return inWords(operand);
    else assert.fail(`unknown instruction ${code} at ${at}`);
  }
  return assert.fail('the filter ran past its end');
}

function seccompData({ number, architecture, args }: SeccompData): DataView {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, number >>> 0, true);
  view.setUint32(4, architecture, true);
  args.forEach((value, index) => view.setBigUint64(16 + index * 8, value, true));
  return view;
}

function inWords(verdict: number): string {
  if (verdict === 0x7fff0000) return 'allow';
  if (verdict === 0x80000000) return 'kill';
  return (verdict & 0xffff0000) >>> 0 === 0x00050000 ? `errno ${verdict & 0xffff}` : `verdict ${verdict}`;
}
