import assert from 'node:assert/strict';
import { needClaude } from '../../../fakes/claudePrograms';
import { CancelledError, UserError } from '../../../../src/base/errors';
import type { ConversationMessage } from '../../../../src/core/engine';
import { noUsage, type TokenUsage } from '../../../../src/core/usage';
import { broken, keyRefused, overloaded, rateLimited, says, stopsWith, text } from '../../../fakes/messagesApiTurns';
import { allowedBetas } from '../../../../src/engines/claudeCode/betas';
import type { FakeScript, FakeTurn } from '../../../fakes/messagesApi';
import { contractEngines, EngineRoom } from './engineRoom';

/** What every engine does, whoever does the thinking. */
for (const kind of contractEngines) {
  describe(`the contract of engines: ${kind.name}`, function () {
    this.timeout(30_000);
    let room: EngineRoom;

    before(function () {
      needClaude(this, kind.program);
    });
    afterEach(() => room?.close());

    /** Each turn is made when it is asked for, for it may need the room. */
    async function plays(...turns: (FakeTurn | (() => FakeTurn))[]): Promise<EngineRoom> {
      const script: FakeScript = ({ index }) => {
        const turn = turns[index];
        if (turn === undefined) throw new Error(`there is no turn ${index}`);
        return typeof turn === 'function' ? turn() : turn;
      };
      room = await EngineRoom.make(kind, script);
      return room;
    }

    /** What was said last in a request. */
    function lastMessage(request: number): string {
      return JSON.stringify(room.api.requests[request]?.body.messages.at(-1));
    }

    it('answers, and keeps what was said and what it used, each request by itself', async () => {
      await plays(says('Hello.'), says('Hello again.'));
      const conversation = await room.open();
      assert.deepEqual(await conversation.send('Hi'), { kind: 'done', text: room.said('Hello.') });
      assert.deepEqual(await conversation.send('And now?'), { kind: 'done', text: room.said('Hello again.') });
      // A script counts by a rule of thumb.
      const used = kind.isScripted ? true : { ...noUsage, inputTokens: 100, outputTokens: 20 };
      const told = (usage: TokenUsage | null): unknown =>
        kind.isScripted && usage ? usage.inputTokens > 0 && usage.outputTokens > 0 : usage;
      assert.deepEqual(
        room.host.messages.map(({ role, usage }) => [role, told(usage)]),
        [
          ['user', null],
          ['assistant', used],
          ['user', null],
          ['assistant', used],
        ],
      );
      assert.deepEqual(room.host.lost, []);
      assert.match(wordsOf(room.host.messages[2]), /And now\?/);
      assert.deepEqual(
        // Claude Code puts words of its own between them.
        room.api.requests[1]?.body.messages.map(({ role }) => role).filter((role) => role !== 'system'),
        ['user', 'assistant', 'user'],
      );
    });

    it('names no feature of the server that could get something out of a jail or cost more', async () => {
      await plays(says('Hello.'));
      await (await room.open()).send('Hi');
      const betas = room.api.requests[0]?.headers['anthropic-beta']?.toString();
      if (!kind.isClaudeCode) return assert.equal(betas, undefined);
      assert.equal(allowedBetas(betas ?? ''), betas);
      assert.match(betas ?? '', /^claude-code-\d+/);
    });

    it('does a tool once and tells the model what it gave', async () => {
      await plays(() => room.runs('echo fine', 'toolu_1'), says('Done.'));
      assert.deepEqual(await (await room.open()).send('Go'), { kind: 'done', text: room.said('Done.') });
      assert.deepEqual([...room.host.results], [[room.idOf('toolu_1'), { ok: true, text: 'fine' }]]);
      assert.match(lastMessage(1), new RegExp(`${room.idOf('toolu_1')}.*fine`));
    });

    it('tells the model why it may not use a tool', async () => {
      await plays(() => room.runs('touch was-here', 'toolu_1'), says('A pity.'));
      room.host.denial = 'Not with this persona.';
      await (await room.open()).send('Go');
      assert.match(JSON.stringify(room.api.requests[1]?.body.messages.at(-1)), /Not with this persona\./);
      await assert.rejects(room.session.files.read('was-here', { maxBytes: 1 }));
    });

    it('has the executor do a tool that is its own', async () => {
      await plays(() => room.calls('ask_user', { question: 'Which?' }, 'toolu_ask'), says('The blue one.'));
      room.host.tool = () => ({ ok: true, text: 'The blue one, please.' });
      assert.deepEqual(await (await room.open()).send('Go'), { kind: 'done', text: room.said('The blue one.') });
      assert.deepEqual(room.host.asked, [[room.idOf('toolu_ask'), { question: 'Which?' }]]);
      assert.match(lastMessage(1), new RegExp(`${room.idOf('toolu_ask')}.*The blue one, please\\.`));
    });

    it('leaves off at a question that is open, and goes on with its answer in another process', async () => {
      await plays(
        () => room.runs('echo before', 'toolu_before'),
        () => room.calls('ask_user', { question: 'Which?' }, 'toolu_ask'),
        says('The blue one.'),
      );
      room.host.tool = ({ name }) => {
        if (name === 'ask_user') throw new UserError('question-open', 'The agent asks: Which?');
        return { ok: true, text: 'before' };
      };
      await assert.rejects((await room.open()).send('Go'), { code: 'question-open' });
      const later = await room.crash();
      room.host.tool = () => ({ ok: true, text: 'The blue one, please.' });
      assert.deepEqual(await later.resume(), { kind: 'done', text: room.said('The blue one.') });
      const asked = [room.idOf('toolu_ask'), { question: 'Which?' }];
      assert.deepEqual(room.host.asked, [asked, asked]);
      assert.deepEqual(room.api.paidTwice(), []);
      assert.match(lastMessage(2), new RegExp(`${room.idOf('toolu_ask')}.*The blue one, please\\.`));
    });

    it('asks again when the server has too much to do, and counts no request twice', async () => {
      await plays(rateLimited(), overloaded(), says('Now.'));
      assert.deepEqual(await (await room.open()).send('Go'), { kind: 'done', text: room.said('Now.') });
      assert.equal(room.host.noticesOf('retrying').length, 2);
      assert.equal(room.host.pauses.length, 2);
      assert.equal(room.host.messages.length, 2);
    });

    it('counts what a broken answer used, and asks again', async () => {
      await plays(broken({ kind: 'end' }), says('Whole.'));
      assert.deepEqual(await (await room.open()).send('Go'), { kind: 'done', text: room.said('Whole.') });
      assert.deepEqual(room.host.lost, [
        { usage: { ...noUsage, inputTokens: 100, outputTokens: 1 }, model: room.model },
      ]);
    });

    it('asks a server that refuses the key only once', async () => {
      await plays(keyRefused());
      await assert.rejects((await room.open()).send('Go'), (error: UserError) => error.code === 'model-key-refused');
      assert.equal(room.api.requests.length, 1);
    });

    it('stops at the limit of turns', async () => {
      await plays(
        () => room.runs('true', 'toolu_1'),
        () => room.runs('true', 'toolu_2'),
      );
      const end = await (await room.open({ maxTurns: 2 })).send('Go');
      assert.deepEqual(end, { kind: 'turnLimit', turns: 2 });
      assert.equal(room.api.requests.length, 2);
    });

    it('sends nothing when there is nothing left to spend', async () => {
      await plays();
      room.host.obstacle = new UserError('budget-spent', 'Nothing is left.');
      await assert.rejects((await room.open()).send('Go'), { code: 'budget-spent' });
      assert.equal(room.api.requests.length, 0);
    });

    it('says that the model refused', async () => {
      await plays(stopsWith('refusal', text('No.')));
      assert.equal((await (await room.open()).send('Go')).kind, 'refused');
    });

    it('ends at once when it is cancelled', async () => {
      await plays(broken({ kind: 'stall' }, 3));
      const sent = (await room.open()).send('Go');
      await room.api.requested(1);
      room.abort.abort();
      await assert.rejects(sent, CancelledError);
      await room.api.settled();
      assert.equal(room.api.requests[0]?.outcome, 'cut');
    });

    it('goes on after a crash with a question that was never answered', async () => {
      await plays(broken({ kind: 'stall' }, 1), says('Here I am.'));
      const sent = (await room.open()).send('Where are you?');
      await room.api.requested(1);
      const again = room.crash();
      await assert.rejects(sent, CancelledError);
      assert.deepEqual(await (await again).resume(), { kind: 'done', text: room.said('Here I am.') });
      assert.match(JSON.stringify(room.api.requests[1]?.body.messages), /Where are you\?/);
    });

    it('goes on after a crash in the middle of a tool, pays for no answer twice and does no tool twice', async () => {
      await plays(() => room.runs('echo once >> done.txt; touch begun; sleep 0.4', 'toolu_1'), says('Done.'));
      const conversation = await room.open();
      const begun = new Promise<void>((resolve) => {
        const begin = room.host.beginOwnTool.bind(room.host);
        room.host.beginOwnTool = async (use) => {
          const leave = await begin(use);
          resolve();
          return leave;
        };
      });
      const sent = conversation.send('Go').catch((error: unknown) => error);
      await begun;
      const next = await room.crash();
      await sent;
      assert.deepEqual(await next.resume(), { kind: 'done', text: room.said('Done.') });
      assert.deepEqual(room.api.paidTwice(), []);
      assert.deepEqual(
        room.host.log.filter((line) => line.startsWith('tool ')),
        [`tool ${room.idOf('toolu_1')}`],
      );
    });

    it('goes on in a conversation that was at rest before a crash', async () => {
      await plays(says('One.'), says('Two.'));
      await (await room.open()).send('First');
      const end = await (await room.crash()).send('Second');
      assert.deepEqual(end, { kind: 'done', text: room.said('Two.') });
      assert.match(JSON.stringify(room.api.requests[1]?.body.messages), /First.*One\..*Second/);
    });
  });
}

function wordsOf(message: ConversationMessage | undefined): string {
  return JSON.stringify(message?.content);
}
