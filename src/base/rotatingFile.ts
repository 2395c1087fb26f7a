/** A file of lines that is put aside when it has grown, with a number of older ones kept: `log`, `log.1`, `log.2`, … */
import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

export interface RotationLimits {
  /** A file that would grow beyond them is put aside first. */
  readonly maxBytes: number;
  /** How many older files are kept; at least 1. */
  readonly keep: number;
}

const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opened anew for each line, so that it may be moved or removed at any time. It is made with mode 0600; that of one which is there
 * already is left.
 */
export class RotatingFile {
  /** A line was written in part: the next one must not stand behind it. */
  private isTorn = false;

  constructor(
    readonly file: string,
    private readonly limits: RotationLimits,
  ) {}

  /**
   * Appends a line; it is with the kernel when this returns.
   * @throws {Error} with the system's reason, or when the file is none of lines: a link, a folder, a device.
   */
  append(line: string): void {
    const bytes = Buffer.from(`${this.isTorn ? '\n' : ''}${line}\n`);
    if (this.tryAppend(bytes)) return;
    for (let n = this.limits.keep; n > 0; n -= 1) this.moveAside(n);
    if (!this.tryAppend(bytes)) throw new Error(`${this.file} could not be put aside`);
  }

  /** @returns false: it has grown too large for that, and nothing was written. */
  private tryAppend(bytes: Buffer): boolean {
    const handle = openSync(this.file, flags, 0o600);
    try {
      const stats = fstatSync(handle);
      if (!stats.isFile()) throw new Error(`${this.file} is no regular file`);
      if (stats.size > 0 && stats.size + bytes.length > this.limits.maxBytes) return false;
      this.write(handle, bytes);
      return true;
    } finally {
      closeSync(handle);
    }
  }

  private write(handle: number, bytes: Buffer): void {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(handle, bytes, written);
      this.isTorn = false;
    } catch (error) {
      this.isTorn ||= written > 0;
      throw error;
    }
  }

  private moveAside(n: number): void {
    try {
      renameSync(n === 1 ? this.file : `${this.file}.${n - 1}`, `${this.file}.${n}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
