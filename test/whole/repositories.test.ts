import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { honestWork } from '../fakes/wholeModel';
import {
  repositoryFingerprint,
  resultFile,
  sampleCheck,
  sampleFiles,
  taskReported,
  WholeRoom,
} from '../fakes/wholeRoom';
import { commitAll, git, writeFiles } from '../unit/workspaces/sampleRepository';
import type { TaskState } from '../../src/core/liveState';

describe('a repository', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  async function worked(repo: string): Promise<TaskState> {
    room.repo = repo;
    await room.queues({ id: 'task', description: 'Task', context: { checks: [sampleCheck] } });
    room.model.plays('Task', ...honestWork);
    return taskReported(await room.open(), 'task');
  }

  it('whose HEAD is detached is worked on from there', async () => {
    const first = git(room.repo, 'rev-parse', 'HEAD');
    writeFiles(room.repo, { 'later.txt': 'later\n' });
    commitAll(room.repo, 'later');
    git(room.repo, 'checkout', '-q', '--detach', first);
    const before = repositoryFingerprint(room.repo);
    assert.equal((await worked(room.repo)).status, 'verified');
    assert.equal(git(room.repo, 'rev-parse', 'airlock/task-1^'), first);
    assert.deepEqual(repositoryFingerprint(room.repo), before);
  });

  it('that is a linked worktree gets its result where all its branches are', async () => {
    const linked = path.join(room.top, 'linked');
    git(room.repo, 'worktree', 'add', '-q', '-b', 'side', linked);
    writeFiles(linked, { 'side.txt': 'side\n' });
    const base = commitAll(linked, 'side');
    const main = room.repo;
    assert.equal((await worked(linked)).status, 'verified');
    assert.equal(git(main, 'rev-parse', 'airlock/task-1^'), base);
    assert.equal(git(linked, 'status', '--porcelain'), '');
  });

  it('that is a shallow clone is worked on like any other', async () => {
    writeFiles(room.repo, { 'second.txt': '2\n' });
    commitAll(room.repo, 'second');
    const shallow = path.join(room.top, 'shallow');
    git(room.top, 'clone', '-q', '--depth', '1', `file://${room.repo}`, shallow);
    assert.equal((await worked(shallow)).status, 'verified');
    assert.equal(resultFile(room, 'airlock/task-1', 'value.txt'), 'right');
  });

  it('in which a merge is half done and files are dirty is not disturbed', async () => {
    git(room.repo, 'checkout', '-q', '-b', 'other');
    writeFiles(room.repo, { 'value.txt': 'other\n' });
    commitAll(room.repo, 'other');
    git(room.repo, 'checkout', '-q', 'main');
    writeFiles(room.repo, { 'value.txt': 'mine\n' });
    commitAll(room.repo, 'mine');
    assert.throws(() => git(room.repo, 'merge', 'other'));
    const before = repositoryFingerprint(room.repo);
    assert.equal((await worked(room.repo)).status, 'verified');
    assert.deepEqual(repositoryFingerprint(room.repo), before);
  });

  const refused: [string, (room: WholeRoom) => string, RegExp][] = [
    [
      'without a commit',
      ({ folder }) => {
        const repo = folder.call(room, 'empty');
        git(repo, 'init', '-q');
        return repo;
      },
      /has no commit yet/,
    ],
    [
      'that is bare',
      ({ repo, top }) => {
        git(top, 'clone', '-q', '--bare', repo, 'bare.git');
        return path.join(top, 'bare.git');
      },
      /is a bare repository/,
    ],
    ['that is none', (given) => given.folder('plain'), /is not in a git repository/],
    [
      'that is gone',
      (given) => {
        const repo = given.folder('gone');
        execFileSync('rmdir', [repo]);
        return repo;
      },
      /gone/,
    ],
    [
      'with a configuration that is not understood',
      ({ repo }) => {
        writeFiles(repo, { ...sampleFiles, '.airlock/config.yaml': 'checks: {a: [b}\n' });
        commitAll(repo, 'broken');
        return repo;
      },
      /\.airlock\/config\.yaml/,
    ],
  ];
  for (const [title, make, reason] of refused) {
    it(`${title} fails the task before anything is paid for, and the backend is told why`, async () => {
      const task = await worked(make(room));
      assert.equal(task.status, 'failed');
      assert.match(task.reason, reason);
      assert.match(room.backend.api.get('task')?.error ?? '', reason);
      assert.equal(room.model.api.requests.length, 0);
    });
  }
});
