import assert from 'node:assert/strict';
import type { ToolDefinition } from '../../../../src/core/engine';
import { personaSchema, type Persona } from '../../../../src/core/persona';
import { taskLimitsSchema, type TaskLimits } from '../../../../src/core/task';
import { launchOf, type Joining } from '../../../../src/engines/claudeCode/launch';
import { serversOf } from '../../../../src/engines/claudeCode/toolBridge';
import { conversationSetup } from '../../../../src/executor/conversationSetup';
import { defaultSettings } from '../../../../src/executor/ports';
import { serverPlan } from '../../../../src/executor/runServers';
import { narrowed } from '../../../../src/executor/runSession';
import { createTools } from '../../../../src/tools/tools';
import { calls, says } from '../../../fakes/messagesApiTurns';
import { contractEngines, EngineRoom } from '../contract/engineRoom';
import { tool } from '../harness';

const never =
  'Task,Agent,WebFetch,WebSearch,Skill,SlashCommand,EnterWorktree,ExitPlanMode,CronCreate,RemoteTrigger,AskUserQuestion';

describe('what Claude Code is started with', () => {
  const tools = createTools();

  /** Its arguments for a persona and a task, by their names; `true` for one without a value. */
  function argumentsOf(
    persona: Partial<Persona> = {},
    limits: Partial<TaskLimits> = {},
    joining: Joining = { kind: 'new' },
  ): Map<string, string | true> {
    const whole = personaSchema.parse({ name: 'someone', ...persona });
    const taskLimits = taskLimitsSchema.parse(limits);
    const maxTurns = taskLimits.maxTurns ?? whole.limits.maxTurns ?? defaultSettings.maxTurns;
    const setup = conversationSetup({ tools }, defaultSettings, narrowed(whole, taskLimits), { model: 'm', maxTurns });
    const servers = serversOf(Object.keys(serverPlan(whole, { limits: taskLimits }).servers));
    const { argv } = launchOf({ programPath: '/opt/claude', setup, servers, sessionId: 'the-session', joining });
    const found = new Map<string, string | true>();
    argv.forEach((word, at) => {
      const next = argv[at + 1];
      if (word.startsWith('-')) found.set(word, next === undefined || next.startsWith('-') ? true : next);
    });
    return found;
  }

  it('is asked of it to speak in lines, to ask before each use, and to load nobody’s settings', () => {
    const found = argumentsOf();
    for (const [name, value] of Object.entries({
      '-p': true,
      '--input-format': 'stream-json',
      '--output-format': 'stream-json',
      '--verbose': true,
      '--permission-prompt-tool': 'stdio',
      '--permission-mode': 'default',
      '--strict-mcp-config': true,
      '--setting-sources': '',
      '--session-id': 'the-session',
    })) {
      assert.equal(found.get(name), value, name);
    }
  });

  it('allows nothing beforehand and has no limit on cost in it, for both are decided outside', () => {
    const found = argumentsOf({ limits: { maxCostUsd: 1 }, approvals: 'unattended' });
    for (const name of ['--allowedTools', '--allowed-tools', '--max-budget-usd', '--dangerously-skip-permissions']) {
      assert.equal(found.has(name), false, name);
    }
  });

  const offered: readonly (readonly [string, Partial<Persona>, Partial<TaskLimits>, string, string])[] = [
    ['a persona that names none', {}, {}, 'Bash,Read,Write,Edit,NotebookEdit,Glob,Grep', never],
    ['a persona’s list', { tools: ['read', 'grep'] }, {}, 'Read,Grep', `Bash,Write,Edit,NotebookEdit,Glob,${never}`],
    [
      'what a task leaves of it',
      { tools: ['bash', 'read'] },
      { tools: ['read', 'edit'] },
      'Read',
      `Bash,Write,Edit,NotebookEdit,Glob,Grep,${never}`,
    ],
    [
      'a workspace that may only be read',
      { workspace: 'read' },
      {},
      'Bash,Read,Glob,Grep',
      `Write,Edit,NotebookEdit,${never}`,
    ],
    [
      'no tool of Claude Code’s',
      { tools: ['ask_user'] },
      {},
      '',
      `Bash,Read,Write,Edit,NotebookEdit,Glob,Grep,${never}`,
    ],
  ];
  for (const [what, persona, limits, expected, denied] of offered) {
    it(`offers and denies tools by ${what}`, () => {
      const found = argumentsOf(persona, limits);
      assert.deepEqual([found.get('--tools'), found.get('--disallowedTools')], [expected, denied]);
    });
  }

  it('has the limit on turns of the task, of the persona, or of the settings', () => {
    assert.deepEqual(
      [
        argumentsOf({ limits: { maxTurns: 7 } }, { maxTurns: 3 }),
        argumentsOf({ limits: { maxTurns: 7 } }),
        argumentsOf(),
      ].map((found) => found.get('--max-turns')),
      ['3', '7', String(defaultSettings.maxTurns)],
    );
  });

  it('names the servers that persona and task leave, as ones that it reaches through its own lines', () => {
    const server = {
      from: 'user' as const,
      server: { type: 'stdio' as const, command: 'x', args: [], env: {}, network: [] },
    };
    const persona = { mcpServers: { docs: server, issues: server }, mcpTools: ['mcp__docs', 'mcp__issues__get'] };
    assert.deepEqual(
      [argumentsOf(persona), argumentsOf(persona, { tools: ['read', 'mcp__docs'] })].map((found) =>
        Object.entries((JSON.parse(String(found.get('--mcp-config'))) as { mcpServers: object }).mcpServers),
      ),
      [
        ['airlock', 'docs', 'issues'].map((name) => [name, { type: 'sdk', name }]),
        ['airlock', 'docs'].map((name) => [name, { type: 'sdk', name }]),
      ],
    );
  });

  it('takes up its session, or begins with another one', () => {
    const resumed = argumentsOf({}, {}, { kind: 'resume', interrupted: false });
    assert.deepEqual([resumed.get('--resume'), resumed.has('--session-id')], ['the-session', false]);
    const forked = argumentsOf({}, {}, { kind: 'fork', from: 'the-other' });
    assert.deepEqual(
      ['--resume', '--fork-session', '--session-id'].map((name) => forked.get(name)),
      ['the-other', true, 'the-session'],
    );
  });
});

for (const kind of contractEngines.filter(({ isClaudeCode }) => isClaudeCode)) {
  describe(`what it is started with has its effect: ${kind.name}`, function () {
    this.timeout(30_000);
    let room: EngineRoom;
    before(function () {
      if (kind.program === undefined) this.skip();
    });
    afterEach(() => room?.close());

    async function offeredWith(tools: readonly ToolDefinition[]): Promise<string[]> {
      room = await EngineRoom.make(kind, () => says('Done.'));
      await (await room.open({ tools })).send('Go');
      const told = room.api.requests[0]?.body.tools as readonly { readonly name: string }[];
      return told.map(({ name }) => name).sort();
    }

    it('the model is offered the tools of the list and no other', async () => {
      assert.deepEqual(await offeredWith([tool('read', true), tool('ask_user', true)]), [
        'Read',
        'mcp__airlock__ask_user',
      ]);
    });

    it('the model is told nothing of tools when there are none', async () => {
      room = await EngineRoom.make(kind, () => says('Done.'));
      await (await room.open({ tools: [] })).send('Go');
      assert.deepEqual(room.api.requests[0]?.body.tools ?? [], []);
    });

    it('a tool that is not offered and is used anyway is not done', async () => {
      room = await EngineRoom.make(kind, ({ index }) =>
        index === 0 ? calls('Bash', { command: 'touch was-here', description: 'x' }, 'toolu_1') : says('A pity.'),
      );
      await (await room.open({ tools: [tool('read', true)] })).send('Go');
      await assert.rejects(room.session.files.read('was-here', { maxBytes: 1 }));
    });

    it('a limit on turns that it comes to by itself is one', async () => {
      room = await EngineRoom.make(kind, ({ index }) =>
        calls('Bash', { command: 'true', description: 'x' }, `toolu_${index}`),
      );
      assert.deepEqual(await (await room.open({ maxTurns: 2 })).send('Go'), { kind: 'turnLimit', turns: 2 });
      assert.equal(room.api.requests.length, 2);
    });

    it('an effort is asked of the model', async function () {
      if (kind.name.includes('fake')) this.skip();
      room = await EngineRoom.make(kind, () => says('Done.'));
      await (await room.open({ model: 'claude-opus-4-6', effort: 'low' })).send('Go');
      assert.match(JSON.stringify(room.api.requests[0]?.body), /"effort":"low"/);
    });
  });
}
