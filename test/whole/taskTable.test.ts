import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { badRequest } from '../fakes/messagesApiTurns';
import { WholeCommand } from '../fakes/wholeCommand';
import { honestWork } from '../fakes/wholeModel';
import { git } from '../unit/workspaces/sampleRepository';
import { modelName, resultFile, sampleCheck, WholeRoom } from '../fakes/wholeRoom';

describe('a task table, the whole way', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('is worked off row by row, and shows what came of it with all else as it was', async function () {
    this.timeout(120_000);
    const before = [
      '# Tasks\r\n',
      '\r\n',
      '| ID  | Title     | Status      | Priority | Owner   | Notes | Checks |\r\n',
      '|:----|-----------|-------------|---------:|---------|-------|--------|\r\n',
      `| T-1 | Put right | Todo        | P1       |         | ask \\| Bob 😀 | \`${sampleCheck}\` |\r\n`,
      '| T-2 | Not ours  | Todo        | P0       | anna    | |\n',
      '| T-3 | Fail it   | Todo        | P2       |\r\n',
      '| T-4 | Not now   | Todo        | P3       |         |       |\r\n',
      '\r\nThe end',
    ].join('');
    const file = path.join(room.repo, 'docs', 'TASKS.md');
    mkdirSync(path.dirname(file));
    writeFileSync(file, before);
    room.model.plays('Put right', ...honestWork);
    room.model.plays('Fail it', badRequest('not today'));
    const command = WholeCommand.start(
      ['work', '--repo', room.repo, '--storage', room.storage, '--task-file', '--rows', 'P1,T-3', '--until-idle'],
      {
        environment: {
          ANTHROPIC_API_KEY: 'sk-test',
          ANTHROPIC_BASE_URL: room.model.api.baseUrl,
          ANTHROPIC_MODEL: modelName,
        },
      },
    );
    const end = await command.exited;
    const after = readFileSync(file, 'utf8');
    assert.equal(end.code, 1, end.stdout + end.stderr);
    const branch = /branch (airlock\/t-1-[0-9a-f]{8}-1) \(([0-9a-f]{10})\)\]/.exec(after);
    assert.ok(branch?.[1] && branch[2], after);
    assert.equal(resultFile(room, branch[1], 'value.txt'), 'right');
    assert.ok(git(room.repo, 'rev-parse', branch[1]).startsWith(branch[2]));
    const lines = new Map([
      [
        'T-1',
        `| T-1 | Put right | Review      | P1       | airlock | ask \\| Bob 😀 [Airlock: verified, ${branch[0]} | \`${sampleCheck}\` |\r\n`,
      ],
      ['T-3', '| T-3 | Fail it   | Blocked     | P2       | airlock | [Airlock: failed, …] |\r\n'],
    ]);
    assert.deepEqual(
      after.replace(/(\[Airlock: failed, )[^|]*\]/, '$1…]').split(/(?<=\n)/),
      before.split(/(?<=\n)/).map((line) => lines.get(line.slice(2, 5)) ?? line),
    );
  });
});
