import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** The few things that the journal does with an open segment. Tests put one in between that fails. */
export interface JournalFile {
  /** Appends; may write fewer bytes than it was given, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** What was written is on disk when this resolves. */
  datasync(): Promise<void>;
  /** Cuts the file, and makes the cut durable. */
  truncate(bytes: number): Promise<void>;
  /** The bytes from `position`; fewer at the end of the file. */
  read(position: number, bytes: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens a segment that is there. */
export type OpenJournalFile = (file: string) => Promise<JournalFile>;

export const openJournalFile: OpenJournalFile = async (file) =>
  new NodeJournalFile(await open(file, constants.O_RDWR | constants.O_APPEND));

class NodeJournalFile implements JournalFile {
  constructor(private readonly handle: FileHandle) {}

  async write(bytes: Uint8Array): Promise<number> {
    return (await this.handle.write(bytes)).bytesWritten;
  }

  datasync(): Promise<void> {
    return this.handle.datasync();
  }

  async truncate(bytes: number): Promise<void> {
    await this.handle.truncate(bytes);
    await this.handle.sync();
  }

  async read(position: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.alloc(bytes);
    let filled = 0;
    while (filled < bytes) {
      const { bytesRead } = await this.handle.read(buffer, filled, bytes - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}
