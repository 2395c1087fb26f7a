import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { z } from 'zod';
import { acquireOwnership, ownerInfoSchema } from '../../../src/store/ownership';
import { maxSocketPathBytes, socketPathFor } from '../../../src/store/socketPath';
import { FakeClock } from '../../fakes/clock';
import { newFolder, removeFolders } from './storageFolder';

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('owner'), info: ownerInfoSchema, child: z.number().nullable() }),
  z.object({ kind: z.literal('taken'), owner: ownerInfoSchema.nullable() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
type Message = z.infer<typeof messageSchema>;

const self = { pid: process.pid, startTicks: 1, bootId: 'boot' };

describe('owning a storage folder', function () {
  this.timeout(60_000);
  let programs: string;
  let program: string;
  const children = new Set<ChildProcess>();

  before(async () => {
    programs = await newFolder();
    program = path.join(programs, 'contender.js');
    const entry = path.join(__dirname, 'contender.ts');
    // Plain JavaScript starts in a tenth of the time, and there are many of them.
    await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'cjs' });
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });

  after(removeFolders);

  function start(storage: string, ...how: string[]): { child: ChildProcess; said: Promise<Message> } {
    const child = spawn(process.execPath, [program, storage, ...how], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.add(child);
    const lines = createInterface({ input: child.stdout });
    const said = once(lines, 'line').then(([line]) => messageSchema.parse(JSON.parse(String(line))));
    return { child, said };
  }

  async function kill(child: ChildProcess): Promise<void> {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    children.delete(child);
  }

  it('is given to one of twenty processes that try at once, and the others are told which', async () => {
    const storage = path.join(await newFolder(), 'storage');
    const messages = await Promise.all(Array.from({ length: 20 }, () => start(storage, 'once').said));
    const owners = messages.filter((message) => message.kind === 'owner');
    assert.equal(owners.length, 1);
    const others = messages.filter((message) => message.kind !== 'owner');
    assert.deepEqual(
      others,
      others.map(() => ({ kind: 'taken', owner: owners[0]?.info })),
    );
  });

  it('passes from one killed process to the next, and never to two', async () => {
    const storage = path.join(await newFolder(), 'storage');
    let owner: ChildProcess | undefined;
    let turns = 0;
    const contenders = Array.from({ length: 20 }, () => start(storage, 'until-owner'));
    await Promise.all(
      contenders.map(async ({ child, said }) => {
        const message = await said;
        assert.equal(owner, undefined, 'a second owner beside a living one');
        owner = child;
        turns += 1;
        assert.ok(message.kind === 'owner');
        for (let look = 0; look < 3; look += 1) {
          assert.deepEqual(await acquireOwnership({ storage, process: self }), { kind: 'taken', owner: message.info });
        }
        // Only we end it, so it owns until right before it is killed.
        owner = undefined;
        await kill(child);
      }),
    );
    assert.equal(turns, 20);
  });

  it('stays with an owner that is suspended, however long, and passes on when that one is killed', async () => {
    const storage = path.join(await newFolder(), 'storage');
    const first = start(storage, 'once');
    const message = await first.said;
    assert.ok(message.kind === 'owner');
    first.child.kill('SIGSTOP');
    // No clock has a part in it: the kernel holds the lock for as long as the process is there.
    const clock = new FakeClock();
    await clock.advance(7 * 24 * 3_600_000);
    assert.deepEqual(await acquireOwnership({ storage, process: self, clock }), { kind: 'taken', owner: message.info });
    const next = start(storage, 'until-owner');
    first.child.kill('SIGCONT');
    assert.deepEqual(await acquireOwnership({ storage, process: self, clock }), { kind: 'taken', owner: message.info });
    first.child.kill('SIGSTOP');
    await kill(first.child);
    assert.equal((await next.said).kind, 'owner');
    await kill(next.child);
  });

  it('ends with the process that owns, whatever that one has started', async () => {
    const storage = path.join(await newFolder(), 'storage');
    const first = start(storage, 'once', 'with-child');
    const message = await first.said;
    assert.ok(message.kind === 'owner' && message.child !== null);
    try {
      await kill(first.child);
      assert.ok(process.kill(message.child, 0));
      assert.equal((await start(storage, 'once').said).kind, 'owner');
    } finally {
      process.kill(message.child, 'SIGKILL');
    }
  });

  it('is free again once it is let go, with nothing but the lock file left', async () => {
    const storage = path.join(await newFolder(), 'storage');
    const first = await acquireOwnership({ storage, process: self });
    assert.ok(first.kind === 'owner');
    assert.deepEqual(
      ownerInfoSchema.parse(JSON.parse(await readFile(path.join(storage, 'owner.json'), 'utf8'))),
      first.info,
    );
    assert.deepEqual(await acquireOwnership({ storage, process: self }), { kind: 'taken', owner: first.info });
    await Promise.all([first.release(), first.release()]);
    assert.deepEqual(await readdir(storage), ['owner.lock']);
    const second = await acquireOwnership({ storage, process: self });
    assert.equal(second.kind, 'owner');
    if (second.kind === 'owner') await second.release();
  });

  it('is told apart from the word that a dead owner has left', async () => {
    const storage = path.join(await newFolder(), 'storage');
    const first = start(storage, 'once');
    const dead = await first.said;
    await kill(first.child);
    const left = await readFile(path.join(storage, 'owner.json'), 'utf8');
    const ours = await acquireOwnership({ storage, process: self });
    assert.ok(ours.kind === 'owner' && dead.kind === 'owner');
    // As if our own word were not written yet.
    await writeFile(path.join(storage, 'owner.json'), left);
    const asked = acquireOwnership({ storage, process: self });
    await writeFile(path.join(storage, 'owner.json'), JSON.stringify(ours.info));
    assert.deepEqual(await asked, { kind: 'taken', owner: ours.info });
    await ours.release();
  });

  it('makes the folder private, and takes none of another user', async function () {
    const storage = path.join(await newFolder(), 'storage');
    await mkdir(storage, { mode: 0o755 });
    const ownership = await acquireOwnership({ storage, process: self });
    assert.equal((await stat(storage)).mode & 0o777, 0o700);
    assert.ok(ownership.kind === 'owner');
    assert.equal((await stat(path.join(storage, 'owner.lock'))).mode & 0o777, 0o600);
    await ownership.release();
    if (process.getuid?.() === 0) {
      const { chown } = await import('node:fs/promises');
      await chown(storage, 65534, 65534);
      await assert.rejects(acquireOwnership({ storage, process: self }), { code: 'storage-not-ours' });
    }
  });

  it('says what is missing when there is no flock program', async () => {
    const storage = path.join(await newFolder(), 'storage');
    const { PATH } = process.env;
    process.env['PATH'] = programs;
    try {
      await assert.rejects(acquireOwnership({ storage, process: self }), {
        name: 'UserError',
        code: 'lock-unavailable',
        message: /no `flock` program \(package util-linux\)/,
      });
    } finally {
      process.env['PATH'] = PATH;
    }
  });
});

describe('the path of the socket', () => {
  afterEach(removeFolders);

  it('is the same however the folder is named, and another for another folder', async () => {
    const folder = await newFolder();
    const environment = { XDG_RUNTIME_DIR: folder };
    await mkdir(path.join(folder, 'storage'));
    await symlink(path.join(folder, 'storage'), path.join(folder, 'link'));
    const there = await socketPathFor(path.join(folder, 'storage'), environment);
    assert.match(there, new RegExp(`^${folder}/airlock/[0-9a-f]{32}\\.sock$`));
    assert.equal(await socketPathFor(path.join(folder, 'link'), environment), there);
    assert.notEqual(await socketPathFor(folder, environment), there);
    assert.equal((await stat(path.join(folder, 'airlock'))).mode & 0o777, 0o700);
  });

  it('is in the temporary folder where there is no runtime folder, or one of another user, or one too deep', async () => {
    const folder = await newFolder();
    const deep = path.join(folder, 'd'.repeat(90));
    await mkdir(deep);
    const expected = path.join(folder, `airlock-${process.getuid?.()}`);
    for (const runtime of [undefined, path.join(folder, 'gone'), 'relative', deep]) {
      const file = await socketPathFor(folder, { XDG_RUNTIME_DIR: runtime }, folder);
      assert.equal(path.dirname(file), expected);
      assert.ok(Buffer.byteLength(file) <= maxSocketPathBytes);
    }
    assert.equal((await stat(expected)).mode & 0o777, 0o700);
  });

  it('is never in a folder that others can enter or have put there', async () => {
    const folder = await newFolder();
    const runtime = path.join(folder, `airlock-${process.getuid?.()}`);
    await mkdir(runtime);
    await chmod(runtime, 0o777);
    await assert.rejects(socketPathFor(folder, {}, folder), { name: 'UserError', code: 'runtime-folder-unsafe' });
    await rm(runtime, { recursive: true });
    await mkdir(path.join(folder, 'elsewhere'), { mode: 0o700 });
    await symlink(path.join(folder, 'elsewhere'), runtime);
    await assert.rejects(socketPathFor(folder, {}, folder), { code: 'runtime-folder-unsafe' });
  });
});
