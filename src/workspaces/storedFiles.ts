import type { ObjectId } from '../core/ids';
import type { PathBytes } from './pathBytes';
import type { PlannedFile } from './snapshotPlan';

/**
 * The clock of the file system moves in steps (4 to 10 ms). A file that changed just before it was looked at may change
 * again in the same step, and would look the same: it is read once more.
 */
const settledAfterMs = 100;

/** The objects of files as they were in the last snapshot: what looks the same since then need not be read again. */
export class StoredFiles {
  private files = new Map<PathBytes, { readonly stamp: string; readonly objectId: ObjectId }>();

  objectOf({ path, stamp }: PlannedFile): ObjectId | undefined {
    const known = this.files.get(path);
    return known?.stamp === stamp ? known.objectId : undefined;
  }

  /** `entries` are those of `files`, in the same order; `scannedAtMs` is when the scan began. */
  replace(
    files: readonly PlannedFile[],
    entries: readonly { readonly objectId: ObjectId }[],
    scannedAtMs: number,
  ): void {
    this.files = new Map(
      files.flatMap(({ path, stamp, changedAtMs }, at) => {
        const objectId = entries[at]?.objectId;
        return objectId !== undefined && changedAtMs < scannedAtMs - settledAfterMs
          ? [[path, { stamp, objectId }]]
          : [];
      }),
    );
  }

  clear(): void {
    this.files.clear();
  }
}
