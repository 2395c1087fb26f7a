import type { Command } from 'commander';
import path from 'node:path';
import { recordedText } from '../core/recordedText';
import { storageOption } from './arguments';
import { visiting } from './visit';
import { oneLine, tableText } from './words';

interface Flags {
  readonly storage: string;
}

/** What a user does with sessions: list them, replay one, put one away, delete what was recorded of one. */
export function addSessionCommands(airlock: Command): void {
  const sessions = airlock.command('sessions').description('list, replay, archive and delete sessions');
  sessions
    .command('list', { isDefault: true })
    .description('list the living sessions and those that are over')
    .option('--json', 'one session as JSON a line', false)
    .addOption(storageOption())
    .action((options: Flags & { json: boolean }) => listSessions(path.resolve(options.storage), options.json));
  sessions
    .command('replay')
    .description('print all that a session showed')
    .argument('<session>')
    .addOption(storageOption())
    .action((id: string, options: Flags) => replay(path.resolve(options.storage), id));
  sessions
    .command('archive')
    .description('put a session that is over out of the way; its recording stays')
    .argument('<session>')
    .addOption(storageOption())
    .action((id: string, options: Flags) =>
      visiting(path.resolve(options.storage), async (executor) => {
        await executor.archiveSession(id);
        process.stdout.write(`${id} is archived.\n`);
      }),
    );
  sessions
    .command('delete')
    .description('delete what was recorded of a session that is over')
    .argument('<session>')
    .addOption(storageOption())
    .action((id: string, options: Flags) =>
      visiting(path.resolve(options.storage), async (executor) => {
        await executor.deleteSession(id);
        process.stdout.write(`${id} is deleted.\n`);
      }),
    );
}

function listSessions(storage: string, json: boolean): Promise<void> {
  return visiting(storage, async ({ state }) => {
    const living = [...state.sessions.values()].map(({ id, runId, createdAtMs, takenOver }) => ({
      ...{ id, runId, taskId: state.runs.get(runId)?.taskId ?? null, createdAtMs, closedAtMs: null, reason: '' },
      ...{ status: takenOver ? 'taken over' : 'living', breach: null },
    }));
    const all = [...state.pastSessions.values(), ...living];
    if (json) {
      for (const session of all) process.stdout.write(`${JSON.stringify(session)}\n`);
      return;
    }
    if (all.length === 0) {
      process.stdout.write('There are no sessions yet.\n');
      return;
    }
    const rows = all.map(({ id, status, taskId, createdAtMs, reason }) => [
      ...[id, status, new Date(createdAtMs).toISOString().slice(0, 16).replace('T', ' ')],
      ...[oneLine(taskId ?? '–', 40), oneLine(reason, 60)],
    ]);
    process.stdout.write(`${tableText(['session', 'state', 'begun (UTC)', 'task', 'why it ended'], rows)}\n`);
  });
}

function replay(storage: string, id: string): Promise<void> {
  return visiting(storage, async (executor) => {
    const recording = Buffer.from(await executor.readRecording(id)).toString('utf8');
    process.stdout.write(`${recordedText(recording)}\u001b[0m\n`);
  });
}
