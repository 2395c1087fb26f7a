/** Operation codes of classic BPF that a seccomp filter needs (`linux/bpf_common.h`, `linux/filter.h`). */
const code = { load: 0x20, and: 0x54, jumpIfEqual: 0x15, jumpIfGreaterOrEqual: 0x35, return: 0x06 } as const;

/** One instruction; a jump names labels, and `undefined` falls through to the next instruction. */
export type Instruction =
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'load'; readonly offset: number }
  | { readonly kind: 'and'; readonly mask: number }
  | {
      readonly kind: 'jump';
      readonly when: 'equal' | 'atLeast';
      readonly value: number;
      readonly then?: string;
      readonly otherwise?: string;
    }
  | { readonly kind: 'return'; readonly value: number };

const maxJump = 255;

/**
 * Turns instructions into the bytes of `struct sock_filter[]`: 16-bit code, two 8-bit jumps, a 32-bit operand, in the byte
 * order of both processors (little endian).
 * @throws {RangeError} when a label is missing, behind, or too far ahead: BPF only jumps forward, by up to 255.
 */
export function assemble(program: readonly Instruction[]): Uint8Array {
  const labels = new Map<string, number>();
  let position = 0;
  for (const instruction of program) {
    if (instruction.kind === 'label') labels.set(instruction.name, position);
    else position += 1;
  }
  const bytes = new Uint8Array(position * 8);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const instruction of program) {
    if (instruction.kind === 'label') continue;
    const word = encode(instruction, (label) => distance(labels, label, at));
    view.setUint16(at * 8, word.code, true);
    view.setUint8(at * 8 + 2, word.then);
    view.setUint8(at * 8 + 3, word.otherwise);
    view.setUint32(at * 8 + 4, word.operand >>> 0, true);
    at += 1;
  }
  return bytes;
}

type Word = { readonly code: number; readonly then: number; readonly otherwise: number; readonly operand: number };

function encode(instruction: Exclude<Instruction, { kind: 'label' }>, to: (label?: string) => number): Word {
  switch (instruction.kind) {
    case 'load':
      return { code: code.load, then: 0, otherwise: 0, operand: instruction.offset };
    case 'and':
      return { code: code.and, then: 0, otherwise: 0, operand: instruction.mask };
    case 'return':
      return { code: code.return, then: 0, otherwise: 0, operand: instruction.value };
    case 'jump':
      return {
        code: instruction.when === 'equal' ? code.jumpIfEqual : code.jumpIfGreaterOrEqual,
        then: to(instruction.then),
        otherwise: to(instruction.otherwise),
        operand: instruction.value,
      };
  }
}

function distance(labels: ReadonlyMap<string, number>, label: string | undefined, from: number): number {
  if (label === undefined) return 0;
  const target = labels.get(label);
  const steps = (target ?? Number.NaN) - from - 1;
  if (!(steps >= 0 && steps <= maxJump)) throw new RangeError(`BPF cannot jump to "${label}": ${steps} steps`);
  return steps;
}
