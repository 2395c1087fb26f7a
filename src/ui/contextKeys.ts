import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable';
import type { Credentials } from './credentials';
import type { ExecutorLink, LinkStatus } from './executorLink';
import { abilityContextKey, contextKeys } from './ids';
import type { LiveSurroundings } from './status/surroundings';
import { abilities } from './tasks/abilities';
import { sourcesOf } from './status/sourceState';
import type { TaskList } from './tasks/taskList';

export interface ContextSources {
  readonly link: ExecutorLink;
  readonly tasks: TaskList;
  readonly surroundings: LiveSurroundings;
  readonly credentials: Credentials;
}

/** Keeps the keys of `when` clauses up to date; a key is sent to VS Code only when it has another value. */
export class ContextKeys implements Disposable {
  private readonly store = new DisposableStore();
  private readonly sent = new Map<string, string | boolean>();

  constructor(private readonly sources: ContextSources) {
    this.store.add(sources.tasks.onDidChange(() => this.send()));
    this.store.add(sources.surroundings.onDidChange(() => this.send()));
    this.send();
  }

  dispose(): void {
    this.store.dispose();
  }

  private send(): void {
    for (const [key, value] of this.values()) {
      if (this.sent.get(key) === value) continue;
      this.sent.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  }

  private values(): [string, string | boolean][] {
    const { link, tasks, surroundings, credentials } = this.sources;
    const { jail, needsApiKey } = surroundings.current;
    const available = tasks.available();
    return [
      [contextKeys.executor, whereabouts(link.status)],
      [contextKeys.queue, link.state.queueMode],
      [contextKeys.hasTasks, link.state.tasks.size > 0],
      [contextKeys.hasRunningSources, sourcesOf(link.state).some(({ paused }) => !paused)],
      [contextKeys.hasPausedSources, sourcesOf(link.state).some(({ paused }) => paused)],
      [contextKeys.hasEndedSessions, link.state.pastSessions.size > 0],
      [contextKeys.jail, jail === null ? 'unknown' : jail.kind === 'ready' ? 'ready' : jail.code],
      [contextKeys.hasApiKey, credentials.has('apiKey')],
      [contextKeys.needsApiKey, needsApiKey],
      [contextKeys.hasZMemoryToken, credentials.has('zmemoryToken')],
      ...abilities.map((ability): [string, boolean] => [abilityContextKey(ability), available.has(ability)]),
    ];
  }
}

/** `nowhere`: it was opened, and nobody works at the moment who could do anything. */
function whereabouts(status: LinkStatus): string {
  return status.kind === 'open' && status.executor.place.kind === 'nowhere' ? 'nowhere' : status.kind;
}
