import { type FileHandle, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, systemCodeOf, UserError } from '../../../base/errors';
import { Mutex } from '../../../base/mutex';

const newline = 0x0a;

/**
 * An append-only file of JSON lines. A line counts once it ends in a newline; it is on disk when `append` resolves. What a
 * crash left of an unfinished line is put aside when the file is opened.
 */
export class RecordFile {
  private readonly turns = new Mutex();
  private failure: UserError | undefined;

  private constructor(
    private readonly path: string,
    private file: FileHandle,
    private durableBytes: number,
  ) {}

  /**
   * Opens the file, or makes it, and calls `onRecord` for every line in order.
   * @throws {UserError} `zmemory-store-damaged` when a line before the last is not whole: then nothing is changed.
   */
  static async open(filePath: string, onRecord: (record: unknown) => void): Promise<RecordFile> {
    const file = await open(filePath, 'a+', 0o600);
    try {
      const bytes = await file.readFile();
      const wholeBytes = bytes.lastIndexOf(newline) + 1;
      readLines(filePath, bytes.subarray(0, wholeBytes), onRecord);
      if (wholeBytes < bytes.length) await cutTail(file, filePath, bytes, wholeBytes);
      await syncFolder(path.dirname(filePath));
      return new RecordFile(filePath, file, wholeBytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws {UserError} `disk-full`: nothing was written. `zmemory-store-failed`: the device failed; open it anew. */
  append(record: unknown): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    return this.turns.run(async () => {
      if (this.failure) throw this.failure;
      await this.write(line);
      await this.sync();
      this.durableBytes += line.length;
    });
  }

  /** Replaces all lines by these, as a whole or not at all. */
  replace(records: readonly unknown[]): Promise<void> {
    return this.turns.run(async () => {
      if (this.failure) throw this.failure;
      const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      const temporary = await open(`${this.path}.tmp`, 'w', 0o600);
      try {
        await temporary.writeFile(bytes);
        await temporary.sync();
      } finally {
        await temporary.close();
      }
      await rename(`${this.path}.tmp`, this.path);
      await syncFolder(path.dirname(this.path));
      await this.file.close();
      this.file = await open(this.path, 'a+', 0o600);
      this.durableBytes = bytes.length;
    });
  }

  close(): Promise<void> {
    return this.turns.run(() => this.file.close());
  }

  private async write(line: Buffer): Promise<void> {
    try {
      const { bytesWritten } = await this.file.write(line);
      if (bytesWritten < line.length) throw new Error(`only ${bytesWritten} of ${line.length} bytes were written`);
    } catch (error) {
      await this.file.truncate(this.durableBytes).catch((cause: unknown) => {
        this.fail(cause);
      });
      const full = systemCodeOf(error) === 'ENOSPC' || systemCodeOf(error) === 'EDQUOT' || !systemCodeOf(error);
      throw full
        ? new UserError(
            'disk-full',
            'The disk is full: the task could not be stored.',
            { path: this.path },
            { cause: error },
          )
        : this.fail(error);
    }
  }

  private async sync(): Promise<void> {
    try {
      await this.file.datasync();
    } catch (error) {
      // After a failed sync nobody knows what is on disk, and a second one may claim success for what was lost.
      throw this.fail(error);
    }
  }

  private fail(cause: unknown): UserError {
    this.failure ??= new UserError(
      'zmemory-store-failed',
      `The tasks cannot be stored: ${messageOf(cause)}. Nothing more is written until it is started again.`,
      { path: this.path },
      { cause },
    );
    return this.failure;
  }
}

function readLines(filePath: string, bytes: Buffer, onRecord: (record: unknown) => void): void {
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const to = bytes.indexOf(newline, from);
    try {
      onRecord(JSON.parse(bytes.toString('utf8', from, to)));
    } catch (cause) {
      throw new UserError(
        'zmemory-store-damaged',
        `Line ${line} of ${filePath} is damaged. Nothing was changed; repair the line or move the file away.`,
        { path: filePath, line },
        { cause },
      );
    }
    from = to + 1;
  }
}

async function cutTail(file: FileHandle, filePath: string, bytes: Buffer, wholeBytes: number): Promise<void> {
  const aside = await open(`${filePath}.torn`, 'w', 0o600);
  try {
    await aside.writeFile(bytes.subarray(wholeBytes));
    await aside.sync();
  } finally {
    await aside.close();
  }
  await file.truncate(wholeBytes);
  await file.datasync();
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
