/** What a process says when it opens an executor: what thinks, where tasks come from, and what it lives by. */
import type { Clock } from '../base/clock';
import type { Logger } from '../base/logger';
import type { ArtifactKind } from '../core/artifact';
import type { DiagnosticSink } from '../core/diagnostic';
import type { FolderSource } from '../core/folderSource';
import type { HostProbe } from '../core/hostLoad';
import type { OwnPrices } from '../core/prices';
import type { SecretSlot } from '../core/secretSlot';
import type { EngineLimits, ModelCredential } from '../engines/anthropic/engineOptions';
import type { ClaudeCodeLimits, ProcessMode } from '../engines/claudeCode/engineOptions';
import type { ExecutorSettings } from '../executor/ports';
import type { TaskFilter } from '../sources/zmemory/taskFilter';
import type { Keep } from '../store/keep';

/** What thinks. */
export type EngineChoice =
  | {
      readonly kind: 'anthropic';
      /** The key or token, read anew for each conversation; `undefined` while there is none. */
      readonly credential: ModelCredential;
      /** `null` for Anthropic's own server. */
      readonly baseUrl: string | null;
      readonly model: string | null;
      /** Tokens of the model's context window; absent or `null`: as they are known. */
      readonly contextTokens?: number | null;
    }
  /** The user's own Claude Code, in the jail. Key, server and model as above. */
  | {
      readonly kind: 'claude-code';
      readonly credential: ModelCredential;
      readonly baseUrl: string | null;
      readonly model: string | null;
      readonly contextTokens?: number | null;
      /** The program; `null` to look for `claude` on the `PATH`. */
      readonly path: string | null;
      readonly process: ProcessMode;
      readonly limits?: Partial<ClaudeCodeLimits>;
    }
  /** The bundled script that plays a model. */
  | { readonly kind: 'scripted'; readonly baseUrl: string; readonly token: string }
  /** None yet: tasks wait until there is one. */
  | { readonly kind: 'none' };

/** Where tasks come from, beside the user. */
export type SourceChoice =
  | {
      readonly kind: 'server';
      readonly name: string;
      readonly url: string;
      readonly token: () => Promise<string | undefined>;
      readonly agent: string;
      readonly pollMs: number;
      /** How long one answer of the server may take. Absent: the client's own default. */
      readonly timeoutMs?: number;
      /** Which of its tasks are taken. Absent: all. */
      readonly filter?: TaskFilter;
      /** Asked beside the agent when looking for tasks. Absent: nothing. */
      readonly query?: Readonly<Record<string, string>>;
      /** What of a run is handed over beside its report. Absent: all that there is. */
      readonly artifacts?: readonly ArtifactKind[];
    }
  /** The embedded ZMemory, in this process, in the storage folder. */
  | { readonly kind: 'embedded'; readonly agent: string }
  /** What lies in a folder: it is lent to whoever works the queue, when that is not this process. */
  | FolderSource;

/** What the user lets MCP servers have. */
export interface McpChoice {
  /** A secret by the name that servers have for it; `undefined` when there is none. */
  readonly secret: (name: string) => Promise<string | undefined>;
  /** Digests of servers of repositories that the user has approved; asked anew each time. */
  readonly approved: () => readonly string[];
  /** Hosts of this machine and of private networks that servers may be at; asked anew each time. */
  readonly privateHosts: () => readonly string[];
}

export interface AirlockOptions {
  /** The storage folder: one executor at a time owns it. */
  readonly storage: string;
  readonly settings: Partial<ExecutorSettings>;
  /** How long what nothing needs any more is kept. Absent: the defaults of the store. */
  readonly keep?: Keep | undefined;
  /** Where the key is with which heads of the journal are anchored: outside of the storage. Absent: none are. */
  readonly anchorSlot?: SecretSlot | undefined;
  /** Prices of models, in place of the public ones. */
  readonly prices?: OwnPrices;
  /** Absolute paths of the repositories that tasks may be for; asked anew each time. */
  readonly repositories: () => readonly string[];
  readonly engine: EngineChoice;
  /** Engines that a persona may name besides. Absent: none. */
  readonly otherEngines?: readonly EngineChoice[];
  readonly sources: readonly SourceChoice[];
  readonly logger: Logger;
  /** The folder of the user's own personas. Absent: there are none. It need not exist. */
  readonly personas?: string;
  /** Told what is wrong in files of repositories that tasks come from. */
  readonly onDiagnostics?: DiagnosticSink;
  /** Told what task definitions want a person to hear, and what is wrong with the storage. */
  readonly onNotice?: (message: string) => void;
  readonly clock?: Clock;
  /** Tells how busy the machine is. Absent: by looking at it. */
  readonly host?: HostProbe;
  /** How patient the engine is with its server. What is absent is as the engine has it. */
  readonly engineLimits?: Partial<EngineLimits>;
  /** Paths of tool chains that jails see beside those on the `PATH`; `tool-chain-unsafe` keeps every jail from being built. */
  readonly toolChains?: readonly string[];
  /** What of the user's MCP servers may have. Absent: no secret, nothing approved, no private host. */
  readonly mcp?: McpChoice;
  /** Base address of the user's OTLP collector, which gets a trace of each run, and metrics. Absent or empty: nothing is sent. */
  readonly otlpEndpoint?: string;
  /** VS Code's own copy of node-pty. */
  readonly nodePtyPath?: string;
  /** Fired when a key was set or removed: what waited for one goes on. */
  readonly onDidChangeCredentials?: (listener: () => void) => { dispose(): void };
}
