import type { ServerResponse } from 'node:http';
import { type Disposable, toDisposable } from '../../../base/disposable';
import type { Clock } from '../../../base/clock';
import type { EmbeddedZMemory } from './embeddedZMemory';
import { HttpError } from './httpError';
import type { StoredTask } from './storedTask';

const maxStreams = 64;
/** A reader that lags by more than this is let go of: it can connect again and look. */
const maxLagBytes = 1024 * 1024;
/** Shows both ends that the other is there, and keeps proxies from closing the connection. */
const heartbeatMs = 15_000;

/** `GET /tasks/events`: one server-sent event for every change of a task. */
export class EventStreams implements Disposable {
  private readonly open = new Set<ServerResponse>();
  private readonly following: Disposable;
  private heartbeat: Disposable | undefined;

  constructor(
    tasks: EmbeddedZMemory,
    private readonly clock: Clock,
  ) {
    this.following = tasks.onDidChangeTask(({ task }) => this.send(eventOf(task)));
  }

  /** @throws {HttpError} 503 when there are too many already. */
  serve(response: ServerResponse): void {
    if (this.open.size >= maxStreams) throw new HttpError(503, 'Too many are listening already.');
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    response.write(': listening\n\n');
    this.open.add(response);
    response.on('close', () => this.forget(response));
    this.beat();
  }

  dispose(): void {
    this.following.dispose();
    this.heartbeat?.dispose();
    for (const response of this.open) response.destroy();
    this.open.clear();
  }

  private send(text: string): void {
    for (const response of this.open) {
      if (response.writableLength > maxLagBytes) response.destroy();
      else response.write(text);
    }
  }

  private forget(response: ServerResponse): void {
    this.open.delete(response);
    if (this.open.size > 0) return;
    this.heartbeat?.dispose();
    this.heartbeat = undefined;
  }

  private beat(): void {
    if (this.heartbeat) return;
    const timer = this.clock.setTimer(heartbeatMs, () => {
      this.heartbeat = undefined;
      this.send(': alive\n\n');
      this.beat();
    });
    this.heartbeat = toDisposable(() => timer.dispose());
  }
}

function eventOf({ id, status, agent, progress, updated_at }: StoredTask): string {
  return `event: task\ndata: ${JSON.stringify({ id, status, agent, progress, updated_at })}\n\n`;
}
