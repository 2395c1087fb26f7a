import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock';
import { newId } from '../../src/base/ids';
import { silentLogger } from '../../src/base/logger';
import { implementer } from '../../src/core/builtInPersonas';
import type { Engine } from '../../src/core/engine';
import type { Mount } from '../../src/core/jailPolicy';
import type { Session } from '../../src/core/session';
import type { Workspaces } from '../../src/core/workspace';
import { defaultSettings } from '../../src/executor/ports';
import { WarmSessions } from '../../src/executor/warmSessions';
import { LocalWarmMaker, type WarmPorts, type WarmStart, type WarmWish } from '../../src/executor/warmStart';
import { createJails, type LocalJails } from '../../src/jail/jails';
import { createSessions } from '../../src/sessions/sessions';
import { createWorkspaces } from '../../src/workspaces/workspaces';
import { enoughRoom, MemoryLog } from '../fakes/memoryLog';
import { commitAll, git, makeRepository, writeFiles } from '../unit/workspaces/sampleRepository';
import { patient, words } from './sessionsFixture';

/** Sessions that wait, in real jails on real checkouts. */
class WarmFixture {
  readonly top = realpathSync(mkdtempSync(join(tmpdir(), 'airlock-warm-')));
  readonly storage = join(this.top, 'storage');
  readonly repo: string;
  readonly events = new MemoryLog(systemClock);
  readonly sessions;
  readonly maker: LocalWarmMaker;
  readonly warm: WarmSessions;
  readonly workspaces: Workspaces;
  engineMounts: readonly Mount[] = [];
  readonly wish: WarmWish;

  constructor(private readonly jails: LocalJails) {
    this.sessions = createSessions({ jails });
    const { events, sessions, storage } = this;
    this.repo = makeRepository(join(this.top, 'shop'), {
      'value.txt': 'right\n',
      'src/main.txt': 'main\n',
      '.gitignore': 'ignored/\n',
    });
    const ports: WarmPorts = {
      events,
      jails,
      sessions,
      workspaces: (this.workspaces = createWorkspaces({ jails, storage })),
      // Only what a program of its own in the jail would be given.
      engine: { furnish: () => Promise.resolve(this.engineMounts) } as unknown as Engine,
      tools: [],
      runFolder: (runId) => join(storage, 'runs', runId),
      sessionFolder: (runId, sessionId) => join(storage, 'runs', runId, 'session', sessionId),
      engineFolder: (runId) => join(storage, 'runs', runId, 'engine'),
      logger: silentLogger,
    };
    this.maker = new LocalWarmMaker(ports, { ...defaultSettings, maxDependencyBytes: 1024 ** 3 });
    const pool = { clock: systemClock, logger: silentLogger, room: enoughRoom };
    this.warm = new WarmSessions(pool, { warmSessions: 1, concurrency: 2 }, this.maker, {
      freeBytes: () => 8 * 1024 ** 3,
      isBusy: () => false,
    });
    this.wish = { repo: this.repo, persona: implementer, wallMs: 60_000 };
  }

  prepare(): Promise<WarmStart> {
    return this.maker.prepare(this.wish, new AbortController().signal);
  }

  get runs(): string[] {
    const folder = join(this.storage, 'runs');
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  async dispose(): Promise<void> {
    await this.warm.shutdown();
    await this.sessions.shutdown();
    await this.jails.remove(this.storage);
    rmSync(this.top, { recursive: true, force: true });
  }
}

async function output(session: Session, command: string): Promise<string> {
  return words(await session.exec(command, patient)).stdout;
}

describe('a session that was prepared ahead', () => {
  const jails = createJails();
  let fixture: WarmFixture;

  beforeEach(() => {
    fixture = new WarmFixture(jails);
  });

  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  it('is a proven jail on a fresh checkout, and is proven again when it is claimed', async () => {
    fixture.warm.expect(fixture.wish);
    while (fixture.warm.size === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const claimed = await fixture.warm.claim(fixture.wish);
    assert.ok(claimed);
    const { session, workspace, runId } = claimed;
    assert.deepEqual(fixture.events.kinds, ['session.warming', 'session.warmed']);
    assert.equal(fixture.events.state.warm.get(runId)?.sessionId, session.id);
    assert.equal(session.proof.proven, true);
    assert.equal(await output(session, 'cat value.txt; git status --porcelain; pwd'), 'right\n/workspace\n');
    assert.equal((await workspace.snapshot('now')).tree, workspace.baseTree);
    assert.equal(await fixture.warm.claim(fixture.wish), undefined);
    await fixture.maker.discard(claimed, 'the test is over');
  });

  it('leaves nothing when it is thrown away', async () => {
    const start = await fixture.prepare();
    assert.deepEqual(fixture.runs, [start.runId]);
    await fixture.maker.discard(start, 'nobody came');
    assert.equal(start.session.status, 'closed');
    assert.deepEqual(fixture.runs, []);
    assert.deepEqual(fixture.events.kinds, ['session.warming', 'session.warmed', 'session.discarded']);
    assert.equal(fixture.events.state.warm.size, 0);
  });

  it('leaves nothing when it cannot be prepared', async () => {
    const repo = join(fixture.top, 'empty');
    mkdirSync(repo);
    await assert.rejects(fixture.maker.prepare({ ...fixture.wish, repo }, new AbortController().signal), {
      code: 'not-a-repository',
    });
    assert.deepEqual(fixture.runs, []);
    assert.deepEqual(fixture.events.kinds, ['session.warming', 'session.discarded']);
  });

  it('tells what the user should know as it is when it is claimed', async () => {
    const start = await fixture.prepare();
    assert.deepEqual(start.workspace.notes, []);
    writeFileSync(join(fixture.repo, 'value.txt'), 'not committed\n');
    assert.equal(await fixture.maker.doubt(start), undefined);
    assert.equal(start.workspace.notes.length, 1);
    await fixture.maker.discard(start, 'the test is over');
  });

  it('has the dependencies that are kept already, and runs no setup for itself', async () => {
    writeFiles(fixture.repo, {
      '.airlock/config.yaml': 'setup: mkdir node_modules && echo made > node_modules/x\n',
      'package-lock.json': '{"lockfileVersion": 3}\n',
    });
    commitAll(fixture.repo, 'a setup');
    await assert.rejects(fixture.prepare(), { message: 'Its dependencies are not prepared yet.' });
    assert.deepEqual(fixture.runs, []);
    const first = await fixture.workspaces.create({ runId: newId('run'), repo: fixture.repo });
    const made = await first.prepare(first.baseTree, { allowedDomains: [], maxKeptBytes: 1024 ** 3 });
    assert.equal(made.kind, 'ready');
    const start = await fixture.prepare();
    assert.equal(await fixture.maker.doubt(start), undefined);
    assert.equal(await output(start.session, 'cat node_modules/x'), 'made\n');
    await fixture.maker.discard(start, 'the test is over');
    if (made.kind === 'ready') made.dependencies.release();
  });

  const doubts: Record<string, { readonly words: RegExp; readonly cause: (start: WarmStart) => Promise<unknown> }> = {
    'a file was changed': {
      words: /^value\.txt is not as it was checked out$/,
      cause: ({ session }) => session.files.write('value.txt', Buffer.from('wrong\n')),
    },
    'a file was changed and put back': {
      words: /^value\.txt is not as it was checked out$/,
      cause: ({ session }) => session.files.write('value.txt', Buffer.from('right\n')),
    },
    'a file is there that git ignores': {
      words: /^ignored\/planted is not as it was checked out$/,
      cause: ({ session }) => session.files.write('ignored/planted', Buffer.from('x')),
    },
    'a file is gone': {
      words: /^src\/main\.txt is not as it was checked out$/,
      cause: ({ session }) => session.exec('rm src/main.txt', patient),
    },
    'a process runs that was not there': {
      words: /^\d+ processes run in it that were not there when it was proven$/,
      cause: ({ session }) => session.exec('setsid sleep 600 >/dev/null 2>&1 &', patient),
    },
    'the repository has another commit': {
      words: /^the base is another commit$/,
      cause: async () => git(fixture.repo, 'commit', '-q', '--allow-empty', '-m', 'next'),
    },
    'its policy would be another one': {
      words: /^its policy would be another one now$/,
      cause: async () => (fixture.engineMounts = [{ from: '/usr/bin', at: '/run/more', access: 'read' }]),
    },
    'its session has ended': {
      words: /^it is closed$/,
      cause: ({ session }) => session.close('for the test'),
    },
    'something in it asked for the network': {
      words: /^something in its jail asked for the network$/,
      cause: async ({ connections }) => (connections.untold += 1),
    },
  };

  for (const [what, { words: expected, cause }] of Object.entries(doubts)) {
    it(`is not used when ${what}`, async () => {
      const start = await fixture.prepare();
      await cause(start);
      assert.match((await fixture.maker.doubt(start)) ?? 'no doubt', expected);
      await fixture.maker.discard(start, 'the test is over');
      assert.deepEqual(fixture.runs, []);
    });
  }
});
