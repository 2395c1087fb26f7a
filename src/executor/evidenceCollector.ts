import type { CheckResult, CheckSubject, Verdict } from '../core/evidence';
import { passed, verdictOf } from '../core/evidence';
import type { Dependencies, SetupEnd } from '../core/dependencies';
import type { ObjectId, RunId } from '../core/ids';
import { jailPolicySchema } from '../core/jailPolicy';
import type { EgressConnection, JailResult } from '../core/jail';
import type { Persona } from '../core/persona';
import type { Workspace } from '../core/workspace';
import type { ExecutorPorts } from './ports';
import { describeFailure, type RunDependencies } from './runDependencies';

/** Output of one check that is kept. The end of it is what people read, and a check that prints more is told apart by its size. */
const maxCheckOutputBytes = 2 * 1024 ** 2;

/** Where and how checks are run. */
export interface CheckRequest {
  readonly workspace: Workspace;
  readonly dependencies: RunDependencies;
  readonly persona: Persona;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called with each connection that the jail of a check asks for. */
  readonly onConnection: (connection: EgressConnection) => void;
}

export interface EvidenceRequest extends CheckRequest {
  readonly checks: readonly string[];
  readonly tree: ObjectId;
  readonly round: number;
  /** What was seen in earlier rounds; what was seen on the base is not run again. */
  readonly earlier: readonly CheckResult[];
}

export interface Evidence {
  readonly verdict: Verdict;
  readonly results: readonly CheckResult[];
}

/**
 * Runs the checks itself, each in a fresh jail on a fresh checkout, and judges from what it saw alone. The agent's session
 * has no part in it.
 */
export class EvidenceCollector {
  constructor(private readonly ports: ExecutorPorts) {}

  /** Every result is in the journal when this resolves, and so is the verdict. */
  async collect(request: EvidenceRequest): Promise<Evidence> {
    const { workspace, tree, checks } = request;
    const results: CheckResult[] = [];
    const restored = checks.length === 0 ? tree : await workspace.restoreCheckSurface(tree);
    for (const command of checks) {
      const onResult = await this.check(request, command, 'result', tree);
      results.push(onResult);
      results.push(await this.onBase(request, command, onResult));
      if (passed(onResult)) results.push(await this.checkUnlessSame(request, command, 'restored', restored, onResult));
    }
    const verdict = verdictOf(results);
    await this.ports.events.append([
      { kind: 'evidence.recorded', runId: workspace.runId, round: request.round, verdict, tree },
    ]);
    return { verdict, results };
  }

  private async onBase(request: EvidenceRequest, command: string, onResult: CheckResult): Promise<CheckResult> {
    const { baseTree } = request.workspace;
    const known = request.earlier.find(
      (result) => result.command === command && result.on === 'base' && result.tree === baseTree,
    );
    return known ?? this.checkUnlessSame(request, command, 'base', baseTree, onResult);
  }

  /** The same tree is not checked twice: what was seen on it counts for both. */
  private async checkUnlessSame(
    request: EvidenceRequest,
    command: string,
    on: CheckSubject,
    tree: ObjectId,
    seen: CheckResult,
  ): Promise<CheckResult> {
    if (tree !== seen.tree) return this.check(request, command, on, tree);
    const result = { ...seen, on };
    await this.record(request.workspace.runId, request.round, result);
    return result;
  }

  private async check(
    request: EvidenceRequest,
    command: string,
    on: CheckSubject,
    tree: ObjectId,
  ): Promise<CheckResult> {
    const result = await this.see(request, command, on, tree);
    await this.record(request.workspace.runId, request.round, result);
    return result;
  }

  /** Runs one check on one tree and says what came of it; nothing is in the journal yet. */
  async see(request: CheckRequest, command: string, on: CheckSubject, tree: ObjectId): Promise<CheckResult> {
    const preparation = await request.dependencies.of(tree);
    const seen =
      preparation.kind === 'failed'
        ? unprepared(preparation.end)
        : await this.run(request, command, tree, preparation.kind === 'ready' ? preparation.dependencies : undefined);
    return {
      command,
      on,
      tree,
      exitCode: seen.exitCode,
      endedBy: endedBy(seen),
      output: await this.ports.blobs.put(seen.output),
      outputBytes: seen.output.byteLength + seen.droppedBytes,
      durationMs: Math.round(seen.durationMs),
    };
  }

  /** One command line on a fresh checkout in a fresh jail. */
  private async run(
    { workspace, persona, timeoutMs, signal, onConnection }: CheckRequest,
    command: string,
    tree: ObjectId,
    dependencies: Dependencies | undefined,
  ): Promise<Seen> {
    const checkTree = await workspace.checkTree(tree, dependencies);
    try {
      const policy = jailPolicySchema.parse({
        account: workspace.runId,
        mounts: checkTree.mounts,
        network: persona.network,
        environment: { CI: 'true', ...checkTree.environment },
        limits: { ...persona.jailLimits, wallMs: timeoutMs, outputBytes: maxCheckOutputBytes },
      });
      // A check is a command line by definition; the shell that reads it is inside the jail.
      return await this.ports.jails.run({ policy, argv: ['/bin/bash', '-c', command], signal, onConnection });
    } finally {
      await checkTree.remove();
    }
  }

  private async record(runId: RunId, round: number, result: CheckResult): Promise<void> {
    await this.ports.events.append([{ kind: 'check.finished', runId, round, result }]);
  }
}

/** What is kept of a check. */
type Seen = Pick<JailResult, 'exitCode' | 'signal' | 'output' | 'droppedBytes' | 'durationMs' | 'breach'>;

/** A check on a tree whose dependencies cannot be had fails: it was the agent who changed its lock files. */
function unprepared(end: SetupEnd): Seen {
  const output = Buffer.from(describeFailure(end));
  return {
    exitCode: end.exitCode || 1,
    signal: null,
    output,
    droppedBytes: 0,
    durationMs: end.durationMs,
    breach: null,
  };
}

function endedBy(seen: Seen): string | null {
  if (seen.breach) return seen.breach.limit === 'wallMs' ? 'timeout' : `${seen.breach.limit}: ${seen.breach.detail}`;
  return seen.exitCode === null ? (seen.signal ?? 'unknown') : null;
}
