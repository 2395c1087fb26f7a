import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { AirlockEvent } from '../../src/core/events';
import { says } from '../fakes/messagesApiTurns';
import type { SeenRequest } from '../fakes/messagesApi';
import { type BackendFault, type SeenCall, WholeBackend } from '../fakes/wholeBackend';
import { eventIn, WholeCommand } from '../fakes/wholeCommand';
import { runs, titleOf, writes } from '../fakes/wholeModel';
import { agentName, modelName, processesThatName, sampleCheck, WholeRoom } from '../fakes/wholeRoom';
import { git } from '../unit/workspaces/sampleRepository';
import { countByTask, finishedLines, readEvents, type RecordedAnswers, recordedAnswers } from './crashJournal';
import { describePoint, type KillPoint } from './killPoints';

/** Lines that each task writes, one with each tool call. */
const linesOfTask = 3;
/** A point that has not come by then never comes. */
const patienceMs = 30_000;
const maxFinalStarts = 6;

/** What is left after a series of kills; every count but `kills` and `answersLost` is 0 when the promises are kept. */
export interface CrashReport {
  readonly kills: number;
  /** Tasks that did not end verified, or of which the backend does not know it. */
  readonly lost: readonly string[];
  /** Events that a process had told as durable, and the journal does not have. */
  readonly forgotten: readonly string[];
  readonly endedTwice: readonly string[];
  readonly reportedTwice: readonly string[];
  /** Turns that were asked for again although the journal had their answer. */
  readonly paidTwice: readonly string[];
  /** Finished tool calls whose effect is not there exactly once. */
  readonly doneTwice: readonly string[];
  readonly processesLeft: readonly string[];
  /** Workspaces of runs that are over. */
  readonly workspacesLeft: readonly string[];
  /** Tasks that had to be begun anew: a run goes on instead. */
  readonly attemptsLost: readonly string[];
  /** Answers that arrived and died with the process before they could be kept: the one thing that may be paid again. */
  readonly answersLost: number;
}

export interface CrashOptions {
  readonly kills: number;
  /** Where it is killed; several series may take from one. */
  readonly points: Generator<KillPoint, never>;
  readonly say: (line: string) => void;
  /** Another build of the command; absent: the product's. */
  readonly program?: string;
}

/** Works tasks off with a process that is killed again and again, at one point after the other, on one storage. */
export class CrashSeries {
  private readonly completed = new Map<string, number>();
  /** Starts count from 1; a request belongs to the start whose process sent it. */
  private readonly starts = new Map<number, number>();
  private readonly startOf = new Map<SeenRequest, number>();
  private readonly tasks: string[] = [];
  /** What processes printed: they say of nothing that it happened before it is durable. */
  private readonly told: AirlockEvent[] = [];
  private kills = 0;
  private child: WholeCommand | undefined;
  private point: KillPoint | undefined;

  private constructor(
    private readonly room: WholeRoom,
    private readonly backend: WholeBackend,
    private readonly options: CrashOptions,
  ) {
    backend.fault = (call) => this.backendCalled(call);
    room.backend.api.onDidChangeTask(({ task }) => {
      if (task.status === 'completed' || task.status === 'failed')
        this.completed.set(task.id, (this.completed.get(task.id) ?? 0) + 1);
    });
  }

  static async run(options: CrashOptions): Promise<CrashReport> {
    const room = await WholeRoom.make();
    const backend = await WholeBackend.before(room.backend);
    room.ends.push(() => backend.close());
    const series = new CrashSeries(room, backend, options);
    try {
      while (series.kills < options.kills) await series.killOnce();
      await series.untilIdle();
      return await series.report();
    } finally {
      series.child?.kill('SIGKILL');
      await series.child?.exited;
      await room.close();
    }
  }

  private async killOnce(): Promise<void> {
    await this.queueTask();
    const point = this.options.points.next().value;
    this.point = point;
    const child = this.start();
    const timers = [setTimeout(() => this.kill(), patienceMs)];
    if (point.kind === 'time') timers.push(setTimeout(() => this.kill(), point.afterMs));
    const { code, stderr } = await child.exited;
    for (const timer of timers) clearTimeout(timer);
    const came = this.point === undefined;
    this.point = undefined;
    if (came) this.kills += 1;
    this.options.say(`${came ? 'killed' : `ended with ${code} before`}: ${describePoint(point)}`);
    if (!came && code !== 0) this.options.say(stderr);
  }

  /** Starts without a kill until all is done and tidied up; a start that has nothing else to do may tidy up only a part. */
  private async untilIdle(): Promise<void> {
    for (let starts = 0; starts < maxFinalStarts; starts += 1) {
      const { code, stderr } = await this.start().exited;
      if (code !== 0) this.options.say(`the last start ended with ${code}: ${stderr}`);
      else if (workspacesIn(this.room.storage).length === 0) return;
    }
  }

  private async queueTask(): Promise<void> {
    const id = `crash-${this.tasks.length + 1}`;
    this.tasks.push(id);
    const noting =
      <T>(turn: T) =>
      (request: SeenRequest): T => {
        this.modelAsked(request);
        return turn;
      };
    const lines = Array.from({ length: linesOfTask }, (_, at) => noting(runs(`echo ${at} >> log.txt`)));
    // The write may be one that was interrupted: then its check fails, and it is made again when that is told.
    const work = [noting(writes('value.txt', 'right\n')), noting(says('Done.'))];
    this.room.model.plays(id, ...lines, ...work, ...work, ...work);
    await this.room.queues({ id, description: id, context: { checks: [sampleCheck] } });
  }

  private start(): WholeCommand {
    const where = ['--storage', this.room.storage, '--repo', this.room.repo];
    const from = ['--zmemory', this.backend.url, '--agent', agentName];
    this.child = WholeCommand.start(['work', ...where, ...from, '--until-idle', '--json'], {
      environment: {
        ANTHROPIC_API_KEY: 'sk-test',
        ANTHROPIC_BASE_URL: this.room.model.api.baseUrl,
        ANTHROPIC_MODEL: modelName,
        ZMEMORY_TOKEN: this.room.backend.token,
      },
      onLine: (line) => this.printed(eventIn(line)),
      ...(this.options.program === undefined ? {} : { program: this.options.program }),
    });
    this.starts.set(this.child.pid, this.starts.size + 1);
    return this.child;
  }

  private kill(): void {
    if (!this.point) return;
    this.point = undefined;
    this.child?.kill('SIGKILL');
  }

  private printed(event: AirlockEvent): void {
    this.told.push(event);
    const { point } = this;
    if (point?.kind !== 'event' || event.kind !== point.event) return;
    if (point.afterMs === 0) this.kill();
    else setTimeout(() => this.kill(), point.afterMs);
  }

  private modelAsked(request: SeenRequest): void {
    this.startOf.set(request, this.starts.size);
    if (this.point?.kind !== 'model') return;
    if (this.point.when === 'asked') this.kill();
    // By then the answer has been written, and the process may or may not have read it.
    else setImmediate(() => this.kill());
  }

  private backendCalled({ path: called }: SeenCall): BackendFault | undefined {
    const { point } = this;
    if (point?.kind !== 'backend' || !called.endsWith(`/${point.call}`)) return undefined;
    this.kill();
    return { kind: point.when === 'before' ? 'down' : 'answerLost' };
  }

  private async report(): Promise<CrashReport> {
    const { room, tasks } = this;
    const events = await readEvents(room.storage);
    const ended = countByTask(events, 'task.ended');
    const kept = new Map(events.map((event) => [event.seq, event]));
    const again = room.model.api.paidTwice();
    const paidTwice = again.filter((request) => this.wasKept(request, recordedAnswers(events)));
    return {
      kills: this.kills,
      forgotten: this.told.flatMap((event) =>
        isDeepStrictEqual(kept.get(event.seq), event) ? [] : [`${event.seq} (${event.kind})`],
      ),
      lost: tasks.flatMap((id) => this.whatIsWrong(id, events)),
      endedTwice: tasks.filter((id) => (ended.get(id) ?? 0) > 1),
      reportedTwice: tasks.filter((id) => (this.completed.get(id) ?? 0) > 1),
      paidTwice: paidTwice.map((request) => `${titleOf(request)} turn ${placeOf(request)}`),
      doneTwice: tasks.flatMap((id) => this.wrongLines(id, events)),
      processesLeft: await processesThatName(path.join(room.storage, 'runs')),
      workspacesLeft: workspacesIn(room.storage),
      attemptsLost: events.flatMap((event) =>
        event.kind === 'run.started' && event.attempt > 1 ? [event.taskId] : [],
      ),
      answersLost: again.length - paidTwice.length,
    };
  }

  /** An answer to the same request was kept by an earlier process, or had come to this very one. */
  private wasKept(request: SeenRequest, answers: RecordedAnswers): boolean {
    const asker = this.startOf.get(request) ?? 0;
    const recorder = answers.recordedBy(titleOf(request), placeOf(request));
    const isKept = recorder !== undefined && (this.starts.get(recorder) ?? 0) < asker;
    const isSame = (other: SeenRequest): boolean =>
      titleOf(other) === titleOf(request) && placeOf(other) === placeOf(request) && other.outcome === 'answered';
    const { requests } = this.room.model.api;
    return (
      isKept ||
      requests.some((other) => other.index < request.index && isSame(other) && this.startOf.get(other) === asker)
    );
  }

  /** How a task came out that did not end verified, or of which the backend does not know it. */
  private whatIsWrong(id: string, events: readonly AirlockEvent[]): string[] {
    const end = events.findLast((event) => event.kind === 'task.ended' && event.taskId === id);
    const outcome = end?.kind === 'task.ended' ? end.outcome : 'open';
    const told = this.room.backend.api.get(id)?.status ?? 'missing';
    if (outcome === 'verified' && told === 'completed') return [];
    const reason = end?.kind === 'task.ended' ? end.reason : '';
    return [`${id}: ${outcome}, told as ${told} (${reason})`];
  }

  /** Lines that are not there once: a finished call must have its line, an interrupted one may. */
  private wrongLines(id: string, events: readonly AirlockEvent[]): string[] {
    const published = events.findLast(
      (event) => event.kind === 'result.published' && event.branch.startsWith(`airlock/${id}-`),
    );
    if (published?.kind !== 'result.published') return [];
    const log = git(this.room.repo, 'ls-tree', '--name-only', published.commit).includes('log.txt')
      ? git(this.room.repo, 'show', `${published.commit}:log.txt`).split('\n')
      : [];
    const finished = finishedLines(events);
    return Array.from({ length: linesOfTask }, (_, at) => String(at)).flatMap((line) => {
      const times = log.filter((found) => found === line).length;
      const isRight = finished.get(`${id}/${line}`) === true ? times === 1 : times <= 1;
      return isRight ? [] : [`${id} line ${line}: ${times} times`];
    });
  }
}

/** How many answers the conversation of a request has. */
function placeOf({ body }: SeenRequest): number {
  return body.messages.filter(({ role }) => role === 'assistant').length;
}

function workspacesIn(storage: string): string[] {
  const folder = path.join(storage, 'runs');
  return readdirSync(folder).filter((runId) => existsSync(path.join(folder, runId, 'workspace')));
}
