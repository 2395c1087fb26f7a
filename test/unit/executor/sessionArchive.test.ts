import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SessionArchive } from '../../../src/executor/sessionArchive';
import { SessionShelf } from '../../../src/executor/sessionShelf';
import { createJails } from '../../../src/jail/jails';
import { queued, runStarted } from '../core/sampleEvents';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';

describe('a session after its end', () => {
  let folder: string;
  let events: MemoryLog;
  let archive: SessionArchive;
  const cast = `${JSON.stringify({ version: 2 })}\n${JSON.stringify([1, 'o', 'all of it\r\n'])}\n`;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'airlock-archive-'));
    events = new MemoryLog(new FakeClock());
    const sessionFolder = (runId: string, sessionId: string): string => path.join(folder, runId, sessionId);
    // A new process has nothing on its shelf.
    archive = new SessionArchive({ events, jails: createJails(), sessionFolder }, new SessionShelf());
    await events.append([
      queued('task-1'),
      runStarted('run-1', 'task-1'),
      ...['session-1', 'session-2'].map((sessionId) => ({
        ...{ kind: 'session.created' as const, sessionId, runId: 'run-1' },
        process: { pid: 1, startTicks: 1, bootId: 'b' },
        proof: { proven: true, canaries: [], durationMs: 1 },
      })),
      { kind: 'session.closed', sessionId: 'session-1', reason: 'Airlock was killed.', breach: null },
    ]);
    await mkdir(sessionFolder('run-1', 'session-1'), { recursive: true });
    await writeFile(path.join(sessionFolder('run-1', 'session-1'), 'session.cast'), cast);
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('shows what it showed, and why it ended when it could not say so itself', async () => {
    const shown: string[] = [];
    await archive.watch('session-1', (text) => shown.push(text));
    assert.equal(shown.join(''), 'all of it\r\n\u001b[0m\r\nSession ended: Airlock was killed.\r\n');
    assert.equal(Buffer.from(await archive.recording('session-1')).toString(), cast);
  });

  it('is archived with its recording', async () => {
    await archive.archive('session-1');
    assert.equal(events.state.pastSessions.get('session-1')?.status, 'archived');
    assert.equal(Buffer.from(await archive.recording('session-1')).toString(), cast);
    await assert.rejects(archive.archive('session-1'), { code: 'wrong-state' });
  });

  it('is deleted with everything that was recorded', async () => {
    await archive.archive('session-1');
    await archive.delete('session-1');
    assert.deepEqual(await readdir(path.join(folder, 'run-1')), []);
    assert.equal(events.state.pastSessions.size, 0);
    const gone = { code: 'unknown-session' };
    await assert.rejects(archive.delete('session-1'), gone);
    await assert.rejects(archive.recording('session-1'), gone);
    await assert.rejects(
      archive.watch('session-1', () => {}),
      gone,
    );
  });

  it('is deleted once more when its end was not kept, though its files are gone', async () => {
    events.failNext = new Error('no disk');
    await assert.rejects(archive.delete('session-1'), /no disk/);
    await archive.delete('session-1');
    assert.equal(events.state.pastSessions.size, 0);
  });

  it('is neither while it lives, nor when nobody knows it', async () => {
    await assert.rejects(archive.archive('session-2'), { code: 'wrong-state' });
    await assert.rejects(archive.delete('session-2'), { code: 'wrong-state' });
    await assert.rejects(archive.delete('session-3'), { code: 'unknown-session' });
  });
});
