import type { Dependencies } from '../core/dependencies';
import type { RunId } from '../core/ids';
import { jailPolicySchema, type JailPolicy, type Mount } from '../core/jailPolicy';
import type { TaskState } from '../core/liveState';
import { narrowNetwork } from '../core/narrowNetwork';
import type { Persona } from '../core/persona';
import { toolsOf, workspaceFor } from '../core/readOnlyPersona';
import type { Session } from '../core/session';
import type { Workspace } from '../core/workspace';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import { engineOf } from './runEngine';

/** What decides the policy of a run's session, beside its workspace. */
export interface SessionPart {
  /** As the task has it: see `narrowed`. */
  readonly persona: Persona;
  /** Wall time of the run. */
  readonly wallMs: number;
}

export type PolicyPorts = Pick<ExecutorPorts, 'engine' | 'engines' | 'jails' | 'engineFolder'>;

/** The persona as a task has it: with a network that is no wider and tools that are no more. A task may only tighten. */
export function narrowed(persona: Persona, { network, tools }: TaskState['spec']['limits']): Persona {
  return {
    ...persona,
    network: narrowNetwork(persona.network, network),
    tools: toolsOf(persona).filter((tool) => tools === undefined || tools.includes(tool)),
  };
}

export function wallMsOf(task: TaskState, persona: Persona, settings: ExecutorSettings): number {
  return task.spec.limits.timeoutMs ?? persona.limits.timeoutMs ?? settings.runTimeoutMs;
}

/** US dollars that a run may cost; `null` for no limit. */
export function maxCostOf(
  { spec }: TaskState,
  persona: Persona,
  settings: Pick<ExecutorSettings, 'maxCostUsd'>,
): number | null {
  const usual = persona.limits.maxCostUsd ?? settings.maxCostUsd;
  const own = spec.limits.maxCostUsd;
  if (own === undefined) return usual;
  // The user may allow one task more. What another task gave it allows nothing.
  return spec.parent && usual !== null ? Math.min(own, usual) : own;
}

/** What the session of a run may see, write, reach and use up. Nothing of the run may be running yet. */
export async function sessionPolicy(
  ports: PolicyPorts,
  workspace: Workspace,
  dependencies: Dependencies | undefined,
  { persona, wallMs }: SessionPart,
): Promise<JailPolicy> {
  const { runId } = workspace;
  const view = await workspace.sessionView(dependencies);
  return jailPolicySchema.parse({
    account: runId,
    mounts: [...workspaceFor(persona, view.mounts), ...(await engineMounts(ports, persona, runId))],
    environment: view.environment,
    network: persona.network,
    // The run's own timer ends it first and in order; this one is for the case that it does not.
    limits: { ...persona.jailLimits, wallMs: wallMs * 2 },
  });
}

async function engineMounts(ports: PolicyPorts, persona: Persona, runId: RunId): Promise<readonly Mount[]> {
  const mounts = (await engineOf(ports, persona).furnish?.(ports.engineFolder(runId))) ?? [];
  for (const { from, access } of mounts) if (access === 'write') await ports.jails.handOver(from, runId);
  return mounts;
}

export type SessionEnd = Parameters<Parameters<Session['onDidClose']>[0]>[0];

/** How the session ends, whenever that is. */
export function endOf(session: Session): Promise<SessionEnd> {
  return new Promise((resolve) => session.onDidClose(resolve));
}
