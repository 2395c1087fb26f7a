import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fakeClaude } from '../../../fakes/claudePrograms';
import { findClaude } from '../../../../src/engines/claudeCode/claudeProgram';
import type { FakeTurn } from '../../../fakes/messagesApi';
import { keyRefused, says } from '../../../fakes/messagesApiTurns';
import { type ContractEngine, EngineRoom } from '../contract/engineRoom';

const kind: ContractEngine = { name: 'fake', program: fakeClaude, isClaudeCode: true };

describe('the traps of Claude Code', function () {
  this.timeout(30_000);
  let room: EngineRoom;
  afterEach(() => room?.close());

  async function plays(...turns: (FakeTurn | (() => FakeTurn))[]): Promise<EngineRoom> {
    room = await EngineRoom.make(kind, ({ index }) => {
      const turn = turns[index] ?? says('more than was asked for');
      return typeof turn === 'function' ? turn() : turn;
    });
    return room;
  }

  /** How its processes joined its session. */
  function joinings(): string[] {
    return room.session.started.map((argv) => (argv.includes('--resume') ? 'resume' : 'new'));
  }

  it('a success that is an error is an error that may pass', async () => {
    await plays(says('Fine.'));
    await assert.rejects((await room.open()).send('fake: succeeds with an error'), {
      code: 'claude-code-failed',
      message: 'Claude Code ended its turn with an error: API Error: something',
      facts: { subtype: 'success', retryable: true },
    });
  });

  it('an exit without a result is made good by another process with the same session', async () => {
    await plays(says('Here again.'));
    const end = await (await room.open()).send('fake: exits without result');
    assert.deepEqual([end, joinings()], [{ kind: 'done', text: 'Here again.' }, ['new', 'resume']]);
    assert.match(room.host.noticesOf('warning')[0]?.text ?? '', /ended without a result/);
  });

  it('a silence is ended, and made good by another process', async () => {
    await plays(says('Here again.'));
    const end = await (await room.open({}, { silenceMs: 300 })).send('fake: falls silent');
    assert.deepEqual([end, joinings()], [{ kind: 'done', text: 'Here again.' }, ['new', 'resume']]);
    assert.match(room.host.noticesOf('warning')[0]?.text ?? '', /Nothing was heard/);
  });

  it('a silence that comes again and again ends the exchange', async () => {
    await plays();
    const conversation = await room.open({}, { silenceMs: 300, maxRestarts: 0 });
    await assert.rejects(conversation.send('fake: falls silent'), { code: 'claude-code-silent' });
  });

  it('a death with an answer in its hands costs nothing: the answer is given again', async () => {
    await plays(says('Paid once.'));
    const end = await (await room.open()).send('fake: dies with the answer');
    assert.deepEqual([end, room.api.requests.length], [{ kind: 'done', text: 'Paid once.' }, 1]);
    assert.equal(room.host.messages.length, 2);
  });

  for (const trap of ['dies before the tool', 'dies after the tool']) {
    it(`a process that ${trap} does not have it done twice`, async () => {
      await plays(() => room.runs('echo once >> done.txt', 'toolu_1'), says('Done.'));
      assert.deepEqual(await (await room.open()).send(`fake: ${trap}`), { kind: 'done', text: 'Done.' });
      assert.deepEqual(
        room.host.log.filter((line) => line.startsWith('tool ')),
        ['tool toolu_1'],
      );
      assert.equal(room.api.requests.length, 2);
    });
  }

  it('a version that does not say which use of a tool a call belongs to is understood', async () => {
    await plays(() => room.calls('ask_user', { question: 'Which?' }, 'toolu_ask'), says('Done.'));
    assert.deepEqual(await (await room.open()).send('fake: names no use'), { kind: 'done', text: 'Done.' });
    assert.deepEqual(room.host.asked, [['toolu_ask', { question: 'Which?' }]]);
  });

  it('garbage among its lines is said once and harms nothing', async () => {
    await plays(says('Fine.'));
    assert.deepEqual(await (await room.open()).send('fake: says garbage'), { kind: 'done', text: 'Fine.' });
    assert.equal(room.host.noticesOf('warning').length, 1);
  });

  it('a session that is lost is begun anew with the task', async () => {
    await plays(says('One.'), says('Two.'));
    await (await room.open()).send('The task');
    const conversation = await room.crash({
      place: { session: room.session, folder: await freshFolder() },
    });
    assert.deepEqual(await conversation.send('And more'), { kind: 'done', text: 'Two.' });
    const asked = JSON.stringify(room.api.requests[1]?.body.messages);
    assert.match(asked, /The task.*in the workspace.*And more/);
    assert.deepEqual(joinings(), ['new', 'resume', 'new']);
  });

  it('with a process for each exchange the session goes on from one to the next', async () => {
    await plays(says('One.'), says('Two.'));
    const conversation = await room.open({}, {}, 'perExchange');
    await conversation.send('First');
    assert.deepEqual(await conversation.send('Second'), { kind: 'done', text: 'Two.' });
    assert.match(JSON.stringify(room.api.requests[1]?.body.messages), /First.*One\..*Second/);
    assert.deepEqual(joinings(), ['new', 'resume']);
  });

  it('a success in the middle of its work is none: another process goes on', async () => {
    await plays(() => room.runs('true', 'toolu_1'), says('Now I am done.'));
    const end = await (await room.open()).send('fake: stops midway');
    assert.deepEqual([end, joinings()], [{ kind: 'done', text: 'Now I am done.' }, ['new', 'resume']]);
    assert.match(room.host.noticesOf('warning')[0]?.text ?? '', /stopped in the middle of its work/);
  });

  it('a cost that it adds up over its turns counts for nothing: each request is counted by what the server says', async () => {
    await plays(says('One.'), says('Two.'));
    const conversation = await room.open();
    await conversation.send('fake: costs a fortune');
    await conversation.send('Again');
    assert.deepEqual(
      room.host.messages.flatMap(({ usage }) => (usage ? [[usage.inputTokens, usage.outputTokens]] : [])),
      [
        [100, 20],
        [100, 20],
      ],
    );
    assert.equal(JSON.stringify([room.host.messages, room.host.log]).includes('87654321'), false);
  });

  it('one that does not end when its input ends is killed, and the next exchange goes on', async () => {
    await plays(says('One.'), says('Two.'));
    const conversation = await room.open({}, {}, 'perExchange');
    await conversation.send('fake: never ends');
    assert.equal(room.session.living(), 0);
    assert.deepEqual(await conversation.send('Second'), { kind: 'done', text: 'Two.' });
    assert.deepEqual(joinings(), ['new', 'resume']);
  });

  it('one that hangs and no longer reads is a silence, and made good by another process', async () => {
    await plays(says('Here again.'));
    const end = await (await room.open({}, { silenceMs: 300 })).send('fake: closes its input and hangs');
    assert.deepEqual([end, joinings()], [{ kind: 'done', text: 'Here again.' }, ['new', 'resume']]);
    assert.equal(room.session.living(), 1);
  });

  it('one that asks again and again after a refused key gets nobody asked again', async () => {
    await plays(keyRefused(), keyRefused());
    const sent = (await room.open()).send('fake: asks again and again');
    await assert.rejects(sent, { code: 'model-key-refused' });
    assert.deepEqual([room.api.requests.length, room.session.living()], [1, 0]);
  });

  const folders: string[] = [];
  async function freshFolder(): Promise<string> {
    const folder = mkdtempSync(path.join(tmpdir(), 'airlock-engine-'));
    folders.push(folder);
    const engineMounts = await room.furnish(folder);
    room.session.mounts = engineMounts;
    return folder;
  }
  after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));
});

describe('finding Claude Code', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'airlock-claude-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function put(name: string, script: string): string {
    const file = path.join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  it('takes the first on the search path, and tells its version', async () => {
    const file = put('claude', 'echo "2.1.300 (Claude Code)"');
    const found = await findClaude({ path: null, searchPath: `/nonexistent:relative:${folder}` });
    assert.deepEqual(found, {
      version: '2.1.300',
      mount: { from: file, at: '/opt/claude-code/claude', access: 'read' },
      path: '/opt/claude-code/claude',
    });
  });

  it('shows a jail the whole npm package that it is in', async () => {
    put('claude', 'echo "2.1.300 (Claude Code)"');
    writeFileSync(path.join(folder, 'package.json'), '{"name": "@anthropic-ai/claude-code"}');
    const { mount, path: inJail } = await findClaude({ path: null, searchPath: folder });
    assert.equal(mount.from, folder);
    assert.equal(inJail, `${mount.at}/claude`);
  });

  it('says that there is none', async () => {
    await assert.rejects(findClaude({ path: null, searchPath: folder }), { code: 'claude-code-missing' });
    await assert.rejects(findClaude({ path: path.join(folder, 'no'), searchPath: '' }), {
      code: 'claude-code-missing',
    });
    await assert.rejects(findClaude({ path: folder, searchPath: '' }), { code: 'claude-code-missing' });
  });

  it('refuses an old one, and one that is something else', async () => {
    const old = put('old', 'echo "1.0.128 (Claude Code)"');
    await assert.rejects(findClaude({ path: old, searchPath: '' }), { code: 'claude-code-too-old' });
    const other = put('other', 'echo "GNU claude 3.0.0"');
    await assert.rejects(findClaude({ path: other, searchPath: '' }), { code: 'claude-code-unusable' });
    const broken = put('broken', 'exit 1');
    await assert.rejects(findClaude({ path: broken, searchPath: '' }), { code: 'claude-code-unusable' });
  });
});
