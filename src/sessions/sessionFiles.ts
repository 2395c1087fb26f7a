import { randomBytes } from 'node:crypto';
import { UserError } from '../base/errors';
import type { ExecOptions, ExecResult, SessionFiles } from '../core/session';
import type { PauseGate } from './pauseGate';
import { helperScript, type ShellChannel } from './shellChannel';
import { shellQuote } from './shellQuote';

/** Exit codes of our own scripts, out of the way of those of programs. */
const notRegular = 41;

/** For one file; a folder of the network may be slow, and a file may be 1 GiB. */
const timeoutMs = 60_000;

/** What the header and the words of an error may take, beside the file's own bytes. */
const spareBytes = 16 * 1024;

/** `S_IFREG` in the `S_IFMT` bits. */
const formatMask = 0o170000;
const regularFormat = 0o100000;

/**
 * Tells what it is and how large, then shows the part that is asked for. It opens without waiting: a pipe that takes the
 * file's place at the last moment is read as empty.
 */
function readScript(path: string, offset: number, maxBytes: number): string {
  return (
    `stat -Lc '%f %s' -- ${shellQuote(path)} && ` +
    `dd ${shellQuote(`if=${path}`)} iflag=skip_bytes,count_bytes,fullblock,nonblock bs=65536 ` +
    `skip=${offset} count=${maxBytes} status=none`
  );
}

/**
 * Writes beside the file that its name leads to, then renames: whoever reads it sees the old file or the new one. Any
 * failure ends the helper's shell, so that what it has not read of the file is never taken for commands.
 */
function writeScript(path: string, size: number): string {
  const temporary = `.airlock-${randomBytes(8).toString('hex')}`;
  return `
    IFS= read -r -d '' target < <(realpath -mz -- ${shellQuote(path)}) || exit 1
    if [[ -e $target && ! -f $target ]]; then exit ${notRegular}; fi
    folder=\${target%/*}
    mkdir -p -- "\${folder:-/}" || exit 1
    new=$folder/${temporary}
    (set -o noclobber; head -c ${size} >"$new") || { rm -f -- "$new"; exit 1; }
    if [[ $(stat -c %s -- "$new") != ${size} ]]; then rm -f -- "$new"; exit 1; fi
    if [[ -e $target ]]; then chmod --reference="$target" -- "$new"; fi
    mv -fT -- "$new" "$target" || { rm -f -- "$new"; exit 1; }`;
}

const codes: readonly (readonly [RegExp, string, string])[] = [
  [/No space left|quota exceeded|File too large|size limit/i, 'disk-full', 'there is no room for it'],
  [
    /Is a directory|File exists/,
    'file-not-regular',
    'it is not a regular file, or a file stands where a folder must be',
  ],
  [/No such file|Not a directory|Too many levels|name too long/i, 'file-not-found', 'there is no such file'],
];

function fileError(path: string, words: string): UserError {
  const [, code, what] = codes.find(([pattern]) => pattern.test(words)) ?? [
    /./,
    'file-denied',
    'the jail does not allow it',
  ];
  return new UserError(code, `${JSON.stringify(path)}: ${what}.`, { path, detail: words.slice(0, 500).trim() });
}

function notRegularError(path: string): UserError {
  return new UserError('file-not-regular', `${JSON.stringify(path)} is not a regular file.`, { path });
}

/** Reads and writes in the jail, through shells that the agent's commands do not keep busy. Waits at the gate. */
export class JailedFiles implements SessionFiles {
  constructor(
    private readonly files: ShellChannel,
    private readonly searches: ShellChannel,
    private readonly gate: PauseGate,
  ) {}

  async read(
    path: string,
    options: { readonly offset?: number; readonly maxBytes: number },
  ): Promise<{ readonly bytes: Uint8Array; readonly size: number }> {
    assertPath(path);
    await this.gate.whenOpen();
    const maxBytes = Math.max(0, Math.floor(options.maxBytes));
    const result = await this.files.run({
      script: helperScript(readScript(path, Math.max(0, Math.floor(options.offset ?? 0)), maxBytes)),
      timeoutMs,
      maxOutputBytes: 2 * (maxBytes + spareBytes),
    });
    const stdout = Buffer.from(result.stdout);
    const headerEnd = stdout.indexOf('\n');
    const header = /^([0-9a-f]+) (\d+)$/.exec(stdout.subarray(0, Math.max(0, headerEnd)).toString('latin1'));
    if (header && (Number.parseInt(header[1] ?? '', 16) & formatMask) !== regularFormat) throw notRegularError(path);
    if (!header || result.exitCode !== 0) throw this.failure(path, result);
    return { bytes: stdout.subarray(headerEnd + 1), size: Number(header[2]) };
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    assertPath(path);
    await this.gate.whenOpen();
    const result = await this.files.run({
      script: helperScript(writeScript(path, bytes.length)),
      input: bytes,
      timeoutMs,
      maxOutputBytes: spareBytes,
    });
    if (result.exitCode === notRegular) throw notRegularError(path);
    if (result.exitCode !== 0) throw this.failure(path, result);
  }

  async run(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
    await this.gate.whenOpen(options.signal);
    const words = argv.map(shellQuote).join(' ');
    return this.searches.run({ ...options, script: helperScript(`command -- ${words} </dev/null`) });
  }

  private failure(path: string, result: ExecResult): UserError {
    if (result.kind === 'timedOut') {
      return new UserError('file-denied', `${JSON.stringify(path)} could not be read or written in time.`, { path });
    }
    return fileError(path, Buffer.from(result.stderr).toString('utf8'));
  }
}

/** No path holds NUL, and a shell would leave it out: that would be another path. */
function assertPath(path: string): void {
  if (path === '' || path.includes('\0')) throw fileError(path, 'No such file');
}
