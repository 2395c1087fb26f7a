import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { claudePrograms, fakeClaude, needClaude } from '../../../fakes/claudePrograms';
import { systemClock } from '../../../../src/base/clock';
import { silentLogger } from '../../../../src/base/logger';
import type {
  Conversation,
  ConversationOptions,
  ConversationSetup,
  Engine,
  EnginePlace,
  Prestarted,
} from '../../../../src/core/engine';
import { createClaudeCodeEngine } from '../../../../src/engines/claudeCode/claudeCodeEngine';
import type { ClaudeCodeLimits, ProcessMode } from '../../../../src/engines/claudeCode/engineOptions';
import { type FakeMessagesApi, type FakeTurn, startFakeMessagesApi } from '../../../fakes/messagesApi';
import { calls, says } from '../../../fakes/messagesApiTurns';
import { ProgramSession } from '../../../fakes/programSession';
import { KeepingHost } from '../contract/engineRoom';
import { testKey, tool } from '../harness';

const setup = {
  systemPrompt: 'You are a test.',
  model: 'claude-sonnet-5-5',
  tools: [tool('bash'), tool('ask_user', true)],
  maxTurns: 20,
  maxOutputTokens: 1000,
};

/** A run: a session and a host of its own. */
interface Run extends EnginePlace {
  readonly session: ProgramSession;
  readonly host: KeepingHost;
}

/** One engine, whose conversations may know of each other, and the runs that it has. */
class ModeRoom {
  readonly abort = new AbortController();
  private readonly runs: Run[] = [];
  private readonly open_: Conversation[] = [];

  private constructor(
    readonly api: FakeMessagesApi,
    readonly engine: Engine,
  ) {}

  static async make(
    program: string,
    mode: ProcessMode,
    turns: readonly FakeTurn[],
    limits: Partial<ClaudeCodeLimits> = {},
  ): Promise<ModeRoom> {
    const api = await startFakeMessagesApi(turns);
    const engine = createClaudeCodeEngine({
      ...{ baseUrl: api.baseUrl, defaultModel: setup.model, clock: systemClock, logger: silentLogger },
      credential: { kind: 'authToken', read: () => Promise.resolve(testKey) },
      serverLimits: { firstDelayMs: 5, maxDelayMs: 20 },
      ...{ path: program, searchPath: '', processMode: mode, limits },
    });
    return new ModeRoom(api, engine);
  }

  async run(): Promise<Run> {
    const folder = mkdtempSync(path.join(tmpdir(), 'airlock-engine-'));
    // In jails the workspace is at the same place, too.
    const session = await ProgramSession.create(this.runs[0]?.session.folder);
    session.mounts = (await this.engine.furnish?.(folder)) ?? [];
    const run = { session, folder, host: new KeepingHost() };
    this.runs.push(run);
    return run;
  }

  async prestart({ session, folder }: Run, changes: Partial<ConversationSetup> = {}): Promise<Prestarted> {
    const waiting = await this.engine.prestart?.({ ...setup, ...changes }, { session, folder }, [], this.abort.signal);
    assert.ok(waiting);
    return waiting;
  }

  async open(run: Run, changes: Partial<ConversationOptions> = {}, prestarted?: Prestarted): Promise<Conversation> {
    const { session, folder, host } = run;
    const conversation = await this.engine.open({
      ...{ ...setup, history: [...host.messages], host, signal: this.abort.signal },
      place: { session, folder, ...(prestarted ? { prestarted } : {}) },
      ...changes,
    });
    this.open_.push(conversation);
    return conversation;
  }

  /** The words of a request, as the server got them. */
  asked(index: number): string {
    return JSON.stringify(this.api.requests[index]?.body.messages);
  }

  async close(): Promise<void> {
    this.abort.abort();
    for (const conversation of this.open_) await conversation.close();
    for (const { session, folder } of this.runs) {
      await session.close();
      rmSync(folder, { recursive: true, force: true });
    }
    await this.api.close();
  }
}

for (const [name, program] of claudePrograms) {
  describe(`a Claude Code that is started ahead: ${name} one`, function () {
    this.timeout(60_000);
    let room: ModeRoom;
    before(function () {
      needClaude(this, program);
    });
    afterEach(() => room?.close());

    async function make(...turns: FakeTurn[]): Promise<ModeRoom> {
      return (room = await ModeRoom.make(program ?? '', 'prestarted', turns));
    }

    it('asks the model nothing while it waits, and is the process of the first conversation', async () => {
      await make(says('Hello.'), says('Again.'));
      const run = await room.run();
      const waiting = await room.prestart(run);
      assert.equal(await waiting.doubt(), undefined);
      assert.equal(room.api.requests.length, 0);
      const conversation = await room.open(run, {}, waiting);
      assert.deepEqual(await conversation.send('Hi'), { kind: 'done', text: 'Hello.' });
      assert.deepEqual(await conversation.send('And now?'), { kind: 'done', text: 'Again.' });
      assert.equal(run.session.started.length, 1);
      assert.equal(await waiting.doubt(), 'its Claude Code is in use');
    });

    it('is asked for leave and for the executor’s own tools as any other', async () => {
      await make(
        calls('Bash', { command: 'touch was-here', description: 'x' }, 'toolu_1'),
        calls('mcp__airlock__ask_user', { question: 'Which?' }, 'toolu_2'),
        says('Done.'),
      );
      const run = await room.run();
      const waiting = await room.prestart(run);
      run.host.denial = 'Not with this persona.';
      run.host.tool = () => ({ ok: true, text: 'The blue one.' });
      await (await room.open(run, {}, waiting)).send('Go');
      assert.match(room.asked(1), /Not with this persona\./);
      assert.match(room.asked(2), /The blue one\./);
      await assert.rejects(run.session.files.read('was-here', { maxBytes: 1 }));
      assert.equal(run.session.started.length, 1);
    });

    it('is thrown away for a conversation that is not what it was started for', async () => {
      await make(says('Hello.'));
      const run = await room.run();
      const waiting = await room.prestart(run);
      const conversation = await room.open(run, { systemPrompt: 'You are another test.' }, waiting);
      assert.deepEqual(await conversation.send('Hi'), { kind: 'done', text: 'Hello.' });
      assert.deepEqual(
        run.session.started.map((argv) => argv.join().includes('another test')),
        [false, true],
      );
      assert.equal(run.session.living(), 1);
    });

    it('that has died is a doubt, and another one is started', async () => {
      await make(says('Hello.'));
      const run = await room.run();
      const waiting = await room.prestart(run);
      await run.session.killAll();
      assert.equal(await waiting.doubt(), 'its Claude Code has ended');
      assert.deepEqual(await (await room.open(run, {}, waiting)).send('Hi'), { kind: 'done', text: 'Hello.' });
      assert.equal(run.session.started.length, 2);
    });

    it('that dies in its first exchange is made good by another process with its session', async function () {
      // Only the fake one dies when it is told to.
      if (program !== fakeClaude) this.skip();
      await make(says('Here again.'));
      const run = await room.run();
      const conversation = await room.open(run, {}, await room.prestart(run));
      const end = await conversation.send('fake: exits without result');
      assert.deepEqual(end, { kind: 'done', text: 'Here again.' });
      assert.deepEqual(
        run.session.started.map((argv) => argv.includes('--resume')),
        [false, true],
      );
    });
  });

  describe(`tasks that share their context: ${name} Claude Code`, function () {
    this.timeout(60_000);
    let room: ModeRoom;
    before(function () {
      needClaude(this, program);
    });
    afterEach(() => room?.close());

    async function make(...turns: FakeTurn[]): Promise<ModeRoom> {
      return (room = await ModeRoom.make(program ?? '', 'shared', turns));
    }
    const shop = { sharedContext: 'shop' };

    it('begin with what was said in the last one, in a session of their own, and each pays for itself', async () => {
      await make(
        calls('Bash', { command: 'echo of the first', description: 'x' }, 'toolu_1'),
        says('The first.'),
        says('The second.'),
        says('The second again.'),
        says('The third.'),
      );
      const [first, second, third] = [await room.run(), await room.run(), await room.run()];
      await (await room.open(first, shop)).send('One');
      const conversation = await room.open(second, shop);
      assert.deepEqual(await conversation.send('Two'), { kind: 'done', text: 'The second.' });
      await conversation.send('Two again');
      await (await room.open(third, shop)).send('Three');
      assert.match(room.asked(2), /One.*of the first.*The first\..*A new task begins.*Two/);
      assert.match(room.asked(4), /One.*The first\..*Two.*The second again\..*A new task begins.*Three/);
      assert.deepEqual(
        [first, second, third].map(({ host }) => host.messages.map(({ role }) => role).join(' ')),
        ['user assistant user assistant', 'user assistant user assistant', 'user assistant'],
      );
      assert.deepEqual(
        [first, second, third].map(({ session }) => session.started.length),
        [1, 1, 1],
      );
    });

    it('know nothing of one of another context, and nothing of one that nobody may know of', async () => {
      await make(says('The first.'), says('The second.'), says('The third.'));
      await (await room.open(await room.run(), shop)).send('One');
      await (await room.open(await room.run(), { sharedContext: 'inn' })).send('Two');
      await (await room.open(await room.run())).send('Three');
      assert.equal(/One/.test(room.asked(1) + room.asked(2)), false);
    });

    it('forget it all when they are told to', async () => {
      await make(says('The first.'), says('The second.'));
      await (await room.open(await room.run(), shop)).send('One');
      room.engine.forget?.();
      await (await room.open(await room.run(), shop)).send('Two');
      assert.equal(/One/.test(room.asked(1)), false);
    });

    it('stop at their own limit of turns, whatever was said before', async () => {
      const runs = (id: string): FakeTurn => calls('Bash', { command: 'true', description: 'x' }, id);
      await make(runs('toolu_1'), says('The first.'), runs('toolu_2'), runs('toolu_3'));
      await (await room.open(await room.run(), shop)).send('One');
      const end = await (await room.open(await room.run(), { ...shop, maxTurns: 2 })).send('Two');
      assert.deepEqual(end, { kind: 'turnLimit', turns: 2 });
    });

    it('go on after a crash in their own session, and pay for no answer twice', async () => {
      await make(says('The first.'), says('The second.'), says('More.'));
      await (await room.open(await room.run(), shop)).send('One');
      const second = await room.run();
      const conversation = await room.open(second, shop);
      await conversation.send('Two');
      await second.session.killAll();
      await conversation.close();
      assert.deepEqual(await (await room.open(second, shop)).send('And more'), { kind: 'done', text: 'More.' });
      assert.match(room.asked(2), /One.*The first\..*Two.*The second\..*And more/);
      assert.deepEqual(room.api.paidTwice(), []);
    });

    it('begin anew when what was said is not found where it was put', async () => {
      await make(says('The first.'), says('The second.'));
      await (await room.open(await room.run(), shop)).send('One');
      const second = await room.run();
      const files = { ...second.session.files, write: () => Promise.resolve() };
      const forgetful = Object.assign(Object.create(second.session) as ProgramSession, { files });
      const end = await (await room.open(second, { ...shop, place: { ...second, session: forgetful } })).send('Two');
      assert.deepEqual([end, /One/.test(room.asked(1))], [{ kind: 'done', text: 'The second.' }, false]);
    });

    it('begin anew when what was said cannot be put there', async () => {
      await make(says('The first.'), says('The second.'));
      await (await room.open(await room.run(), shop)).send('One');
      const second = await room.run();
      const files = { ...second.session.files, write: () => Promise.reject(new Error('disk full')) };
      const broken = Object.assign(Object.create(second.session) as ProgramSession, { files });
      const end = await (await room.open(second, { ...shop, place: { ...second, session: broken } })).send('Two');
      assert.deepEqual([end, /One/.test(room.asked(1))], [{ kind: 'done', text: 'The second.' }, false]);
    });
  });
}

describe('a Claude Code that is started ahead and cannot be trusted', function () {
  this.timeout(30_000);
  let room: ModeRoom;
  afterEach(() => room?.close());

  it('is a doubt when it begins to work by itself, and asks the model nothing', async () => {
    room = await ModeRoom.make(fakeClaude, 'prestarted', [says('Hello.')]);
    const run = await room.run();
    const systemPrompt = 'fake: begins by itself';
    const waiting = await room.prestart(run, { systemPrompt });
    let doubt: string | undefined;
    while ((doubt = await waiting.doubt()) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(doubt, 'its Claude Code cannot be trusted: it began to work by itself');
    assert.equal(room.api.requests.length, 0);
  });

  it('is not had when it does not get ready, and does not live on', async () => {
    room = await ModeRoom.make(fakeClaude, 'prestarted', [], { readyMs: 1500 });
    const run = await room.run();
    await assert.rejects(room.prestart(run, { systemPrompt: 'fake: never gets ready' }), /not ready after 2 s/);
    assert.equal(run.session.living(), 0);
  });

  it('is a doubt when the program was updated since', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'airlock-claude-'));
    const program = path.join(folder, 'claude');
    const put = (version: string): void => {
      const script = `#!/bin/sh\n[ "$1" = --version ] && echo "${version} (Claude Code)" && exit\nexec ${fakeClaude} "$@"\n`;
      writeFileSync(program, script, { mode: 0o755 });
    };
    put('2.1.200');
    room = await ModeRoom.make(program, 'prestarted', []);
    const run = await room.run();
    const waiting = await room.prestart(run);
    assert.equal(await waiting.doubt(), undefined);
    put('2.1.201');
    await room.engine.furnish?.(run.folder);
    assert.equal(await waiting.doubt(), 'Claude Code is another version now');
    rmSync(folder, { recursive: true, force: true });
  });

  it('is none where the setting does not want one', async () => {
    room = await ModeRoom.make(fakeClaude, 'perRun', []);
    const { session, folder } = await room.run();
    assert.equal(await room.engine.prestart?.(setup, { session, folder }, [], room.abort.signal), undefined);
    assert.equal(session.started.length, 0);
  });
});
