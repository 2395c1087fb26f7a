import assert from 'node:assert/strict';
import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { says } from '../fakes/messagesApiTurns';
import { type CommandEnd } from '../fakes/wholeCommand';
import { honestWork, writes } from '../fakes/wholeModel';
import { agentName, sampleCheck, WholeRoom } from '../fakes/wholeRoom';

describe('deleting data', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  const run = (...args: string[]): Promise<CommandEnd> => room.command(args).exited;

  /** Files of the storage, and the folders of one kind, in which the words are. */
  async function filesWith(words: string): Promise<string[]> {
    const names = await readdir(room.storage, { recursive: true });
    const found = await Promise.all(
      names.map(async (name) => {
        const file = path.join(room.storage, name);
        const isFile = (await stat(file).catch(() => undefined))?.isFile() === true;
        return isFile && (await readFile(file)).includes(words) ? [name.split('/')[0] ?? ''] : [];
      }),
    );
    return [...new Set(found.flat())].sort();
  }

  /** As if it had been written an hour ago. */
  async function age(): Promise<void> {
    const blobs = path.join(room.storage, 'blobs');
    const hourAgo = new Date(Date.now() - 3_600_000);
    for (const name of await readdir(blobs, { recursive: true }))
      await utimes(path.join(blobs, name), hourAgo, hourAgo);
  }

  it('leaves nothing of what was said and shown, and the record of what was done whole', async () => {
    await room.queues({
      id: 'one',
      description: 'A title\n\nPrivate words of the prompt.',
      context: { checks: [sampleCheck] },
    });
    room.model.plays(
      'A title',
      writes('private.txt', 'private words of a file'),
      ...honestWork,
      says('Private words of the end.'),
    );
    const work = ['work', '--repo', room.repo, '--zmemory', room.backend.url, '--agent', agentName, '--until-idle'];
    assert.equal((await run(...work)).code, 0);
    assert.notDeepEqual(await filesWith('rivate words of the prompt'), []);
    await age();

    assert.match(
      (await run('delete-data', '--older-than', '30d')).stdout,
      /^0 texts \(0 B\) and 0 recordings of 0 tasks /,
    );
    const counted = await run('delete-data', '--older-than', '0d', '--dry-run');
    assert.match(counted.stdout, /^[1-9]\d* texts \(\S+ \S+\) and 1 recordings of 1 tasks would be deleted\.\n$/);
    const deleted = await run('delete-data', '--older-than', '0d');
    assert.equal(deleted.stdout, counted.stdout.replace('would be deleted', 'deleted'));

    const words = ['rivate words of the prompt', 'rivate words of a file', 'rivate words of the end'];
    assert.deepEqual(await Promise.all(words.map(filesWith)), [[], [], []]);
    assert.match((await run('tasks')).stdout, /A title/);
    assert.equal((await run('verify-journal')).code, 0);
    assert.match((await run('delete-data', '--older-than', '0d')).stdout, /^0 texts \(0 B\) and 0 recordings/);
  });
});
