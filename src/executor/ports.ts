import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';
import type { Logger } from '../base/logger';
import { type BudgetLimits, noLimits } from '../core/budget';
import type { ApprovalMode } from '../core/approval';
import type { BlobStore } from '../core/blobs';
import type { Effort, Engine } from '../core/engine';
import type { History } from '../core/history';
import type { HostProbe } from '../core/hostLoad';
import type { RunId } from '../core/ids';
import type { Jails } from '../core/jail';
import type { EventLog } from '../core/journal';
import type { TargetBranches } from '../core/landing';
import type { McpServers } from '../core/mcpServers';
import type { Personas } from '../core/persona';
import type { Session, Sessions } from '../core/session';
import type { TaskSource } from '../core/source';
import type { StorageRoom } from '../core/storageRoom';
import type { Tool } from '../core/tool';
import type { TokenUsage } from '../core/usage';
import type { Workspaces } from '../core/workspace';
import type { RunSnapshots } from './runSnapshots';

/** Numbers and switches of the executor, complete: every default is filled in where they are made. */
export interface ExecutorSettings {
  /** Runs at the same time. */
  readonly concurrency: number;
  /** Of one repository at the same time; `null`: as many as there are slots. */
  readonly concurrencyPerRepository: number | null;
  /** How many sessions of one repository are prepared ahead; 0: none. */
  readonly warmSessions: number;
  /** Of one persona at the same time; `null`: as many as there are slots. */
  readonly concurrencyPerPersona: number | null;
  /** How often a failing check goes back to the agent before the run ends as contradicted. */
  readonly maxFixRounds: number;
  /** How often one run goes on by itself after something went wrong that may pass. */
  readonly maxResumptions: number;
  /** Model turns of one run, when neither task nor persona says. */
  readonly maxTurns: number;
  readonly maxOutputTokens: number;
  /** Wall time of one run, when neither task nor persona says. */
  readonly runTimeoutMs: number;
  /** Wall time of one check on one tree. */
  readonly checkTimeoutMs: number;
  /** Domains that a persona of a repository may reach. */
  readonly personaDomains: readonly string[];
  /** Domains that the setup of a repository may reach. */
  readonly setupDomains: readonly string[];
  /** Bytes of prepared dependencies that are kept, of all repositories together. */
  readonly maxDependencyBytes: number;
  /** US dollars of one run, when neither task nor persona says; `null` for none. */
  readonly maxCostUsd: number | null;
  /** What all runs together may spend. Its `perRunUsd` is `maxCostUsd`. */
  readonly budget: BudgetLimits;
  /** The same tool call in a row, after which a run stops and asks; 0 for never. */
  readonly maxSameCalls: number;
  /** Turns in a row without progress, after which a run stops and asks; 0 for never. */
  readonly maxIdleTurns: number;
  /** US dollars that a run may have cost for each line that it has changed, before it stops and asks; `null`: as many as it likes. */
  readonly maxUsdPerLine: number | null;
  /** From so much of the machine's processors or memory in use on, in percent, no new run starts; 0: never mind. */
  readonly maxHostCpuPercent: number;
  readonly maxHostMemoryPercent: number;
  /** What agents may do without asking; a persona and a task can only make it less. */
  readonly approvalMode: ApprovalMode;
  /** How long they wait to be allowed something before it is denied; `null`: for as long as it takes. */
  readonly approvalTimeoutMs: number | null;
  /** How long a run keeps its jail and its slot meanwhile. */
  readonly approvalHoldMs: number;
  /** Tasks that name no persona go to the one whose expertise fits; false: to the implementer. */
  readonly routes: boolean;
  /** The persona that looks at each result; `null`: none does. */
  readonly reviewPersona: string | null;
  /** Whether a result can be accepted only when its review has ended. */
  readonly reviewHolds: boolean;
  /** How many levels deep agents may split a task; 0: not at all. */
  readonly maxSubtaskDepth: number;
  /** How many tasks one run may split off. */
  readonly maxSubtasks: number;
  /** Snapshots of one run that are kept for going back, those that were judged among them; 0 for none. */
  readonly maxSnapshots: number;
  /** How long the snapshots of a run stay whose result is published. */
  readonly keepWorkspacesMs: number;
  /** What all snapshots of one run may take on the disk, in bytes. */
  readonly maxSnapshotBytes: number;
  /** The model, when the persona names none; `null` for the engine's own default. */
  readonly model: string | null;
  /** How much the model thinks and writes, when the persona says nothing; `null`: as the model has it. */
  readonly effort: Effort | null;
}

export const defaultSettings: ExecutorSettings = {
  concurrency: 2,
  concurrencyPerRepository: null,
  concurrencyPerPersona: null,
  warmSessions: 1,
  maxFixRounds: 2,
  maxResumptions: 3,
  maxTurns: 60,
  maxOutputTokens: 16_000,
  runTimeoutMs: 45 * 60_000,
  checkTimeoutMs: 10 * 60_000,
  personaDomains: [],
  setupDomains: [],
  maxDependencyBytes: 20 * 1024 ** 3,
  maxCostUsd: null,
  budget: noLimits,
  maxSameCalls: 20,
  maxIdleTurns: 30,
  maxUsdPerLine: 0.5,
  maxHostCpuPercent: 85,
  maxHostMemoryPercent: 85,
  approvalMode: 'unattended',
  approvalTimeoutMs: 60 * 60_000,
  approvalHoldMs: 2 * 60_000,
  routes: false,
  reviewPersona: null,
  reviewHolds: false,
  maxSubtaskDepth: 2,
  maxSubtasks: 10,
  maxSnapshots: 20,
  maxSnapshotBytes: 512 * 1024 ** 2,
  keepWorkspacesMs: 14 * 24 * 3_600_000,
  model: null,
  effort: null,
};

/** The rooms, through core's ports. */
export interface ExecutorPorts {
  readonly events: EventLog;
  readonly blobs: BlobStore;
  readonly history: History;
  readonly room: StorageRoom;
  readonly host: HostProbe;
  readonly jails: Jails;
  readonly sessions: Sessions;
  readonly workspaces: Workspaces;
  readonly targets: TargetBranches;
  readonly personas: Personas;
  /** What thinks where the persona names nothing else. */
  readonly engine: Engine;
  /** What personas may name besides. Absent: nothing. */
  readonly engines?: readonly Engine[];
  readonly tools: readonly Tool[];
  readonly mcp: McpServers;
  readonly sources: readonly TaskSource[];
  /** Names the list of prices that `costOf` counts with: its version, and the user's own. */
  readonly priceList: string;
  /** US dollars; `null` when the model's price is not known. */
  readonly costOf: (model: string, usage: TokenUsage) => number | null;
  /** The repositories that tasks may be for: the open folders and those that the settings allow. */
  readonly repositories: () => readonly string[];
  /** What all of a run's folders are in. */
  readonly runFolder: (runId: string) => string;
  /** A folder of its own for a session of a run, outside the workspace. */
  readonly sessionFolder: (runId: string, sessionId: string) => string;
  /** A folder of the engine's own for a run, outside the workspace. It ends with the run's other folders. */
  readonly engineFolder: (runId: string) => string;
  /** A text without the secrets in it, for whoever is outside of this machine. */
  readonly redact: (text: string) => Promise<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Told of sessions as they come and go, so that they can be watched. */
export interface SessionRegistry {
  add(session: Session): void;
  /** The snapshots of a run that is at work, until disposed of. */
  addSnapshots(runId: RunId, snapshots: RunSnapshots): Disposable;
}
