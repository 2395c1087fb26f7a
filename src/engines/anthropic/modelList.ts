/** Which models a server has. Nothing is thought for it, so it costs nothing. */
import { z } from 'zod';
import type { Clock } from '../../base/clock';
import { CancelledError, UserError } from '../../base/errors';
import type { ListedModel } from '../../core/listedModel';
import { type Endpoint, parseEndpoint, readAuthorization, withoutKey } from './endpoint';
import type { ModelCredential } from './engineOptions';
import { createModelClient } from './modelClient';
import { readFailure, type RequestFailure } from './requestFailure';
import { BadAnswerError } from './responseGuard';

export interface ModelListOptions {
  readonly credential: ModelCredential;
  /** As for the engine. Default: Anthropic's own server. */
  readonly baseUrl?: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** For the whole list. */
const patienceMs = 20_000;
/** The largest page that the API gives. Anthropic's own models are on one. */
const modelsPerPage = 1000;
/** A server whose list has no end is listened to so far. */
const maxPages = 20;
const maxPageBytes = 8 * 1024 ** 2;

/** What a page has. Local servers speak OpenAI's list, which has the ids at the same place and nothing else that we need. */
const pageSchema = z.array(
  z.object({
    id: z.string().min(1).max(500),
    display_name: z.string().nullish().catch(null),
    max_input_tokens: z.number().int().positive().nullish().catch(null),
    lifecycle: z.string().nullish().catch(null),
  }),
);

/**
 * The models of a server, in its order, each once.
 * @throws {UserError} `model-key-missing`, `model-key-refused`, `model-unreachable`, …; `model-list-missing` when the server
 * answers and has no list. @throws {CancelledError} when the signal is aborted.
 */
export async function listModels({ credential, baseUrl, clock, signal }: ModelListOptions): Promise<ListedModel[]> {
  const endpoint = parseEndpoint(baseUrl);
  const authorization = await readAuthorization(credential, endpoint);
  const patience = new AbortController();
  const late = new BadAnswerError(`The model server gave no list of its models for ${patienceMs / 1000} s.`);
  const timer = clock.setTimer(patienceMs, () => patience.abort(late));
  const wire = new ListWire();
  try {
    const client = await createModelClient(endpoint, authorization, wire, { firstByteMs: patienceMs });
    const ending = AbortSignal.any([patience.signal, ...(signal ? [signal] : [])]);
    const found = new Map<string, ListedModel>();
    let pages = 0;
    for await (const page of (await client.models.list({ limit: modelsPerPage }, { signal: ending })).iterPages()) {
      for (const model of modelsOf(page.data)) found.set(model.id, model);
      pages += 1;
      if (pages === maxPages) break;
    }
    return [...found.values()];
  } catch (error) {
    if (signal?.aborted) throw new CancelledError(undefined, { cause: error });
    const failure = readFailure(patience.signal.aborted ? late : (wire.failure ?? error), {
      model: '',
      server: endpoint.baseUrl,
      redact: (text) => withoutKey(text, authorization),
      nowMs: clock.nowMs(),
    });
    throw listError(failure, endpoint);
  } finally {
    timer.dispose();
  }
}

function modelsOf(data: unknown): ListedModel[] {
  const parsed = pageSchema.safeParse(data);
  if (!parsed.success) throw new BadAnswerError('The model server’s list of models is malformed.');
  return parsed.data.map(({ id, display_name: name, max_input_tokens: contextTokens, lifecycle }) => ({
    id,
    name: name?.trim() || id,
    contextTokens: contextTokens ?? null,
    isDeprecated: lifecycle === 'deprecated' || lifecycle === 'retired',
  }));
}

function listError(failure: RequestFailure, { baseUrl }: Endpoint): UserError {
  if (failure.kind === 'transient') return new UserError(failure.code, failure.reason, { retryable: true });
  if (![404, 405, 501].includes(Number(failure.error.facts['status']))) return failure.error;
  return new UserError(
    'model-list-missing',
    `The model server at ${baseUrl} has no list of its models. Name the model as the server knows it (setting “airlock.engine.model”, or ANTHROPIC_MODEL).`,
    { retryable: false },
  );
}

/** `fetch` for the SDK that takes JSON only, and not too much of it. */
class ListWire {
  /** Why the answer was no good, which the SDK would not say. */
  failure: BadAnswerError | undefined;

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init);
    const type = response.headers.get('content-type') ?? 'nothing named';
    if (response.ok && !type.includes('json')) {
      await response.body?.cancel();
      const what = `The model server answered with ${type.slice(0, 100)} instead of a list of models.`;
      throw this.fail(`${what} Look at its address.`);
    }
    if (!response.body) return response;
    let bytes = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          bytes += chunk.byteLength;
          if (bytes > maxPageBytes) controller.error(this.fail('The model server’s list of models is far too long.'));
          else controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted, { status: response.status, headers: response.headers });
  };

  private fail(reason: string): BadAnswerError {
    this.failure ??= new BadAnswerError(reason);
    return this.failure;
  }
}
