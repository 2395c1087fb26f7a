import { type ChildProcess, spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import { z } from 'zod';
import type { ProcessIdentity } from '../core/session';
import type { BwrapInvocation } from './argv';
import { closingDescriptors, inheritedDescriptors } from './descriptors';
import { endProcess, waitUntilDead } from './endProcess';
import { closeWriter, type OutputPipe } from './outputPipes';
import { identifyProcess } from './procfs';

const statusSchema = z.object({ 'child-pid': z.number().optional(), 'exit-code': z.number().optional() });

/** How a jail ended. `exitCode` is `null` when it was killed, or could not be built at all (`built` is false). */
export interface JailEnd {
  readonly built: boolean;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Where a jail's output goes and its input comes from. `inherit` is this process's own, for a person at a terminal. */
export interface JailStreams {
  readonly stdout: OutputPipe | 'inherit';
  readonly stderr: OutputPipe | 'inherit';
  /** Without it the jail reads from `/dev/null`. */
  readonly stdin: boolean | 'inherit';
}

/** One running bwrap. */
export class JailProcess {
  /** Empty when the output is inherited. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** `null` unless the jail reads from a pipe. */
  readonly stdin: Writable | null;
  /** The first process inside, as soon as it is there; `undefined` when the jail ended before. */
  readonly firstProcess: Promise<ProcessIdentity | undefined>;
  /**
   * Resolves when every process of the jail is dead. Output that is still in the pipes may come later.
   * Rejects when bwrap could not be started.
   */
  readonly ended: Promise<JailEnd>;
  private readonly child: ChildProcess;

  constructor(invocation: BwrapInvocation, streams: JailStreams) {
    this.child = spawnBwrap(invocation, streams);
    this.stdout = readerOf(streams.stdout);
    this.stderr = readerOf(streams.stderr);
    this.stdin = streams.stdin === true ? writableOf(this.child, 0) : null;
    for (const { fd, bytes } of invocation.inputs) writableOf(this.child, fd).end(bytes);
    const status = readStatus(readableOf(this.child, invocation.statusFd));
    this.firstProcess = status.firstProcess;
    const exited = exitOf(this.child);
    this.ended = this.wholeEnd(exited, status.exitCode);
    // Whoever waits sees the failure; that nobody waits yet is no crash.
    this.ended.catch(() => {});
  }

  /** Ends every process of the jail. `ended` tells when they are dead. */
  kill(): void {
    // Not bwrap itself first: while it builds the jail, the first process would go on without it.
    void this.firstProcess.then((first) => {
      if (first) endProcess(first);
      this.child.kill('SIGKILL');
    });
  }

  private async wholeEnd(
    exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>,
    exitCode: Promise<number | undefined>,
  ): Promise<JailEnd> {
    const { signal } = await exited;
    const first = await this.firstProcess;
    if (first) await waitUntilDead(first);
    const code = await exitCode;
    return { built: code !== undefined || signal !== null, exitCode: code ?? null, signal };
  }
}

function spawnBwrap(invocation: BwrapInvocation, { stdout, stderr, stdin }: JailStreams): ChildProcess {
  const { bwrapPath, argv, inputs, statusFd } = invocation;
  const leaking = inheritedDescriptors(statusFd).length > 0;
  const [program = bwrapPath, ...rest] = leaking
    ? closingDescriptors([bwrapPath, ...argv], statusFd)
    : [bwrapPath, ...argv];
  const outputs = [stdout, stderr].map((stream) => (stream === 'inherit' ? stream : stream.writeFd));
  const stdio = [
    typeof stdin === 'string' ? stdin : stdin ? 'pipe' : 'ignore',
    ...outputs,
    ...inputs.map(() => 'pipe' as const),
    'pipe',
  ] as const;
  try {
    return spawn(program, rest, { cwd: '/', env: {}, stdio: [...stdio] });
  } finally {
    for (const stream of [stdout, stderr]) if (stream !== 'inherit') closeWriter(stream);
  }
}

function readerOf(stream: OutputPipe | 'inherit'): Readable {
  return stream === 'inherit' ? Readable.from([]) : stream.reader;
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function readStatus(stream: Readable): {
  firstProcess: Promise<ProcessIdentity | undefined>;
  exitCode: Promise<number | undefined>;
} {
  let found: (first: ProcessIdentity | undefined) => void = () => {};
  const firstProcess = new Promise<ProcessIdentity | undefined>((resolve) => (found = resolve));
  const exitCode = new Promise<number | undefined>((resolve) => {
    let text = '';
    let code: number | undefined;
    const finish = (): void => {
      found(undefined);
      resolve(code);
    };
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const status = statusSchema.parse(JSON.parse(line));
        if (status['child-pid'] !== undefined) found(identifyProcess(status['child-pid']));
        code = status['exit-code'] ?? code;
      }
    });
    stream.on('close', finish);
  });
  return { firstProcess, exitCode };
}

/** Descriptor `fd` of the child as a stream that bwrap writes to. */
function readableOf(child: ChildProcess, fd: number): Readable {
  const stream = child.stdio[fd];
  if (!(stream instanceof Readable)) throw new Error(`Descriptor ${fd} of the jail is not readable`);
  return stream;
}

/** Descriptor `fd` of the child as a stream that it reads. A jail that ends without reading it is no error. */
function writableOf(child: ChildProcess, fd: number): Writable {
  const stream = child.stdio[fd];
  if (!stream || !('end' in stream)) throw new Error(`Descriptor ${fd} of the jail is not writable`);
  stream.on('error', () => {});
  return stream;
}
