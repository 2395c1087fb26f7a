import type { Digest } from './ids';

export interface BlobSweep {
  readonly isNeeded: (digest: Digest) => boolean;
  /** What was put after that, in wall time, stays. */
  readonly beforeMs: number;
  /** Only counts. */
  readonly dryRun: boolean;
}

/** Big things and private things: prompts, outputs, conversations. Each is a file that is named by its digest. */
export interface BlobStore {
  /** It is on disk when this resolves. Putting the same bytes again costs nothing. */
  put(bytes: Uint8Array | string): Promise<Digest>;
  /** @returns `undefined` when it was deleted or never there. @throws {UserError} `blob-corrupt` when its bytes do not match. */
  get(digest: Digest): Promise<Uint8Array | undefined>;
  /** Deletes those for good that nobody needs. @returns how many those are, and their bytes. */
  sweep(sweep: BlobSweep): Promise<{ readonly count: number; readonly bytes: number }>;
}
