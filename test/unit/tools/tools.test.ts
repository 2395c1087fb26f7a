import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UserError } from '../../../src/base/errors';
import { toolNames } from '../../../src/core/persona';
import type { ExecResult } from '../../../src/core/session';
import { bashInputTool, bashOutputTool, bashStopTool } from '../../../src/tools/backgroundTools';
import { bashTool } from '../../../src/tools/bashTool';
import { reportProgressTool } from '../../../src/tools/reportProgressTool';
import { createTools } from '../../../src/tools/tools';
import { FolderSession } from './folderSession';

describe('the tools', () => {
  it('are the ones that a persona can name', () => {
    assert.deepEqual(
      createTools().map((tool) => tool.definition.name),
      [...toolNames],
    );
  });

  for (const { definition } of createTools()) {
    it(`${definition.name} tells the model of its input in a JSON schema`, () => {
      const { type, required, properties } = definition.inputSchema as Record<string, unknown>;
      assert.equal(type, 'object');
      assert.ok(Array.isArray(required) && required.length > 0);
      assert.ok(Object.keys(properties as object).length > 0);
    });
  }

  it('say what changes something', () => {
    const changing = createTools().filter((tool) => !tool.definition.readOnly);
    assert.deepEqual(
      changing.map((tool) => tool.definition.name),
      [
        'bash',
        'bash_output',
        'bash_input',
        'bash_stop',
        'write',
        'edit',
        'send_message',
        'read_messages',
        'create_subtasks',
      ],
    );
  });

  it('sum up any input on one line, with nothing unseen in it', () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        for (const tool of createTools()) assert.doesNotMatch(tool.summarize(input), /[\p{Cc}\u202e]/u);
      }),
    );
    assert.equal(bashTool.summarize({ command: 'echo \u202e\nrm -rf x' }), '$ echo <U+202E> rm -rf x');
    assert.equal([...bashTool.summarize({ command: '😀'.repeat(999) })].length, 160);
  });

  describe('on a session', () => {
    let session: FolderSession;
    beforeEach(async () => {
      session = await FolderSession.create();
    });
    afterEach(() => session.close());

    const bash = (command: string, more = {}) => bashTool.run({ command, ...more }, session.context);

    it('bash gives what a command printed', async () => {
      assert.deepEqual(await bash('printf "\\033[31mred\\033[0m\\n"; pwd >/dev/null'), { ok: true, text: 'red' });
      assert.deepEqual(await bash('true'), { ok: true, text: '(no output)' });
    });

    it('bash tells stderr and the exit code of a command that failed', async () => {
      assert.deepEqual(await bash('echo out; echo err >&2; exit 3'), {
        ok: false,
        text: 'out\n[stderr]\nerr\n[exit code 3]',
      });
    });

    it('bash tells which limit a command seems to have failed at', async () => {
      const { exec } = session;
      session.exec = async (...given) => ({
        ...(await exec.apply(session, given)),
        held: { limit: 'openFiles', detail: 'at most 64 open files of one process' },
      });
      assert.equal(
        (await bash('exit 1')).text,
        '[exit code 1]\n[It seems to have met a limit of the sandbox: at most 64 open files of one process. The limit stays: do with less.]',
      );
    });

    it('bash ends a command that takes too long, and says how to do better', async () => {
      const { ok, text } = await bash('echo begun; exec sleep 30', { timeout_seconds: 0.2 });
      assert.equal(ok, false);
      assert.match(text, /^begun\n\[The command was ended after 0\.2 s\..*timeout_seconds/);
    });

    it('bash marks what it left out of a long output', async () => {
      const { text } = await bash('seq 1 100000');
      assert.ok(text.length < 50_000);
      assert.match(text, /^1\n2\n[\s\S]*\n\[\d+ bytes from the middle [^\n]*\]\n[\s\S]*\n100000$/);
    });

    it('bash says that a command took the shell with it', async () => {
      const ended: ExecResult = {
        kind: 'shellEnded',
        exitCode: 0,
        stdout: new Uint8Array(),
        stderr: new Uint8Array(),
        droppedBytes: 0,
        durationMs: 1,
      };
      session.exec = async () => ended;
      const { ok, text } = await bash('exit');
      assert.equal(ok, false);
      assert.match(text, /ended the shell itself/);
    });

    it('bash has no result when the run is ended', async () => {
      const work = bash('sleep 30');
      session.abort.abort();
      await assert.rejects(work, { name: 'CancelledError' });
    });

    it('bash does not hide that the jail is gone', async () => {
      session.exec = async () => {
        throw new UserError('session-closed', 'The jail is gone.');
      };
      await assert.rejects(bash('true'), { code: 'session-closed' });
    });

    it('bash starts a command in the background, and its output, input and end have tools of their own', async () => {
      const asked: unknown[] = [];
      Object.assign(session.background, {
        start: async (command: string) => asked.push(command) && 'b7',
        read: async (id: string, { waitMs }: { waitMs: number }) => {
          asked.push(['read', id, waitMs]);
          return {
            status: { kind: 'ended', exitCode: 3 },
            output: Buffer.from('\x1b[1mready\x1b[0m\n'),
            droppedBytes: 5,
          };
        },
        write: async (id: string, text: string) => void asked.push(['write', id, text]),
        stop: async (id: string) => void asked.push(['stop', id]),
      });
      assert.deepEqual(await bash('npm start', { run_in_background: true }), {
        ok: true,
        text: 'It runs in the background as b7.',
      });
      const end = 'ready\n[5 bytes from the middle were left out.]\n[It has ended with exit code 3.]';
      const { context } = session;
      assert.deepEqual(await bashOutputTool.run({ id: 'b7', wait_seconds: 2 }, context), { ok: true, text: end });
      assert.equal((await bashInputTool.run({ id: 'b7', text: 'q\n' }, context)).ok, true);
      assert.deepEqual(await bashStopTool.run({ id: 'b7' }, context), { ok: true, text: end });
      assert.deepEqual(asked, [
        'npm start',
        ['read', 'b7', 2000],
        ['write', 'b7', 'q\n'],
        ['stop', 'b7'],
        ['read', 'b7', 0],
      ]);
    });

    it('report_progress tells the user, with nothing unseen in it', async () => {
      const report = (input: unknown) => reportProgressTool.run(input, session.context);
      assert.equal((await report({ message: 'half\nway\u202e', percent: 50 })).ok, true);
      assert.equal((await report({ message: 'more' })).ok, true);
      assert.equal((await report({ message: 'too much', percent: 120 })).ok, false);
      assert.deepEqual(session.progress, [
        { message: 'half way<U+202E>', percent: 50 },
        { message: 'more', percent: null },
      ]);
    });
  });
});
