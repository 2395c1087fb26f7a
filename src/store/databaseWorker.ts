// The worker thread that holds the database of history: sql.js works in memory and would block who asks.
import { parentPort, workerData } from 'node:worker_threads';
import initSqlJs from 'sql.js';
import { messageOf, UserError } from '../base/errors';
import { Mutex } from '../base/mutex';
import { HistoryDatabase } from './history/historyDatabase';
import { type WorkerReply, type WorkerRequest, workerDataSchema, workerRequestSchema } from './history/workerMessages';

const port = parentPort;
if (!port) throw new Error('The database runs in a worker thread only');

const { file, journalFolder, wasmFile, keepRawMs } = workerDataSchema.parse(workerData);
const send = (reply: WorkerReply): void => port.postMessage(reply);
const oneByOne = new Mutex();
let opening: Promise<HistoryDatabase> | undefined;

async function openDatabase(): Promise<HistoryDatabase> {
  const sql = await initSqlJs(wasmFile === null ? {} : { locateFile: () => wasmFile });
  return HistoryDatabase.open({ file, journalFolder, sql, keepRawMs, onNote: (note) => send({ kind: 'note', note }) });
}

async function serve(request: WorkerRequest): Promise<WorkerReply> {
  const database = await (opening ??= openDatabase().catch((error: unknown) => {
    // The next question tries again.
    opening = undefined;
    throw error;
  }));
  switch (request.kind) {
    case 'query': {
      const { id, query, throughSeq, nowMs } = request;
      return { kind: 'answer', id, answer: await database.query(query, throughSeq, nowMs) };
    }
    case 'takeIn':
      await database.takeIn(request.throughSeq, request.nowMs);
      return { kind: 'tookIn', id: request.id };
    case 'close':
      await database.save();
      database.close();
      return { kind: 'closed', id: request.id };
  }
}

function failed(id: number, error: unknown): WorkerReply {
  const known = error instanceof UserError;
  const facts = known ? Object.entries(error.facts).map(([name, fact]) => [name, fact ?? null] as const) : [];
  return {
    kind: 'failed',
    id,
    code: known ? error.code : null,
    message: messageOf(error),
    facts: Object.fromEntries(facts),
  };
}

port.on('message', (message: unknown) => {
  const request = workerRequestSchema.parse(message);
  void oneByOne.run(() =>
    serve(request)
      .catch((error: unknown) => failed(request.id, error))
      .then(send),
  );
});
