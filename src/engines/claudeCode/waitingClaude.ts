import { type Clock, sleep } from '../../base/clock';
import { CancelledError } from '../../base/errors';
import type { ConversationSetup, Prestarted } from '../../core/engine';
import type { Session } from '../../core/session';
import { ClaudeProcess } from './claudeProcess';
import { isDoneByClaude } from './claudeTools';
import type { Launch } from './launch';
import { ToolBridge } from './toolBridge';
import { type ClaudeMessage, controlAnswer, initializeLine } from './wire';

export interface WaitingParts {
  readonly session: Session;
  readonly setup: ConversationSetup;
  readonly servers: readonly string[];
  readonly launch: Launch;
  /** Of the program that was started. */
  readonly version: string;
  readonly versionNow: () => Promise<string>;
  readonly readyMs: number;
  readonly clock: Clock;
}

/**
 * Claude Code that was started before there was a task, and is used once. While it waits nobody listens at its socket to the
 * model, and it may do nothing but learn which tools there are: whatever else it says is a reason not to use it.
 */
export class WaitingClaude implements Prestarted {
  private fault: string | undefined;
  private isTaken = false;
  private readonly bridge: ToolBridge;
  private tellReady: () => void = () => {};
  private readonly ready = new Promise<void>((resolve) => (this.tellReady = resolve));
  /** Set once, right after its birth. */
  private process: ClaudeProcess | undefined;

  private constructor(private readonly parts: WaitingParts) {
    const { setup, servers } = parts;
    this.bridge = new ToolBridge({
      tools: () => setup.tools.filter(({ name }) => !isDoneByClaude(name)),
      servers,
      callTool: () => Promise.reject(new Error('no tool is called before there is a task')),
    });
  }

  /** @throws {CancelledError} @throws when it ends, or does not get ready in time. */
  static async start(parts: WaitingParts, signal: AbortSignal): Promise<WaitingClaude> {
    if (signal.aborted) throw new CancelledError();
    const { session, launch, clock } = parts;
    const waiting = new WaitingClaude(parts);
    const process = await ClaudeProcess.start({
      session,
      ...launch,
      clock,
      onMessage: (message) => waiting.receive(message),
      onGarbage: () => waiting.suspect('it said something that is none of its messages'),
    });
    waiting.process = process;
    try {
      process.write(initializeLine());
      await waiting.untilReady(process, signal);
    } catch (error) {
      await process.kill();
      throw error;
    }
    return waiting;
  }

  async doubt(): Promise<string | undefined> {
    const { version, versionNow } = this.parts;
    if (this.isTaken) return 'its Claude Code is in use';
    if (!this.process?.isAlive) return 'its Claude Code has ended';
    if (this.fault !== undefined) return `its Claude Code cannot be trusted: ${this.fault}`;
    return (await versionNow()) === version ? undefined : 'Claude Code is another version now';
  }

  /** @returns its process for a conversation that is started in just this way; `undefined`: it is not used, and has ended. */
  async take(session: Session, launch: Launch): Promise<ClaudeProcess | undefined> {
    const { process } = this;
    if (this.isTaken || !process) return undefined;
    this.isTaken = true;
    const isFit = session === this.parts.session && JSON.stringify(launch) === JSON.stringify(this.parts.launch);
    if (isFit && process.isAlive && this.fault === undefined) return process;
    await process.kill();
    return undefined;
  }

  private async untilReady(process: ClaudeProcess, signal: AbortSignal): Promise<void> {
    const { clock, readyMs } = this.parts;
    const over = new AbortController();
    const fail = (words: string) => (): never => {
      throw signal.aborted ? new CancelledError() : new Error(words);
    };
    const patience = sleep(clock, readyMs, AbortSignal.any([signal, over.signal]));
    const words = `Claude Code was not ready after ${Math.round(readyMs / 1000)} s`;
    const late = patience.then(fail(words), (error: unknown) => {
      if (!over.signal.aborted) throw error;
    });
    const died = process.ended.then((last) => fail(`Claude Code ended before it was ready: ${last.slice(0, 300)}`)());
    died.catch(() => {});
    try {
      await Promise.race([this.ready, late, died]);
    } finally {
      over.abort();
    }
  }

  private receive(message: ClaudeMessage): void {
    switch (message.kind) {
      case 'answered':
        if (!message.ok) this.suspect('it refused to begin');
        this.tellReady();
        return;
      case 'asks':
        void this.answer(message);
        return;
      case 'begins':
      case 'result':
        return this.suspect('it began to work by itself');
      case 'other':
        return;
    }
  }

  private async answer({ id, asked }: Extract<ClaudeMessage, { kind: 'asks' }>): Promise<void> {
    if (asked?.subtype !== 'mcp_message') return this.suspect('it asked for something before there was a task');
    try {
      const response = await this.bridge.answer(asked.server_name, asked.message);
      this.process?.write(controlAnswer(id, { mcp_response: response }));
    } catch {
      this.suspect('it used a tool before there was a task');
    }
  }

  private suspect(fault: string): void {
    this.fault ??= fault;
  }
}
