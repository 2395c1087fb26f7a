import { Buffer } from 'node:buffer';
import type { SessionFiles } from '../core/session';

/** Files that are binary by their first bytes, by what they are. */
const signatures: readonly { readonly name: string; readonly hex: string }[] = [
  { name: 'PNG image', hex: '89504e47' },
  { name: 'JPEG image', hex: 'ffd8ff' },
  { name: 'GIF image', hex: '47494638' },
  { name: 'PDF document', hex: '25504446' },
  { name: 'ZIP archive', hex: '504b0304' },
  { name: 'gzip archive', hex: '1f8b' },
  { name: 'ELF program', hex: '7f454c46' },
  { name: 'SQLite database', hex: '53514c69746520666f726d6174203300' },
  { name: 'WebAssembly module', hex: '0061736d' },
  { name: 'UTF-16 text', hex: 'fffe' },
  { name: 'UTF-16 text', hex: 'feff' },
];

/** How far into a file a NUL is looked for: git does the same. */
const sniffedBytes = 8000;

/** What kind of binary file begins so, or `undefined` for text. */
export function binaryKind(start: Uint8Array): string | undefined {
  const hex = Buffer.from(start.subarray(0, 16)).toString('hex');
  const known = signatures.find((signature) => hex.startsWith(signature.hex));
  if (known) return known.name;
  return start.subarray(0, sniffedBytes).includes(0) ? 'binary file' : undefined;
}

/** A whole file, for changing it. */
export type WholeFile =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly what: string }
  /** Its bytes are no UTF-8: writing it back as text would change them. */
  | { readonly kind: 'notUtf8' }
  | { readonly kind: 'tooLarge'; readonly size: number };

/** @throws {UserError} of `SessionFiles.read`. */
export async function readWhole(files: SessionFiles, path: string, maxBytes: number): Promise<WholeFile> {
  const { bytes, size } = await files.read(path, { maxBytes });
  const what = binaryKind(bytes);
  if (what !== undefined) return { kind: 'binary', what };
  if (size > maxBytes || bytes.length < size) return { kind: 'tooLarge', size };
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { kind: 'notUtf8' };
  }
}

/** Lines as `cat -n` has them: the number, a tab, the line. */
export function numbered(lines: readonly string[], firstNumber: number): string {
  return lines.map((line, at) => `${String(firstNumber + at).padStart(6)}\t${line}`).join('\n');
}
