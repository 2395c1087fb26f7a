import { type FakeMessagesApi, type FakeTurn, type SeenRequest, startFakeMessagesApi } from './messagesApi';
import { calls, says } from './messagesApiTurns';

/**
 * What the model does at one place of a conversation: always the same, one thing after another as it is asked again (the last
 * one from then on), or whatever a function says.
 */
export type Step = FakeTurn | readonly FakeTurn[] | ((request: SeenRequest) => FakeTurn | Promise<FakeTurn>);

/** A model that plays a script for each task, known by its title. Its place is the number of answers so far. */
export class WholeModel {
  private readonly scripts = new Map<string, readonly Step[]>();
  private readonly asked = new Map<string, number>();
  private started: FakeMessagesApi | undefined;

  static async start(): Promise<WholeModel> {
    const model = new WholeModel();
    model.started = await startFakeMessagesApi((request) => model.turn(request));
    return model;
  }

  get api(): FakeMessagesApi {
    if (!this.started) throw new Error('the model has not been started');
    return this.started;
  }

  /** What it does for the task of that title. */
  plays(title: string, ...steps: Step[]): void {
    this.scripts.set(title, steps);
  }

  close(): Promise<void> {
    return this.api.close();
  }

  private turn(request: SeenRequest): FakeTurn | Promise<FakeTurn> {
    const title = titleOf(request);
    const place = request.body.messages.filter(({ role }) => role === 'assistant').length;
    const step = this.scripts.get(title)?.[place];
    if (step === undefined) throw new Error(`no step ${place} for the task ${JSON.stringify(title)}`);
    if (typeof step === 'function') return step(request);
    if (!isList(step)) return step;
    const key = `${title}\n${place}`;
    const times = this.asked.get(key) ?? 0;
    this.asked.set(key, times + 1);
    const turn = step[Math.min(times, step.length - 1)];
    if (!turn) throw new Error('a step has at least one turn');
    return turn;
  }
}

function isList(step: Exclude<Step, (request: SeenRequest) => unknown>): step is readonly FakeTurn[] {
  return Array.isArray(step);
}

/** The task that a conversation is about. */
export function titleOf({ body }: SeenRequest): string {
  const [first] = body.messages;
  return /^# Task: (.*)$/m.exec(textOf(first?.content))?.[1] ?? '';
}

/** All text of the last message, tool results included. */
export function lastTextOf({ body }: SeenRequest): string {
  return textOf(body.messages.at(-1)?.content);
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((block: unknown) => {
      if (typeof block !== 'object' || block === null) return '';
      if ('text' in block && typeof block.text === 'string') return block.text;
      return 'content' in block ? textOf(block.content) : '';
    })
    .join('\n');
}

export function runs(command: string, timeoutSeconds?: number): FakeTurn {
  return calls('bash', { command, ...(timeoutSeconds === undefined ? {} : { timeout_seconds: timeoutSeconds }) });
}

export function writes(path: string, content: string): FakeTurn {
  return calls('write', { path, content });
}

/** The work that makes the sample repository's check pass, and a word at its end. */
export const honestWork: readonly Step[] = [writes('value.txt', 'right\n'), says('It is right now.')];
