import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import { ZMemoryClient } from '../../../src/sources/zmemory/client';
import { EmbeddedZMemory } from '../../../src/sources/zmemory/embedded/embeddedZMemory';
import { loadTasks } from '../../../src/sources/zmemory/loadTasks';
import { useTempFolder } from './tempFolder';

describe('the embedded server keeps its tasks', () => {
  const folder = useTempFolder();
  const file = (): string => path.join(folder.path, 'tasks.jsonl');
  const open = (): Promise<EmbeddedZMemory> => EmbeddedZMemory.open(folder.path, systemClock);

  const withTasks = async (...descriptions: string[]): Promise<void> => {
    const tasks = await open();
    for (const description of descriptions) await tasks.create([{ description }]);
    await tasks.close();
  };

  const reopen = async (): Promise<string[]> => {
    const tasks = await open();
    const descriptions = tasks.list().map(({ description }) => description);
    await tasks.close();
    return descriptions;
  };

  it('over a restart, as they were', async () => {
    const tasks = await open();
    const [one] = await tasks.create([{ description: 'One', context: { a: [1, null] }, agent: 'me' }]);
    await tasks.accept(one?.id ?? '', 'me');
    await tasks.addArtifact(one?.id ?? '', { name: 'log', content: 'text' });
    const before = tasks.list();
    const { tag } = tasks;
    await tasks.close();
    const again = await open();
    assert.deepEqual(again.list(), before);
    assert.notEqual(again.tag, tag);
    await again.close();
  });

  for (const [what, tail] of [
    ['a line that was cut', '{"v":1,"tasks":[{"id":"z-x","desc'],
    ['a whole line without its end', '{"v":1,"tasks":[]}'],
    ['zeros', '\0\0\0\0\0\0\0\0'],
  ] as const) {
    it(`when ${what} is left at the end, which it puts aside`, async () => {
      await withTasks('One', 'Two');
      await appendFile(file(), tail);
      assert.deepEqual(await reopen(), ['One', 'Two']);
      assert.equal(await readFile(`${file()}.torn`, 'utf8'), tail);
      await withTasks('Three');
      assert.deepEqual(await reopen(), ['One', 'Two', 'Three']);
    });
  }

  it('untouched when a line in the middle is damaged, and says which', async () => {
    await withTasks('One', 'Two', 'Three');
    const lines = (await readFile(file(), 'utf8')).split('\n');
    const damaged = [lines[0], lines[1]?.replace('"v":1', '"v":x'), lines[2], ''].join('\n');
    await writeFile(file(), damaged);
    await assert.rejects(open(), (error: { code?: string; facts?: { line?: number } }) => {
      assert.deepEqual([error.code, error.facts?.line], ['zmemory-store-damaged', 2]);
      return true;
    });
    assert.equal(await readFile(file(), 'utf8'), damaged);
  });

  it('for one process at a time', async () => {
    const tasks = await open();
    await assert.rejects(open(), { code: 'zmemory-storage-in-use' });
    await tasks.close();
    await (await open()).close();
  });

  it('in a file that does not grow for ever', async () => {
    const tasks = await open();
    const [task] = await tasks.create([{ description: 'One' }]);
    const id = task?.id ?? '';
    await tasks.accept(id, 'me');
    for (let progress = 0; progress < 1_010; progress += 1) {
      await tasks.setStatus(id, { status: 'in_progress', progress: progress % 100 });
    }
    const before = tasks.list();
    await tasks.close();
    const again = await open();
    assert.equal((await readFile(file(), 'utf8')).split('\n').length, 2);
    assert.deepEqual(again.list(), before);
    await again.create([{ description: 'Two' }]);
    await again.close();
    assert.deepEqual(await reopen(), ['One', 'Two']);
  });

  it('all of them or none when several are put in at once', async () => {
    const tasks = await open();
    await assert.rejects(tasks.create([{ description: 'One' }, { description: '' }]), { code: 'task-invalid' });
    await tasks.create([{ description: 'Two' }, { description: 'Three' }]);
    await tasks.close();
    assert.equal((await readFile(file(), 'utf8')).trim().split('\n').length, 1);
  });

  it('once that are put in again under the same id', async () => {
    const tasks = await open();
    const body = { id: 'sample-1', description: 'One' };
    const [first] = await tasks.create([body, body]);
    await tasks.accept('sample-1', 'me');
    const [again] = await tasks.create([{ ...body, description: 'Other' }]);
    assert.deepEqual([first?.status, again?.status, again?.description], ['pending', 'accepted', 'One']);
    assert.equal(tasks.list().length, 1);
    await tasks.close();
  });

  it('when it is killed in the middle of its work: what was answered is there', async () => {
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', path.join(__dirname, 'serverProcess.ts'), folder.path],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
      const { url, token } = JSON.parse(chunk.toString()) as { url: string; token: string };
      const putting = Array.from({ length: 4 }, (_, lane) =>
        putUntilDead(url, token, `${round}-${lane}`, acknowledged),
      );
      const wanted = acknowledged.size + 40;
      while (acknowledged.size < wanted) await new Promise((resolve) => setImmediate(resolve));
      child.kill('SIGKILL');
      await Promise.all([...putting, once(child, 'exit')]);
    }
    const kept = new Set(await reopen());
    assert.deepEqual(
      [...acknowledged].filter((description) => !kept.has(description)),
      [],
    );
  });

  async function putUntilDead(url: string, token: string, name: string, acknowledged: Set<string>): Promise<void> {
    for (let count = 0; ; count += 1) {
      const description = `${name}-${count}`;
      try {
        const response = await fetch(`${url}/tasks`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ description }),
        });
        assert.equal(response.status, 201);
        acknowledged.add(description);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
    }
  }

  it('when the disk is full, and takes more when there is room again', async function () {
    const script = path.join(__dirname, 'fullDiskProcess.ts');
    // A file system of 64 KiB of the child's own: no rights on this machine are needed for it.
    const argv = ['--user', '--map-root-user', '--mount', process.execPath, '--import', 'tsx', script, folder.path];
    const child = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [exitCode] = (await once(child, 'close')) as [number];
    if (chunks.length === 0 && exitCode === 1) {
      console.warn('        skipped: user namespaces are not allowed here');
      this.skip();
    }
    assert.deepEqual(JSON.parse(Buffer.concat(chunks).toString()), {
      codes: ['disk-full', 'disk-full'],
      keptInMemory: true,
      keptOnDisk: true,
      takesMore: true,
    });
  });
});

describe('a file of tasks', () => {
  const folder = useTempFolder();

  const load = async (text: string): Promise<unknown> => {
    const file = path.join(folder.path, 'tasks.json');
    await writeFile(file, text);
    return loadTasks(file);
  };

  it('is a list, or has one under "tasks"', async () => {
    const tasks = [{ description: 'One', context: { checks: ['npm test'] } }, { description: 'Two' }];
    const read = [
      { description: 'One', context: { checks: ['npm test'] } },
      { description: 'Two', context: {} },
    ];
    assert.deepEqual(await load(JSON.stringify(tasks)), read);
    assert.deepEqual(await load(JSON.stringify({ tasks })), read);
  });

  it('is refused in clear words when it is something else', async () => {
    await assert.rejects(load('{'), {
      code: 'task-file-invalid',
      message: /it is not JSON \(.+\)\. Nothing was put in/,
    });
    await assert.rejects(load('{"task": []}'), { code: 'task-file-invalid', message: /no list of tasks/ });
    await assert.rejects(load('[{"description":"One"},{"description":7}]'), {
      code: 'task-file-invalid',
      message: /entry 2, description: /,
    });
    await assert.rejects(loadTasks(path.join(folder.path, 'none.json')), { code: 'task-file-unreadable' });
  });
});

describe('a client and a server in two processes', () => {
  const folder = useTempFolder();

  it('tells a killed server from one that says no', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', path.join(__dirname, 'serverProcess.ts'), folder.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    const { url, token } = JSON.parse(chunk.toString()) as { url: string; token: string };
    const client = new ZMemoryClient({ url, token, clock: systemClock, logger: silentLogger });
    assert.equal((await client.accept('none', 'me')).kind, 'refused');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await assert.rejects(client.accept('none', 'me'), { name: 'SourceUnreachableError' });
    client.dispose();
  });
});
