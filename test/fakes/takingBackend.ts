import type { IncomingMessage, ServerResponse } from 'node:http';
import { BadServer, json } from '../unit/sources/badServer';

export interface BackendTask {
  id: string;
  description: string;
  status: string;
  agent: string | null;
  context?: Record<string, unknown>;
}

/**
 * A ZMemory server over real HTTP that takes tasks away again: its tasks are the test's to change. `lose` says for which calls
 * (`POST /tasks/a/accept`) the answer never comes; what was asked is done all the same.
 */
export class TakingBackend {
  readonly tasks = new Map<string, BackendTask>();
  /** What changed a task, in order. */
  readonly changes: string[] = [];
  lose: (line: string) => boolean = () => false;
  private readonly server = new BadServer();

  static async start(...ids: string[]): Promise<TakingBackend> {
    const backend = new TakingBackend();
    for (const id of ids) backend.tasks.set(id, { id, description: id, status: 'pending', agent: null });
    backend.server.handler = (request, response, body) => backend.answer(request, response, body);
    await backend.server.listen();
    return backend;
  }

  get url(): string {
    return this.server.url;
  }

  asked(line: string): number {
    return this.server.requests.filter((request) => request.line === line).length;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  private answer({ method, url = '' }: IncomingMessage, response: ServerResponse, body: string): void {
    const line = `${method} ${url}`;
    const [, id = '', call = ''] = /^\/tasks\/([^/?]+)\/(\w+)$/.exec(url) ?? [];
    const task = this.tasks.get(id);
    if (url.startsWith('/tasks/pending')) {
      json(response, { tasks: [...this.tasks.values()].filter(({ status }) => status === 'pending') });
    } else if (line === 'GET /tasks') {
      json(response, { tasks: [...this.tasks.values()] });
    } else if (!task) {
      json(response, { error: 'unknown' }, 404);
    } else {
      const reason = this.change(task, call, body);
      if (this.lose(line)) return;
      if (reason === undefined) json(response, { success: true, task });
      else json(response, { error: reason }, 409);
    }
  }

  /** As servers in the field do, it looks at the state alone, and not at who asks. */
  private change(task: BackendTask, call: string, body: string): string | undefined {
    if (call === 'accept' ? task.status !== 'pending' : task.status === 'completed' || task.status === 'failed')
      return `it is ${task.status}`;
    const { agent, status } = JSON.parse(body) as { agent?: string; status?: string };
    if (call === 'accept') Object.assign(task, { status: 'accepted', agent });
    else if (call === 'status') task.status = status ?? task.status;
    else task.status = call === 'complete' ? 'completed' : 'failed';
    if (call !== 'status') this.changes.push(`${call} ${task.id}`);
    return undefined;
  }
}
