import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WholeCommand } from '../fakes/wholeCommand';
import { removeTop } from '../fakes/wholeRoom';
import { randomFrom } from './killPoints';

const kills = 8;

/** A client that does what a worker does, one task after another, and keeps what was acknowledged. */
class Client {
  readonly acknowledged = new Map<string, string>();

  constructor(
    private readonly name: string,
    private readonly server: { readonly url: string; readonly token: string },
  ) {}

  /** Ends when the server is gone. */
  async work(): Promise<void> {
    for (let number = this.acknowledged.size; ; number += 1) {
      const id = `${this.name}-${number}`;
      try {
        await this.change(id, 'pending', 'POST', '/tasks', { id, description: id });
        await this.change(id, 'accepted', 'POST', `/tasks/${id}/accept`, { agent: this.name });
        await this.change(id, 'in_progress', 'PATCH', `/tasks/${id}/status`, { status: 'in_progress', progress: 50 });
        const failed = { error: 'sorry', failed_at: new Date().toISOString() };
        await this.change(id, 'failed', 'POST', `/tasks/${id}/fail`, failed);
      } catch (error) {
        if (error instanceof TypeError) return;
        throw error;
      }
    }
  }

  private async change(id: string, status: string, method: string, called: string, body: unknown): Promise<void> {
    const { url, token } = this.server;
    const answer = await fetch(url + called, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, `${called}: ${answer.status}`);
    await answer.text();
    this.acknowledged.set(id, status);
  }
}

const order = ['pending', 'accepted', 'in_progress', 'failed'];

describe('the embedded ZMemory server, killed in the middle of changes', () => {
  it('has after each start everything that it had acknowledged', async function () {
    this.timeout(120_000);
    const top = mkdtempSync(path.join(tmpdir(), 'airlock-zmemory-'));
    const random = randomFrom(3);
    const acknowledged = new Map<string, string>();
    try {
      for (let round = 0; round < kills; round += 1) {
        const command = WholeCommand.start(['zmemory', '--storage', top]);
        await command.printed((text) => text.includes('Press Ctrl-C'));
        const url = /ZMemory serves (\S+)/.exec(command.stdout)?.[1] ?? '';
        const token = readFileSync(path.join(top, 'zmemory', 'token'), 'utf8').trim();
        const listed = await fetch(`${url}/tasks`, { headers: { authorization: `Bearer ${token}` } });
        const { tasks } = (await listed.json()) as { tasks: { id: string; status: string }[] };
        assertNothingLost(acknowledged, new Map(tasks.map(({ id, status }) => [id, status])));
        const clients = ['a', 'b', 'c', 'd'].map((name) => new Client(`${name}${round}`, { url, token }));
        const working = Promise.all(clients.map((client) => client.work()));
        const timer = setTimeout(() => command.kill('SIGKILL'), 100 + random() * 400);
        await working;
        clearTimeout(timer);
        await command.exited;
        for (const client of clients) for (const [id, status] of client.acknowledged) acknowledged.set(id, status);
      }
      assert.ok(acknowledged.size > kills, `${acknowledged.size} tasks`);
    } finally {
      removeTop(top);
    }
  });
});

/** What was acknowledged is there; what was under way may have gone one step further. */
function assertNothingLost(acknowledged: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): void {
  for (const [id, status] of acknowledged) {
    const steps = order.indexOf(found.get(id) ?? 'missing') - order.indexOf(status);
    assert.ok(steps === 0 || steps === 1, `${id} was ${status} and is ${found.get(id) ?? 'missing'}`);
  }
}
