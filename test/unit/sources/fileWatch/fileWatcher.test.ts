import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../../../src/base/clock';
import { FileWatcher, type FileChange } from '../../../../src/sources/fileWatch/fileWatcher';
import { OwnWrites } from '../../../../src/sources/ownWrites';
import { definitionSchema, type FileWatch } from '../../../../src/sources/taskDefinitions/definitionSchema';
import { useTempFolder } from '../tempFolder';

describe('a file watch', () => {
  const folder = useTempFolder();
  let ownWrites: OwnWrites;
  let heard: (readonly FileChange[])[];
  let wake: () => void;
  const watchers: FileWatcher[] = [];

  beforeEach(() => {
    ownWrites = new OwnWrites();
    heard = [];
    wake = () => {};
  });

  afterEach(() => {
    for (const watcher of watchers.splice(0)) watcher.dispose();
  });

  async function start(trigger: object): Promise<void> {
    const { trigger: watch } = definitionSchema.parse({
      name: 'n',
      task: { prompt: 'p' },
      trigger: { type: 'file_watch', debounce: 0.1, ...trigger },
    });
    await new Promise<void>((resolve, reject) => {
      const watcher = new FileWatcher({
        repo: folder.path,
        watch: watch as FileWatch,
        ownWrites,
        clock: systemClock,
        onChange: (changes) => {
          heard.push(changes);
          wake();
        },
        onProblem: (message) => reject(new Error(message)),
        onReady: resolve,
      });
      watchers.push(watcher);
    });
  }

  async function changes(): Promise<readonly FileChange[]> {
    while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return heard.shift() ?? [];
  }

  const write = (file: string, text = 'x'): void => {
    mkdirSync(path.dirname(path.join(folder.path, file)), { recursive: true });
    writeFileSync(path.join(folder.path, file), text);
  };

  it('tells together what was created, modified and deleted below a folder, by its pattern', async () => {
    for (const file of ['src/a.ts', 'src/b.ts', 'src/c.md', 'other/d.ts']) write(file);
    await start({ path: 'src', pattern: '**/*.ts' });
    write('src/c.md', 'not asked for');
    write('other/d.ts', 'elsewhere');
    write('src/deep/er/new.ts');
    write('src/a.ts', 'changed');
    rmSync(path.join(folder.path, 'src/b.ts'));
    const found: string[] = [];
    while (found.length < 3) found.push(...(await changes()).map(({ path: file, event }) => `${event} ${file}`));
    assert.deepEqual(found.sort(), ['created src/deep/er/new.ts', 'deleted src/b.ts', 'modified src/a.ts']);
  });

  it('tells only the events that were asked for', async () => {
    write('a');
    await start({ event: 'created' });
    write('a', 'changed');
    write('b');
    assert.deepEqual(await changes(), [{ path: 'b', event: 'created' }]);
  });

  it('never takes what Airlock wrote, or is writing, for a change, nor what git does', async () => {
    write('docs/TASKS.md', 'one');
    mkdirSync(path.join(folder.path, '.git'));
    await start({});
    write('.git/index');
    write('docs/.TASKS.md.airlock-w-123', 'two');
    renameSync(path.join(folder.path, 'docs/.TASKS.md.airlock-w-123'), path.join(folder.path, 'docs/TASKS.md'));
    await ownWrites.note(path.join(folder.path, 'docs/TASKS.md'));
    write('mine');
    assert.deepEqual(await changes(), [{ path: 'mine', event: 'created' }]);
    write('docs/TASKS.md', 'a person’s');
    assert.deepEqual(await changes(), [{ path: 'docs/TASKS.md', event: 'modified' }]);
  });

  it('works with 10,000 files in the tree', async function () {
    this.timeout(120_000);
    for (let index = 0; index < 100; index += 1)
      mkdirSync(path.join(folder.path, 'src', `${index}`), { recursive: true });
    for (let index = 0; index < 10_000; index += 1)
      writeFileSync(path.join(folder.path, 'src', `${index % 100}`, `${index}.ts`), '');
    await start({ pattern: '**/*.ts' });
    write('src/99/99.ts', 'changed');
    assert.deepEqual(await changes(), [{ path: 'src/99/99.ts', event: 'modified' }]);
  });
});
