import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { promisify } from 'node:util';
import type { Disposable } from '../base/disposable';
import { systemCodeOf } from '../base/errors';

const run = promisify(execFile);

/** Makes named pipes that their owner alone may open. */
export async function makeFifos(paths: readonly string[]): Promise<void> {
  await run('mkfifo', ['-m', '600', '--', ...paths], { env: {} });
}

/**
 * Opens the host's end for both directions: it does not wait for the other end, and sees no end of file while nobody has
 * that open.
 */
export function openFifo(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

/** What comes out of the pipe at `path`, as a stream that can be paused; it owns its descriptor. */
export function fifoReader(path: string): Socket {
  return new Socket({ fd: openFifo(path), readable: true, writable: false });
}

/** The size of a pipe on Linux, and so of the most that is read at once. */
const readBytes = 64 * 1024;
/** One for all readers: who is given bytes is done with them, or has copied them, before anybody else is. */
let readBuffer: Buffer | undefined;

/**
 * Hands on what comes out of a pipe, in memory that is used again: a flood costs no more of it than one read.
 */
export class FifoReader implements Disposable {
  private readonly socket: Socket;
  private listener: (bytes: Buffer) => void = () => {};

  constructor(path: string) {
    const buffer = (readBuffer ??= Buffer.allocUnsafeSlow(readBytes));
    const callback = (length: number): boolean => {
      this.listener(buffer.subarray(0, length));
      return true;
    };
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
      fd: openFifo(path),
      readable: true,
      writable: false,
      onread: { buffer, callback },
    };
    this.socket = new Socket(options);
    // The other end of a pipe cannot fail; what is left in it goes with the jail.
    this.socket.on('error', () => {});
  }

  /** @param listener is called with each piece. Its bytes are overwritten by the next one. */
  onBytes(listener: (bytes: Buffer) => void): void {
    this.listener = listener;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  dispose(): void {
    this.socket.destroy();
  }
}

/** The writing end of a pipe, whose content can be taken back: a new reader must not get what was meant for an old one. */
export class FifoWriter implements Disposable {
  private readonly keeper: number;
  private stream: Socket;
  private disposed = false;

  /** @param onError what to do when nobody can read it any more. */
  constructor(
    path: string,
    private readonly onError: (error: Error) => void,
  ) {
    this.keeper = openFifo(path);
    this.stream = this.openStream();
  }

  write(bytes: Uint8Array | string): void {
    if (!this.disposed) this.stream.write(bytes);
  }

  /** Drops everything that was written and not read yet. */
  discard(): void {
    // Its descriptor may be another file's by now.
    if (this.disposed) return;
    this.stream.destroy();
    const sink = Buffer.allocUnsafe(64 * 1024);
    while (readAvailable(this.keeper, sink) > 0);
    this.stream = this.openStream();
  }

  /** Lets go of the pipe once what was written has been taken: its reader then sees the end. */
  finish(): void {
    if (this.disposed) return;
    this.disposed = true;
    const { keeper, stream } = this;
    stream.once('close', () => closeSync(keeper)).end(() => stream.destroy());
  }

  dispose(): void {
    this.stream.destroy();
    if (this.disposed) return;
    this.disposed = true;
    closeSync(this.keeper);
  }

  /** The name is gone by now; the kernel opens the pipe itself again by its descriptor. */
  private openStream(): Socket {
    const fd = openSync(`/proc/self/fd/${this.keeper}`, constants.O_WRONLY | constants.O_NONBLOCK);
    const stream = new Socket({ fd, readable: false, writable: true });
    stream.on('error', this.onError);
    return stream;
  }
}

function readAvailable(fd: number, sink: Buffer): number {
  try {
    return readSync(fd, sink);
  } catch (error) {
    if (systemCodeOf(error) === 'EAGAIN') return 0;
    throw error;
  }
}
