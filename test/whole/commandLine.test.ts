import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { keyRefused, says } from '../fakes/messagesApiTurns';
import { builtCommand, eventIn, type CommandEnd, WholeCommand } from '../fakes/wholeCommand';
import { startModelListServer, writeJson } from '../fakes/modelListServer';
import { honestWork, runs, writes } from '../fakes/wholeModel';
import { processesThatName, resultFile, sampleCheck, WholeRoom } from '../fakes/wholeRoom';

describe('the airlock command', () => {
  let room: WholeRoom;

  before(function () {
    this.timeout(60_000);
    // The first one is built here, so that no test waits for it.
    return WholeCommand.start(['--version']).exited;
  });
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  const work = (...args: string[]): WholeCommand => room.work(...args);
  const run = (...args: string[]): Promise<CommandEnd> => room.command(args).exited;

  it('is described in docs/commandLine.md as it describes itself', function () {
    this.timeout(300_000);
    const script = path.resolve(import.meta.dirname, '../../scripts/commandLineReference.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check', `--program=${builtCommand()}`]);
    assert.equal(status, 0, stderr.toString());
  });

  it('works off what there is, tells it line by line, and ends with 0', async () => {
    await room.queues(
      { id: 'one', description: 'One', context: { checks: [sampleCheck] } },
      { id: 'two', description: 'Two' },
    );
    room.model.plays('One', ...honestWork);
    room.model.plays('Two', says('Looked.'));
    const { code, stdout, stderr } = await work('--until-idle').exited;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /one +VERIFIED\n/);
    assert.match(stdout, /^One +verified +airlock\/one-1 +1 +240 +\S+ \$/m);
    assert.match(stdout, /^Two +unchecked +– /m);
    assert.deepEqual(
      room.backend.api.list().map(({ status }) => status),
      ['completed', 'completed'],
    );
  });

  it('prints with --json nothing but events, in order', async () => {
    await room.queues({ id: 'one', description: 'One', context: { checks: [sampleCheck] } });
    room.model.plays('One', ...honestWork);
    const { code, stdout } = await work('--until-idle', '--json').exited;
    const events = stdout.trimEnd().split('\n').map(eventIn);
    assert.equal(code, 0);
    const numbers = events.map(({ seq }) => seq);
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => (numbers[0] ?? 0) + at),
    );
    assert.equal(events.filter(({ kind }) => kind === 'report.acknowledged').length, 1);
  });

  it('ends with 1 when something did not come out well', async () => {
    await room.queues({ id: 'bad', description: 'Bad', context: { checks: ['false'] } });
    room.model.plays('Bad', says('Done.'), says('Done.'));
    const { code, stdout } = await work('--until-idle').exited;
    assert.equal(code, 1);
    assert.match(stdout, /^bad: the agent said done and a check fails: “false”$/m);
  });

  const cannot: [string, () => Promise<CommandEnd>, RegExp][] = [
    [
      'its source does not answer',
      () => room.command(['work', '--zmemory', 'http://127.0.0.1:9', '--until-idle']).exited,
      /does not answer/,
    ],
    ['the folder is no repository', () => run('work', '--repo', room.top, '--until-idle'), /not in a git repository/],
    ['an option is not known', () => run('work', '--fly'), /unknown option/],
    ['a task is not known', () => run('show', 'nothing'), /There is no task nothing/],
  ];
  for (const [title, attempt, words] of cannot) {
    it(`ends with 2 and says why when ${title}`, async () => {
      const { code, stderr } = await attempt();
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
    });
  }

  it('ends with 2 when tasks wait for the user, and goes on with them at the next start', async () => {
    await room.queues({ id: 'key', description: 'Key', context: { checks: [sampleCheck] } });
    room.model.plays('Key', [keyRefused(), writes('value.txt', 'right\n')], says('Done.'));
    const first = await work('--until-idle').exited;
    assert.equal(first.code, 2, first.stderr);
    assert.match(first.stdout, /waits for the user: The model server at \S+ refuses the key/);
    const second = await work('--until-idle').exited;
    assert.equal(second.code, 0, second.stdout);
    assert.equal(room.backend.api.get('key')?.status, 'completed');
  });

  it('lists the models of the server of its environment, in words that hide nothing', async () => {
    const data = [
      { id: 'qwen3:8b', object: 'model' },
      { id: 'odd', display_name: 'Odd\u001b[2J\u202e', max_input_tokens: 32_768, lifecycle: 'deprecated' },
    ];
    const server = await startModelListServer((_, response) => writeJson(response, 200, { data }));
    try {
      const environment = { ANTHROPIC_BASE_URL: server.baseUrl, ANTHROPIC_AUTH_TOKEN: 'sk-test-key' };
      const models = (...args: string[]) => WholeCommand.start(['models', ...args], { environment }).exited;
      const { code, stdout, stderr } = await models();
      assert.equal(code, 0, stderr);
      assert.match(
        stdout,
        /^model +context +name\n[─ ]+\nqwen3:8b +– +qwen3:8b\nodd +32,768 +Odd<U\+001B>\[2J<U\+202E> \(deprecated\)\n$/m,
      );
      assert.match((await models('--json')).stdout, /^\{"id":"qwen3:8b",.*\}\n\{"id":"odd",.*\}\n$/);
    } finally {
      await server.close();
    }
    const gone = await WholeCommand.start(['models'], { environment: { ANTHROPIC_BASE_URL: server.baseUrl } }).exited;
    assert.deepEqual([gone.code, gone.stdout], [2, '']);
    assert.notEqual(gone.stderr, '');
  });

  it('queues, lists, shows and cancels beside a worker, which begins at once', async () => {
    room.model.plays('Mine', ...honestWork);
    room.model.plays('Endless', runs('sleep 600', 600));
    const worker = work('--concurrency', '1');
    await worker.printed((text) => text.includes('the queue is running'));

    const added = await run('add', 'Mine', '--prompt', 'Make it right.', '--check', sampleCheck, '--priority', 'P1');
    const id = added.stdout.trim();
    await worker.printed((text) => new RegExp(`${id} .*VERIFIED`).test(text));
    assert.match((await run('tasks')).stdout, new RegExp(`${id} +P1 +verified +airlock/${id}-1 +Mine`));
    const json = (await run('tasks', '--json')).stdout.trim().split('\n');
    assert.equal(json.length, 1);
    const shown = await run('show', id);
    assert.match(
      shown.stdout,
      /state +verified[^]*on the base: failed \(exit code 1\); on the result: passed[^]*It is right now\./,
    );

    const endless = (await run('add', 'Endless', '--prompt', 'Sleep.')).stdout.trim();
    await worker.printed((text) => text.includes('sleep 600'));
    const cancelled = await run('cancel', endless);
    assert.equal(cancelled.stdout, `${endless} is cancelled.\n`);
    await worker.printed((text) => new RegExp(`${endless} .*CANCELLED`).test(text));
    worker.kill('SIGINT');
    assert.equal((await worker.exited).code, 0);
  });

  it('takes a prompt from a file or the standard input, and queues nothing without one', async () => {
    const file = path.join(room.top, 'prompt.md');
    await writeFile(file, 'Make it right — now.\n');
    const fromFile = (await run('add', 'Filed', '--prompt-file', file)).stdout.trim();
    const fromInput = (
      await room.command(['add', 'Typed', '--prompt-file', '-'], 'Typed: make it right.').exited
    ).stdout.trim();
    assert.match((await run('show', fromFile)).stdout, /Make it right — now\./);
    assert.match((await run('show', fromInput)).stdout, /Typed: make it right\./);
    const refused = await Promise.all([
      run('add', 'None'),
      run('add', 'Gone', '--prompt-file', `${file}.gone`),
      run('add', 'Both', '--prompt', 'x', '--prompt-file', file),
      run('add', 'Blank', '--prompt', ' \n'),
    ]);
    assert.deepEqual(
      refused.map(({ code, stdout }) => [code, stdout]),
      refused.map(() => [2, '']),
    );
    assert.match(
      refused.map(({ stderr }) => stderr).join(''),
      /--prompt-file FILE[^]*prompt\.md\.gone[^]*cannot be used[^]*prompt: it is empty/,
    );
    assert.equal((await run('tasks', '--json')).stdout.trim().split('\n').length, 2);
  });

  it('queues and cancels where nobody works, and the next worker finds it so', async () => {
    room.model.plays('Kept', ...honestWork);
    const kept = (await run('add', 'Kept', '--prompt', 'Make it right.', '--check', sampleCheck)).stdout.trim();
    const dropped = (await run('add', 'Dropped', '--prompt', 'Never.')).stdout.trim();
    await run('cancel', dropped);
    const { code, stdout } = await work('--until-idle').exited;
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`${kept} .*VERIFIED`));
    assert.match((await run('tasks')).stdout, new RegExp(`${dropped} +P2 +cancelled`));
  });

  it('serves other agents without holding the storage: whoever works it works what they queue', async () => {
    room.model.plays('Asked for', ...honestWork);
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [builtCommand(), 'mcp', '--repo', room.repo, '--storage', room.storage],
    });
    const agent = new Client({ name: 'test', version: '1' });
    await agent.connect(transport);
    try {
      const asks = async (name: string, args: Record<string, unknown>): Promise<unknown> => {
        const { content } = await agent.callTool({ name, arguments: args });
        return JSON.parse((content as { text: string }[])[0]?.text ?? '');
      };
      const wanted = { title: 'Asked for', prompt: 'Make it right.', checks: [sampleCheck] };
      const [{ task }] = (await Promise.all([asks('add_task', wanted), asks('list_tasks', {})])) as [
        { task: string },
        unknown,
      ];
      const { code, stderr } = await work('--until-idle').exited;
      assert.deepEqual([code, /following it/.test(stderr)], [0, false], stderr);
      assert.equal(((await asks('get_task', { task })) as { status: string }).status, 'verified');
    } finally {
      await agent.close();
    }
  });

  it('ends in order at Ctrl-C, in the middle of a command, leaves no process, and goes on at the next start', async () => {
    await room.queues({ id: 'long', description: 'Long', context: { checks: [sampleCheck] } });
    room.model.plays('Long', writes('value.txt', 'right\n'), runs('sleep 600', 600), says('Done.'));
    const worker = work();
    await worker.printed((text) => text.includes('sleep 600'));
    worker.kill('SIGINT');
    const { code, stderr } = await worker.exited;
    assert.deepEqual([code, /Ending in order/.test(stderr)], [0, true]);
    assert.deepEqual(await processesThatName(room.storage), []);
    const again = await work('--until-idle').exited;
    assert.equal(again.code, 0, again.stderr);
    assert.equal(room.backend.api.get('long')?.status, 'completed');
    assert.deepEqual(room.model.api.paidTwice(), []);
  });

  it('does not take an interruption for the end of the queue', async () => {
    await room.queues({ id: 'long', description: 'Long', context: { checks: [sampleCheck] } });
    room.model.plays('Long', writes('value.txt', 'right\n'), runs('sleep 600', 600), says('Done.'));
    const worker = work('--until-idle');
    await worker.printed((text) => text.includes('sleep 600'));
    worker.kill('SIGINT');
    const { code, stdout } = await worker.exited;
    assert.deepEqual([code, /^Long +running /m.test(stdout)], [2, true]);
  });

  it('takes over when the worker that it follows is killed, and finishes what that one had begun', async () => {
    await room.queues({ id: 'long', description: 'Long', context: { checks: [sampleCheck] } });
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    room.model.plays(
      'Long',
      runs('echo one >> log.txt'),
      async () => {
        await gate;
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    const owner = work();
    await room.model.api.requested(2);
    const follower = work('--until-idle');
    await follower.printed((_, stderr) => stderr.includes('following it'));
    owner.kill('SIGKILL');
    await owner.exited;
    release();
    const { code, stdout, stderr } = await follower.exited;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Long +verified/m);
    assert.equal(resultFile(room, 'airlock/long-1', 'log.txt'), 'one');
    assert.equal(room.backend.api.get('long')?.status, 'completed');
    assert.deepEqual(await processesThatName(path.join(room.storage, 'runs')), []);
  });
});
