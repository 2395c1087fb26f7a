import assert from 'node:assert/strict';
import { escapeAttempts } from './escapeAttempts';
import { type JailRoom, openJailRoom } from './jailRoom';

describe('an attempt to get out of a jail', () => {
  let room: JailRoom;

  before(async () => {
    room = await openJailRoom();
  });

  after(() => room.close());

  for (const { class: kind, attempt, script, allowed = '' } of escapeAttempts) {
    it(`${kind}: ${attempt}`, async () => {
      const { stdout, result } = await room.sh(`${script(room)}\ntrue`);
      assert.deepEqual({ got: stdout, breach: result.breach }, { got: allowed, breach: null });
    });
  }
});
