import assert from 'node:assert/strict';
import path from 'node:path';
import { says } from '../fakes/messagesApiTurns';
import { WholeCommand } from '../fakes/wholeCommand';
import { runs, writes } from '../fakes/wholeModel';
import { agentName, modelName, processesThatName, resultFile, sampleCheck, WholeRoom } from '../fakes/wholeRoom';

const stoppedMs = 4_000;

describe('a worker that is suspended in the middle of a run', () => {
  let room: WholeRoom;
  const started: WholeCommand[] = [];
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(async () => {
    for (const command of started.splice(0)) {
      command.kill('SIGKILL');
      await command.exited;
    }
    await room.close();
  });

  function work(...more: string[]): WholeCommand {
    const command = WholeCommand.start(
      [
        'work',
        '--storage',
        room.storage,
        '--repo',
        room.repo,
        '--zmemory',
        room.backend.url,
        '--agent',
        agentName,
        ...more,
      ],
      {
        cwd: room.repo,
        environment: {
          ANTHROPIC_API_KEY: 'sk-test',
          ANTHROPIC_BASE_URL: room.model.api.baseUrl,
          ANTHROPIC_MODEL: modelName,
          ZMEMORY_TOKEN: room.backend.token,
        },
      },
    );
    started.push(command);
    return command;
  }

  /** The second answer of the model comes when it is let. */
  function plays(name: string): () => void {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    room.model.plays(
      name,
      runs('echo one >> log.txt'),
      async () => {
        await gate;
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    return release;
  }

  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, stoppedMs));

  it('keeps its storage, goes on where it was, and does and tells nothing twice', async () => {
    await room.queues({ id: 'long', description: 'Long', context: { checks: [sampleCheck] } });
    let ends = 0;
    room.backend.api.onDidChangeTask(({ task }) => (ends += task.status === 'completed' ? 1 : 0));
    const release = plays('Long');
    const owner = work('--until-idle');
    await room.model.api.requested(2);
    owner.kill('SIGSTOP');
    const follower = work();
    release();
    await pause();
    assert.equal(room.model.api.requests.length, 2, 'nobody else has begun anything');
    owner.kill('SIGCONT');
    const { code, stdout, stderr } = await owner.exited;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Long +verified/m);
    follower.kill('SIGINT');
    await follower.exited;
    assert.equal(resultFile(room, 'airlock/long-1', 'log.txt'), 'one');
    assert.deepEqual([ends, room.model.api.requests.length], [1, 3]);
    assert.deepEqual(await processesThatName(path.join(room.storage, 'runs')), []);
  });
});
