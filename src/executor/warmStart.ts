import { CancelledError, messageOf } from '../base/errors';
import { newId } from '../base/ids';
import type { Preparation } from '../core/dependencies';
import type { Prestarted } from '../core/engine';
import type { EventBody } from '../core/events';
import type { ObjectId, RunId } from '../core/ids';
import type { EgressConnection } from '../core/jail';
import type { JailPolicy } from '../core/jailPolicy';
import type { Session } from '../core/session';
import type { Workspace } from '../core/workspace';
import { conversationSetup, type SetupSettings } from './conversationSetup';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import { engineOf, modelOf } from './runEngine';
import { serverPlan } from './runServers';
import { endOf, sessionPolicy, type PolicyPorts, type SessionEnd, type SessionPart } from './runSession';

/** What a task wants of its workspace and session, as far as both can be made before there is a run. */
export interface WarmWish extends SessionPart {
  readonly repo: string;
  /** As for `Workspaces.create`: absent for what is checked out. */
  readonly base?: ObjectId;
}

/** A workspace and a proven session that wait for a run which takes their id. */
export interface WarmStart {
  readonly runId: RunId;
  readonly wish: WarmWish;
  readonly workspace: Workspace;
  /** The dependencies of the base, held until they are released. */
  readonly preparation: Preparation;
  readonly policy: JailPolicy;
  readonly session: Session;
  /** The program of its engine that waits in the session; `undefined` when none does. */
  readonly prestarted: Prestarted | undefined;
  readonly ended: Promise<SessionEnd>;
  /** Where the jail's connections are told of, once it has a run. */
  readonly connections: { tell: ((connection: EgressConnection) => void) | undefined; untold: number };
}

/** What there may be of one that was begun. */
type Parts = Partial<Pick<WarmStart, 'preparation' | 'session'>>;

/** Makes what waits, looks at it before it is used, and throws it away. */
export interface WarmMaker {
  /** @throws when it cannot be had; then nothing of it is left. */
  prepare(wish: WarmWish, signal: AbortSignal): Promise<WarmStart>;
  /** @returns why it must not be used, in words; `undefined` when nothing speaks against it. */
  doubt(start: WarmStart): Promise<string | undefined>;
  /** Ends and deletes all of it. Never rejects. */
  discard(start: WarmStart, reason: string): Promise<void>;
}

export type WarmPorts = PolicyPorts &
  Pick<ExecutorPorts, 'events' | 'workspaces' | 'sessions' | 'tools' | 'runFolder' | 'sessionFolder' | 'logger'>;

export class LocalWarmMaker implements WarmMaker {
  constructor(
    private readonly ports: WarmPorts,
    private readonly settings: SetupSettings & Pick<ExecutorSettings, 'setupDomains' | 'maxDependencyBytes'>,
  ) {}

  async prepare(wish: WarmWish, signal: AbortSignal): Promise<WarmStart> {
    const { repo, base } = wish;
    const { events, workspaces } = this.ports;
    const runId = newId('run');
    const parts: { -readonly [K in keyof Parts]: Parts[K] } = {};
    await events.append([{ kind: 'session.warming', runId, repo }]);
    try {
      const workspace = await workspaces.create({ runId, repo, ...(base === undefined ? {} : { base }), signal });
      const preparation = (parts.preparation = await this.keptDependencies(workspace, signal));
      const policy = await sessionPolicy(this.ports, workspace, dependenciesOf(preparation), wish);
      const connections: WarmStart['connections'] = { tell: undefined, untold: 0 };
      const session = (parts.session = await this.open(runId, policy, connections, signal));
      const ended = endOf(session);
      const prestarted = await this.prestart(runId, wish, session, signal);
      await events.append([{ kind: 'session.warmed', runId, sessionId: session.id, process: session.process }]);
      return { runId, wish, workspace, preparation, policy, session, prestarted, ended, connections };
    } catch (error) {
      await this.remove(runId, parts, messageOf(error));
      throw error;
    }
  }

  async doubt(start: WarmStart): Promise<string | undefined> {
    const { wish, workspace, preparation, policy, session, prestarted, connections } = start;
    if (!session.proof.proven) return 'its jail is not proven';
    if (connections.untold > 0) return 'something in its jail asked for the network';
    const { repo, base } = wish;
    const [other, odd] = await Promise.all([
      workspace.renew({ repo, ...(base === undefined ? {} : { base }) }),
      session.recheck(),
    ]);
    if (other !== undefined) return other;
    if (odd !== undefined) return odd;
    const wanted = await sessionPolicy(this.ports, workspace, dependenciesOf(preparation), wish);
    if (JSON.stringify(wanted) !== JSON.stringify(policy)) return 'its policy would be another one now';
    return prestarted?.doubt();
  }

  discard({ runId, preparation, session }: WarmStart, reason: string): Promise<void> {
    return this.remove(runId, { preparation, session }, reason);
  }

  /** Those that are kept already: what has to be made is made for a run, where it is seen. */
  private async keptDependencies(workspace: Workspace, signal: AbortSignal): Promise<Preparation> {
    const { setupDomains, maxDependencyBytes } = this.settings;
    return workspace.prepare(workspace.baseTree, {
      allowedDomains: setupDomains,
      maxKeptBytes: maxDependencyBytes,
      signal,
      onStart: () => Promise.reject(new CancelledError('Its dependencies are not prepared yet.')),
    });
  }

  /** What of the engine's program could be started, if the engine wants that: then it is no stranger in the jail. */
  private async prestart(
    runId: RunId,
    { persona }: WarmWish,
    session: Session,
    signal: AbortSignal,
  ): Promise<Prestarted | undefined> {
    const { ports, settings } = this;
    const engine = engineOf(ports, persona);
    if (!engine.prestart) return undefined;
    const model = modelOf(engine, persona, settings);
    const maxTurns = persona.limits.maxTurns ?? settings.maxTurns;
    const setup = conversationSetup(ports, settings, persona, { model, maxTurns });
    const servers = Object.keys(serverPlan(persona, { limits: {} }).servers);
    const prestarted = await engine.prestart(setup, { session, folder: ports.engineFolder(runId) }, servers, signal);
    if (prestarted) session.vouch();
    return prestarted;
  }

  private open(
    runId: RunId,
    policy: JailPolicy,
    connections: WarmStart['connections'],
    signal: AbortSignal,
  ): Promise<Session> {
    const id = newId('session');
    return this.ports.sessions.open({
      id,
      runId,
      policy,
      stateFolder: this.ports.sessionFolder(runId, id),
      onConnection: (connection) => {
        if (connections.tell) connections.tell(connection);
        else connections.untold += 1;
      },
      signal,
    });
  }

  private async remove(runId: RunId, { preparation, session }: Parts, reason: string): Promise<void> {
    try {
      await session?.close('It was prepared ahead and is not needed.');
      if (preparation) dependenciesOf(preparation)?.release();
      await removeWarm(this.ports, runId, reason);
    } catch (error) {
      // It stays in the state, and the next start deletes it.
      this.ports.logger.warn('What was prepared ahead could not be deleted', { runId, reason: messageOf(error) });
    }
  }
}

/** Deletes what is left of one that was prepared ahead, when nothing of it runs. Nobody has worked in it. */
export async function removeWarm(
  { events, workspaces, jails, runFolder }: Pick<WarmPorts, 'events' | 'workspaces' | 'jails' | 'runFolder'>,
  runId: RunId,
  reason: string,
): Promise<void> {
  await workspaces.clear(runId);
  await jails.remove(runFolder(runId));
  await events.append([{ kind: 'session.discarded', runId, reason }]);
}

/** The events with which a run begins that takes it. */
export function eventsOf({ runId, session }: WarmStart): EventBody[] {
  const { id, process, proof } = session;
  return [{ kind: 'session.created', sessionId: id, runId, process, proof, warm: true }];
}

function dependenciesOf(preparation: Preparation) {
  return preparation.kind === 'ready' ? preparation.dependencies : undefined;
}
