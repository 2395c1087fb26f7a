import assert from 'node:assert/strict';
import { claudePrograms, needClaude } from '../fakes/claudePrograms';
import type { EngineChoice } from '../../src/assemble';
import { calls, says } from '../fakes/messagesApiTurns';
import type { WholeCommand } from '../fakes/wholeCommand';
import { resultFile, runOf, sampleCheck, stateFits, taskEnded, taskReported, WholeRoom } from '../fakes/wholeRoom';
import { commitAll, writeFiles } from '../unit/workspaces/sampleRepository';

/** Asks for a dearer model, in words that fit between single quotes. */
const hostileRequest = `
const r = require("http").request({ socketPath: process.env.ANTHROPIC_UNIX_SOCKET, method: "POST", path: "/v1/messages" }, (a) => {
  let t = ""; a.on("data", (d) => (t += d)); a.on("end", () => console.log("ANSWER", a.statusCode, t));
});
r.end(JSON.stringify({ model: "claude-opus-5-5", max_tokens: 9, messages: [{ role: "user", content: "Hi" }] }));`.replaceAll(
  '\n',
  ' ',
);

const mending = [
  calls('Bash', { command: 'cat value.txt', description: 'look' }, 'toolu_look'),
  calls('Bash', { command: 'echo right > value.txt', description: 'mend' }, 'toolu_mend'),
  says('Mended.'),
];

for (const [name, program] of claudePrograms) {
  describe(`the whole way with ${name} Claude Code`, () => {
    let room: WholeRoom;

    before(function () {
      needClaude(this, program);
    });
    beforeEach(async () => (room = await WholeRoom.make()));
    afterEach(() => room?.close());

    const work = (...args: string[]): WholeCommand =>
      room.work('--json', '--engine', 'claude-code', '--claude', program ?? '', ...args);

    const engine = (): EngineChoice => room.claudeCode(program);

    it('thinks for the persona that names it, while the loop of our own thinks for the others', async () => {
      writeFiles(room.repo, { '.airlock/personas/clerk.md': '---\nengine: claude-code\n---\nYou are the clerk.' });
      commitAll(room.repo, 'a clerk');
      room.model.plays('Mend the value', ...mending);
      room.model.plays('Say hello', says('Hello.'));
      await room.queues({ id: 'mend', description: 'Mend the value', context: { persona: 'clerk' } });
      await room.queues({ id: 'hello', description: 'Say hello' });
      const executor = await room.open({ otherEngines: [engine()] });
      await taskReported(executor, 'mend');
      await taskReported(executor, 'hello');
      assert.deepEqual([runOf(executor, 'mend').engine, runOf(executor, 'hello').engine], ['claude-code', 'anthropic']);
    });

    it('works a task off from the queue to verified, and adds the key outside', async () => {
      room.model.plays('Mend the value', ...mending);
      await room.queues({ id: 'mend', description: 'Mend the value', context: { checks: [sampleCheck] } });
      const executor = await room.open({ engine: engine() });
      const used: string[] = [];
      executor.onDidAppend((events) => {
        for (const event of events) if (event.kind === 'tool.finished') used.push(`${event.callId} ${event.ok}`);
      });
      const task = await taskReported(executor, 'mend');
      const run = runOf(executor, 'mend');
      assert.deepEqual(
        { status: task.status, engine: run.engine, value: resultFile(room, run.branch ?? '', 'value.txt') },
        { status: 'verified', engine: 'claude-code', value: 'right' },
      );
      assert.deepEqual(used, ['own/toolu_look true', 'own/toolu_mend true']);
      assert.deepEqual(run.usage, {
        inputTokens: 300,
        outputTokens: 60,
        cacheWrite5mTokens: 0,
        cacheWrite1hTokens: 0,
        cacheReadTokens: 0,
      });
      assert.deepEqual(
        room.model.api.requests.map(({ headers }) => headers['x-api-key']),
        Array(3).fill('sk-test-key'),
      );
    });

    it('shows the jail neither the key nor any other model nor a network', async () => {
      const attempts = [
        'env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr "\\0" "\\n"; grep -rs "sk-test[-]key" /run /home /opt /workspace; true',
        `node -e '${hostileRequest}'`,
        `(exec 3<>/dev/tcp/127.0.0.1/${new URL(room.model.api.baseUrl).port}) 2>&1; true`,
        'touch /opt/claude-code/x /run/claude-code/api/x 2>&1; true',
      ];
      room.model.plays(
        'Get out',
        ...attempts.map((command, index) => calls('Bash', { command, description: 'x' }, `toolu_${index}`)),
        says('Done.'),
      );
      await room.queues({ id: 'out', description: 'Get out' });
      const executor = await room.open({ engine: engine() });
      await taskReported(executor, 'out');
      const seen = JSON.stringify(room.model.api.requests.at(-1)?.body.messages);
      assert.equal(seen.includes('sk-test-key'), false, 'the key is nowhere');
      assert.match(seen, /ANTHROPIC_API_KEY=none-in-this-sandbox/);
      assert.match(seen, /ANSWER 400 .*may use the model claude-sonnet-5-5 alone/);
      assert.match(seen, /Connection refused/);
      assert.equal([...seen.matchAll(/cannot touch '(?:[^']*)'/g)].length, 2);
      // What the jail asked for beside the agent's own questions reached nobody.
      assert.equal(room.model.api.requests.length, attempts.length + 1);
    });

    for (const moment of ['a tool runs', 'the model is asked'] as const) {
      it(`goes on after a kill while ${moment}, with nothing paid for or done twice`, async () => {
        const isTool = moment === 'a tool runs';
        const wait = isTool ? 'sleep 1.5' : 'true';
        let kill = (): Promise<unknown> => Promise.resolve();
        room.model.plays(
          'Mend the value',
          calls('Bash', { command: `${wait}`, description: 'x' }, 'toolu_wait'),
          async () => {
            if (!isTool) await kill();
            return calls(
              'Bash',
              { command: 'echo right > value.txt; echo done >> log.txt', description: 'x' },
              'toolu_mend',
            );
          },
          says('Mended.'),
        );
        await room.queues({ id: 'mend', description: 'Mend the value', context: { checks: [sampleCheck] } });
        const first = work('--until-idle');
        kill = () => {
          first.kill('SIGKILL');
          return first.exited;
        };
        await first.printed((out) => out.includes(isTool ? 'toolu_wait' : 'tool.finished'));
        if (isTool) await kill();
        await first.exited;
        const end = await work('--until-idle').exited;
        assert.equal(end.code, 0, end.stdout + end.stderr);
        const asked = room.model.api.requests.at(-1)?.body.messages ?? [];
        assert.deepEqual(room.model.api.paidTwice(), []);
        assert.equal(asked.filter((message) => JSON.stringify(message).includes('"tool_use"')).length, 2);
        const branch = /"branch":"(airlock[^"]*)"/.exec(end.stdout)?.[1] ?? '';
        assert.equal(resultFile(room, branch, 'log.txt'), 'done');
        if (isTool) assert.match(JSON.stringify(asked), /interrupted by a restart/);
      });
    }

    it('waits for its user without a jail, over a restart too, and keeps what it claims', async () => {
      const heard: string[] = [];
      const [, mend, done] = mending;
      room.model.plays(
        'Ask',
        calls('mcp__airlock__ask_user', { question: 'Which one?' }, 'toolu_ask'),
        (request) => {
          heard.push(JSON.stringify(request.body.messages));
          return mend ?? says('');
        },
        calls('mcp__airlock__finish', {
          summary: 'It is right.',
          claims: [{ statement: 'Right.', check: sampleCheck }],
        }),
        done ?? says(''),
      );
      const first = await room.open({ engine: engine() });
      const id = await first.add({ title: 'Ask', prompt: 'Ask.', checks: [sampleCheck] });
      const task = await stateFits(first, ({ tasks, sessions }) => {
        const asking = tasks.get(id);
        return asking?.status === 'waiting' && sessions.size === 0 ? asking : undefined;
      });
      assert.equal(task.reason, 'The agent asks: Which one?');
      await first.shutdown();
      const second = await room.open({ engine: engine() });
      await second.answer(id, 'The right one.');
      const ended = await taskEnded(second, id);
      assert.equal(ended.status, 'verified', ended.reason);
      assert.match(heard.join(), /The user answers:\\nThe right one\./);
      assert.deepEqual(room.model.api.paidTwice(), []);
      const bytes = await second.readBlob(runOf(second, id).claims ?? '');
      assert.deepEqual(JSON.parse(Buffer.from(bytes ?? '').toString('utf8')), {
        summary: 'It is right.',
        claims: [{ statement: 'Right.', check: sampleCheck }],
      });
    });

    it('gives a failing check back to the same conversation', async () => {
      room.model.plays('Mend the value', says('It is right already.'), ...mending);
      await room.queues({ id: 'mend', description: 'Mend the value', context: { checks: [sampleCheck] } });
      const executor = await room.open({ engine: engine() });
      assert.equal((await taskReported(executor, 'mend')).status, 'verified');
      assert.deepEqual([runOf(executor, 'mend').rounds, room.model.api.requests.length], [2, 4]);
    });
  });
}
