import { assertNever } from '../base/errors';
import type { Executor } from '../core/executor';
import type { Call, ResultOf } from '../protocol/executorProtocol';

/** Calls about what runs have made: blobs, files of results and snapshots, recordings. */
export type FileCall = Extract<
  Call,
  {
    method:
      | 'readBlob'
      | 'changes'
      | 'readResultFile'
      | 'snapshotChanges'
      | 'readSnapshotFile'
      | 'readConflictFile'
      | 'restoreSnapshot'
      | 'publishSnapshot'
      | 'readRecording';
  }
>;

export async function dispatchToFiles(executor: Executor, call: FileCall): Promise<ResultOf<FileCall['method']>> {
  switch (call.method) {
    case 'readBlob':
      return encode(await executor.readBlob(call.digest));
    case 'changes':
      return executor.changes(call.taskId);
    case 'readResultFile':
      return encode(await executor.readResultFile(call.taskId, call.side, call.path));
    case 'snapshotChanges':
      return [...(await executor.snapshotChanges(call.taskId, call.from, call.to))];
    case 'readSnapshotFile':
      return encode(await executor.readSnapshotFile(call.taskId, call.index, call.path));
    case 'readConflictFile':
      return encode(await executor.readConflictFile(call.taskId, call.side, call.path));
    case 'restoreSnapshot': {
      const { savedAs, files } = await executor.restoreSnapshot(call.taskId, call.index);
      return { savedAs, files: [...files] };
    }
    case 'publishSnapshot':
      return executor.publishSnapshot(call.taskId, call.index);
    case 'readRecording':
      return Buffer.from(await executor.readRecording(call.sessionId)).toString('base64');
    default:
      return assertNever(call);
  }
}

function encode(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : Buffer.from(bytes).toString('base64');
}
