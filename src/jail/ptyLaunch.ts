import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BwrapInvocation } from './argv';

/** How to start a jail where only the terminal's three descriptors can be handed on, as `node-pty` does. */
export interface PtyLaunch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, never>>;
  /** The file that bwrap writes its status documents to; see `BwrapInvocation.statusFd`. */
  readonly statusFile: string;
  /** Takes the files away. Call it when the jail has started, or failed to. */
  dispose(): Promise<void>;
}

/** A shell opens at most one-digit descriptors by number. */
const highestDescriptor = 9;

/**
 * Puts what bwrap reads into files of `folder` (made if need be, for the host alone), and answers the program that opens them
 * and becomes bwrap, with an empty environment.
 */
export async function ptyLaunch(invocation: BwrapInvocation, folder: string): Promise<PtyLaunch> {
  const { bwrapPath, argv, inputs, statusFd } = invocation;
  if (statusFd > highestDescriptor) throw new RangeError(`A jail on a terminal cannot have descriptor ${statusFd}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const nameOf = (fd: number): string => `descriptor-${fd}`;
  await Promise.all(inputs.map(({ fd, bytes }) => writeFile(join(folder, nameOf(fd)), bytes, { mode: 0o600 })));
  const statusFile = join(folder, 'status');
  await writeFile(statusFile, '', { mode: 0o600 });
  const redirections = [...inputs.map(({ fd }) => `${fd}<"$0/${nameOf(fd)}"`), `${statusFd}>"$0/status"`];
  return {
    file: '/bin/sh',
    args: ['-c', `exec /usr/bin/env -i "$@" ${redirections.join(' ')}`, folder, bwrapPath, ...argv],
    env: {},
    statusFile,
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
