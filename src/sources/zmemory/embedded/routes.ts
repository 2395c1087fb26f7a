import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { ChangeAnswer } from '../api';
import {
  acceptBodySchema,
  artifactBodySchema,
  completeBodySchema,
  failBodySchema,
  newTaskBodySchema,
  statusBodySchema,
} from '../wire';
import type { EmbeddedZMemory } from './embeddedZMemory';
import { HttpError } from './httpError';
import { readBody } from './requestBody';

/** Room for an artifact or a long answer. */
const maxBodyBytes = 16 * 1024 * 1024;

export interface RouteAnswer {
  readonly status: number;
  /** `undefined`: no body. */
  readonly body: unknown;
  readonly tag?: string;
}

export type Method = 'GET' | 'POST' | 'PATCH';

interface RouteCall {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly tasks: EmbeddedZMemory;
  /** The id in the path; empty where there is none. */
  readonly id: string;
}

interface Route {
  readonly method: Method;
  readonly pattern: RegExp;
  handle(call: RouteCall): Promise<RouteAnswer>;
}

/** Every call but `/health` and `/tasks/events`. The first that fits counts. */
const routes: readonly Route[] = [
  {
    method: 'GET',
    pattern: /^\/tasks$/,
    handle: async ({ tasks }) => ok({ tasks: tasks.list() }),
  },
  {
    method: 'POST',
    pattern: /^\/tasks$/,
    async handle({ request, tasks }) {
      const [task] = await tasks.create([await readBody(request, newTaskBodySchema, maxBodyBytes)]);
      return { status: 201, body: { success: true, task } };
    },
  },
  { method: 'GET', pattern: /^\/tasks\/pending$/, handle: pending },
  {
    method: 'GET',
    pattern: /^\/tasks\/([^/]+)$/,
    async handle({ id, tasks }) {
      const task = tasks.get(id);
      if (!task) throw unknownTask();
      return ok({ task });
    },
  },
  changeRoute('POST', 'accept', acceptBodySchema, (tasks, id, { agent }) => tasks.accept(id, agent)),
  changeRoute('PATCH', 'status', statusBodySchema, (tasks, id, body) => tasks.setStatus(id, body)),
  changeRoute('POST', 'complete', completeBodySchema, (tasks, id, body) => tasks.complete(id, body)),
  changeRoute('POST', 'fail', failBodySchema, (tasks, id, body) => tasks.fail(id, body)),
  changeRoute('POST', 'artifacts', artifactBodySchema, (tasks, id, body) => tasks.addArtifact(id, body)),
];

/**
 * Answers one call.
 * @throws {HttpError} for everything that is wrong with the request. @throws {UserError} when it cannot be stored.
 */
export async function answerCall(request: IncomingMessage, url: URL, tasks: EmbeddedZMemory): Promise<RouteAnswer> {
  const matching = routes.filter((route) => route.pattern.test(url.pathname));
  const route = matching.find((candidate) => candidate.method === request.method);
  if (!route) {
    if (matching.length > 0)
      throw new HttpError(405, `This path knows ${matching.map((known) => known.method).join(', ')}.`);
    throw new HttpError(404, 'There is no such call.');
  }
  const id = decodeId(route.pattern.exec(url.pathname)?.[1] ?? '');
  return route.handle({ request, query: url.searchParams, tasks, id });
}

async function pending({ request, query, tasks }: RouteCall): Promise<RouteAnswer> {
  const agent = query.get('agent') ?? '';
  const answer = await tasks.pending(agent, request.headers['if-none-match'] ?? null);
  if (answer.kind === 'unchanged') return { status: 304, body: undefined, tag: tasks.tag };
  return { status: 200, body: { tasks: answer.entries }, ...(answer.tag ? { tag: answer.tag } : {}) };
}

function changeRoute<T>(
  method: Method,
  verb: string,
  schema: z.ZodType<T>,
  change: (tasks: EmbeddedZMemory, id: string, body: T) => Promise<ChangeAnswer>,
): Route {
  return {
    method,
    pattern: new RegExp(`^/tasks/([^/]+)/${verb}$`),
    async handle({ request, tasks, id }) {
      const body = await readBody(request, schema, maxBodyBytes);
      if (!tasks.get(id)) throw unknownTask();
      const answer = await change(tasks, id, body);
      if (answer.kind === 'refused') throw new HttpError(409, `The task cannot be changed so: ${answer.reason}.`);
      return ok({ success: true, task: tasks.get(id) });
    },
  };
}

function ok(body: unknown): RouteAnswer {
  return { status: 200, body };
}

function unknownTask(): HttpError {
  return new HttpError(404, 'There is no such task.');
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpError(400, 'The path is not well-formed.');
  }
}
