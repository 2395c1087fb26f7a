import assert from 'node:assert/strict';
import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { fakeClaude } from '../fakes/claudePrograms';
import type { EngineChoice } from '../../src/assemble';
import type { FakeTurn, SeenRequest } from '../fakes/messagesApi';
import { calls, says } from '../fakes/messagesApiTurns';
import { mcpScript } from '../fakes/mcpServer';
import { commitAll, writeFiles } from '../unit/workspaces/sampleRepository';
import { modelName, sampleFiles, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

const servers = JSON.stringify({
  near: { command: 'node', args: ['-e', mcpScript], env: { TOKEN: '{{ secret.T }}' } },
});
const asker = `---\ntools: [bash, mcp__near__look]\nmcp_servers: ${servers}\n---\nYou look round.`;

/** Waits, as an agent would with other work, until a tool is there; then calls it, and ends its turn. */
function looksRound(wait: (id: string) => FakeTurn, input = {}): ((request: SeenRequest) => FakeTurn)[] {
  let hasCalled = false;
  return Array.from({ length: 40 }, (_each, index) => (request: SeenRequest): FakeTurn => {
    if (hasCalled) return says('Done.');
    const names = (request.body.tools ?? []).map((tool) => (tool as { name: string }).name);
    hasCalled = names.includes('mcp__near__look');
    return hasCalled ? calls('mcp__near__look', input, 'toolu_look') : wait(`toolu_wait_${index}`);
  });
}

const waits = {
  anthropic: (id: string) => calls('bash', { command: `sleep 0.3 # ${id}` }, id),
  'claude-code': (id: string) => calls('Bash', { command: `sleep 0.3 # ${id}`, description: 'x' }, id),
};

describe('MCP servers of a persona', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make({ ...sampleFiles, '.airlock/personas/theirs.md': asker })));
  afterEach(() => room.close());

  function engine(kind: 'anthropic' | 'claude-code'): EngineChoice {
    const server = {
      credential: { kind: 'apiKey', read: () => Promise.resolve('sk-test-key') },
      baseUrl: room.model.api.baseUrl,
      model: modelName,
    } as const;
    return kind === 'anthropic' ? { kind, ...server } : { kind, ...server, path: fakeClaude, process: 'perRun' };
  }

  const approved: string[] = [];
  const mcp = {
    secret: () => Promise.resolve('very-secret'),
    approved: () => approved,
    privateHosts: () => [],
  };

  for (const kind of ['anthropic', 'claude-code'] as const) {
    it(`are asked by the agent once they are ready, and their secrets stay outside: ${kind}`, async () => {
      const personas = room.folder('personas');
      writeFileSync(path.join(personas, 'mine.md'), asker);
      room.model.plays('Look', ...looksRound(waits[kind]));
      const executor = await room.open({ engine: engine(kind), personas, mcp });
      const used: boolean[] = [];
      executor.onDidAppend((events) => {
        for (const event of events)
          if (event.kind === 'tool.finished' && event.callId.endsWith('toolu_look')) used.push(event.ok);
      });
      const id = await executor.add({ title: 'Look', prompt: 'Look.', persona: 'mine', checks: [] });
      const task = await taskEnded(executor, id);
      assert.equal(task.status, 'unchecked', task.reason);
      const heard = JSON.stringify(room.model.api.requests.at(-1)?.body.messages.at(-1));
      assert.match(heard, /toolu_look.*\\"workspace\\":\[\].*\\"token\\":\\"\(the secret T\)\\"/);
      assert.deepEqual(used, [true]);
      assert.equal(
        JSON.stringify(room.model.api.requests).includes('mcp__near__echo'),
        false,
        'the persona has one tool',
      );
    });
  }

  for (const kind of ['anthropic', 'claude-code'] as const) {
    it(`show the model an image, by the kind that its bytes are: ${kind}`, async () => {
      const personas = room.folder('personas');
      writeFileSync(path.join(personas, 'mine.md'), asker);
      const data = 'R0lGODlhAQABAAAAACw=';
      room.model.plays('Look', ...looksRound(waits[kind], { picture: data }));
      const executor = await room.open({ engine: engine(kind), personas, mcp });
      const id = await executor.add({ title: 'Look', prompt: 'Look.', persona: 'mine', checks: [] });
      assert.equal((await taskEnded(executor, id)).status, 'unchecked');
      const heard = JSON.stringify(room.model.api.requests.at(-1)?.body.messages.at(-1));
      const source = JSON.stringify({ type: 'base64', media_type: 'image/gif', data });
      assert.ok(heard.includes(`{"type":"image","source":${source}}`), heard);
      assert.match(heard, /"see\\n\(image 1: 1 × 1 pixels\)"/);
    });
  }

  it('that the repository brings run only when the user has approved them as they are', async () => {
    room.model.plays('Look', ...looksRound(waits.anthropic));
    const executor = await room.open({ mcp });
    const id = await executor.add({ title: 'Look', prompt: 'Look.', persona: 'theirs', checks: [] });
    const task = await stateFits(executor, ({ tasks, sessions }) => {
      const waiting = tasks.get(id);
      return waiting?.status === 'waiting' && sessions.size === 0 ? waiting : undefined;
    });
    const shown = /“near”.*: ([0-9a-f]{64}) stands for TOKEN="\{\{ secret\.T \}\}" node -e /;
    const digest = shown.exec(task.reason)?.[1] ?? '';
    assert.notEqual(digest, '', task.reason);
    assert.equal(task.mcpServer, digest);
    assert.equal(room.model.api.requests.length, 0, 'nothing was asked');
    approved.push(digest);
    await executor.retry(id);
    const ended = await taskEnded(executor, id);
    assert.deepEqual([ended.status, ended.mcpServer], ['unchecked', undefined]);
  });

  it('of the repository’s .mcp.json that a persona of the user’s names run only when they were approved, too', async () => {
    writeFiles(room.repo, { '.mcp.json': JSON.stringify({ mcpServers: JSON.parse(servers) as unknown }) });
    commitAll(room.repo, 'servers');
    const personas = room.folder('personas');
    writeFileSync(path.join(personas, 'mine.md'), '---\ntools: [bash, mcp__near__look]\n---\nYou look round.');
    room.model.plays('Look', ...looksRound(waits['claude-code']));
    approved.length = 0;
    const executor = await room.open({ engine: engine('claude-code'), personas, mcp });
    const id = await executor.add({ title: 'Look', prompt: 'Look.', persona: 'mine', checks: [] });
    const { reason } = await stateFits(executor, ({ tasks, sessions }) => {
      const waiting = tasks.get(id);
      return waiting?.status === 'waiting' && sessions.size === 0 ? waiting : undefined;
    });
    assert.equal(room.model.api.requests.length, 0, 'nothing was asked');
    approved.push(/([0-9a-f]{64}) stands for/.exec(reason)?.[1] ?? '');
    await executor.retry(id);
    assert.equal((await taskEnded(executor, id)).status, 'unchecked');
    assert.match(JSON.stringify(room.model.api.requests.at(-1)?.body.messages), /toolu_look.*the secret T/);
  });
});
