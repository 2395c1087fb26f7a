import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../base/clock';
import { DisposableStore, toDisposable } from '../base/disposable';
import { CancelledError, messageOf, UserError } from '../base/errors';
import type { JailCommand, JailResult, LimitBreach } from '../core/jail';
import { bwrapInvocation } from './argv';
import type { HostFacts } from './hostFacts';
import { type JailEnd, JailProcess } from './jailProcess';
import { watchLimits } from './limits/watchLimits';
import { checkMounts } from './mountCheck';
import { OutputBuffer } from './outputBuffer';
import type { OutputPipes } from './outputPipes';

/** What a run needs beside its command. */
export interface RunContext {
  readonly facts: HostFacts;
  readonly clock: Clock;
  readonly pipes: OutputPipes;
  /** Where the egress proxy of this jail is; see `InvocationOptions`. */
  readonly egressFolder?: string | undefined;
}

/**
 * Runs one command in a jail of its own; see `Jails.run` for what it promises.
 * @throws {UserError} `jail-unavailable`, `mount-missing`, `mount-point-unsafe`, `network-unavailable`.
 * @throws {CancelledError} when `command.signal` is aborted.
 */
export async function runInJail(command: JailCommand, context: RunContext): Promise<JailResult> {
  if (command.signal?.aborted) throw new CancelledError();
  const { facts, clock, pipes, egressFolder } = context;
  const policy = await checkMounts(command.policy);
  const egress = egressFolder === undefined ? {} : { egressFolder };
  const invocation = bwrapInvocation(policy, facts, command.argv, { newSession: true, ...egress });
  const [stdout, stderr] = [await pipes.take(), await pipes.take()];
  const startedMs = clock.monotonicMs();
  const jail = new JailProcess(invocation, { stdout, stderr, stdin: command.stdin !== undefined });
  const output = new OutputBuffer(policy.limits.outputBytes);
  const watch = new DisposableStore();
  let breach: LimitBreach | null = null;
  const onBreach = (found: LimitBreach): void => {
    breach ??= found;
    jail.kill();
  };
  watch.add(onAbort(command.signal, () => jail.kill()));
  watch.add(watchLimits(policy, jail.firstProcess, { clock, onBreach }));
  const streams = Promise.allSettled([
    ...collect(command, jail, output),
    command.stdin === undefined ? undefined : feed(command.stdin, jail),
  ]);
  try {
    const end = await jail.ended.catch((error: unknown) => {
      throw unavailable(messageOf(error), error);
    });
    const failed = (await streams).find((outcome) => outcome.status === 'rejected');
    if (command.signal?.aborted) throw new CancelledError();
    if (failed && breach === null) throw asError(failed.reason);
    if (!end.built && breach === null) throw unavailable(Buffer.from(output.result().stderr).toString().trim());
    return { ...exitOf(end, breach), ...output.result(), durationMs: clock.monotonicMs() - startedMs, breach };
  } finally {
    watch.dispose();
  }
}

function exitOf(end: JailEnd, breach: LimitBreach | null): Pick<JailResult, 'exitCode' | 'signal'> {
  if (breach || end.exitCode === null) return { exitCode: null, signal: end.signal ?? 'SIGKILL' };
  return { exitCode: end.exitCode, signal: null };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(messageOf(reason), { cause: reason });
}

function unavailable(detail: string, cause?: unknown): UserError {
  return new UserError(
    'jail-unavailable',
    `The jail could not be built, so nothing was run: ${detail || 'bwrap ended without a word'}`,
    { detail },
    { cause },
  );
}

function onAbort(signal: AbortSignal | undefined, action: () => void): { dispose(): void } {
  signal?.addEventListener('abort', action, { once: true });
  return toDisposable(() => signal?.removeEventListener('abort', action));
}

/** Reads both streams to their end, for a jail that nobody reads from would stand still. */
function collect(command: JailCommand, jail: JailProcess, output: OutputBuffer): Promise<void>[] {
  const keep = (name: 'stdout' | 'stderr', from: Readable): Promise<void> =>
    new Promise((resolve) => {
      from.on('data', (bytes: Buffer) => {
        output.add(name, bytes);
        command.onOutput?.(name, bytes);
      });
      from.once('close', resolve);
    });
  const stderr = keep('stderr', jail.stderr);
  if (!command.stdoutTo) return [keep('stdout', jail.stdout), stderr];
  const forwarded = pipeline(jail.stdout, command.stdoutTo).catch((error: unknown) => {
    jail.kill();
    throw error;
  });
  return [forwarded, stderr];
}

/** A command that ends before it has read everything is none of our business. */
async function feed(stdin: Readable | Uint8Array, jail: JailProcess): Promise<void> {
  if (!jail.stdin) return;
  if (!(stdin instanceof Readable)) {
    jail.stdin.end(stdin);
    return;
  }
  let sourceError: Error | undefined;
  stdin.once('error', (error) => (sourceError = error));
  await pipeline(stdin, jail.stdin).catch(() => {
    if (sourceError) jail.kill();
  });
  if (sourceError) throw sourceError;
}
