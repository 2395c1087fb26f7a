import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Mutex } from '../base/mutex';
import type { PrivateFolder } from './privateFolder';

const run = promisify(execFile);

/** One pipe: what is written to `writeFd` comes out of `reader`. */
export interface OutputPipe {
  readonly reader: Socket;
  readonly writeFd: number;
}

/** One `mkfifo` makes this many, for starting a program takes as long as a jail's own set-up. */
const batch = 32;

/**
 * Real pipes for the output of jails. Node's own are sockets, on which `echo failed > /dev/stderr` fails with ENXIO; and an
 * unnamed pipe could be reopened only by the user who made it, who is not the account. Named pipes are opened at both ends
 * and unlinked at once.
 */
export class OutputPipes {
  private readonly mutex = new Mutex();
  private spare: string[] = [];
  private made = 0;

  constructor(private readonly folder: PrivateFolder) {}

  async take(): Promise<OutputPipe> {
    const path = await this.mutex.run(() => this.next());
    // Non-blocking, or opening would wait for the writer.
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeFd = openSync(path, constants.O_WRONLY);
    unlinkSync(path);
    return { reader: new Socket({ fd: readFd, readable: true, writable: false }), writeFd };
  }

  private async next(): Promise<string> {
    const path = this.spare.pop();
    if (path !== undefined) return path;
    const folder = await this.folder.path();
    const paths = Array.from({ length: batch }, () => join(folder, `pipe-${(this.made += 1)}`));
    await run('mkfifo', ['--mode=666', '--', ...paths], { env: { PATH: '/usr/bin:/bin' } });
    this.spare = paths.slice(1);
    return paths[0] ?? '';
  }
}

/** The end that the child has inherited is closed here, or the reader would never see the end. */
export function closeWriter(pipe: OutputPipe): void {
  closeSync(pipe.writeFd);
}
