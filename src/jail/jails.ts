import { setMaxListeners } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock';
import { CancelledError, UserError } from '../base/errors';
import type { EgressConnection, JailCommand, JailProof, JailReadiness, JailResult, Jails } from '../core/jail';
import type { JailPolicy } from '../core/jailPolicy';
import { idOfAccount } from './account';
import { startCanaries } from './canaries/trial';
import { parseAllowlist } from './egress/allowlist';
import { type EgressPorts, realEgressPorts } from './egress/destination';
import { type EgressProxy, startEgressProxy } from './egress/egressProxy';
import { handOver, remove, takeBack } from './folders';
import type { HostFacts } from './hostFacts';
import { hostSockets } from './hostSockets';
import { runInJail } from './jailRun';
import { type LentFolder, lendFolder } from './lend';
import { endOrphans } from './orphans';
import { OutputPipes } from './outputPipes';
import { PrivateFolder } from './privateFolder';
import { type HostProbe, type ProbePorts, probeHost, realProbePorts } from './readiness';
import { type ShellEnd, shellOnTerminal } from './terminalShell';

export interface JailsOptions {
  readonly clock?: Clock;
  /** How the machine is looked at; tests say what it is like. */
  readonly probe?: ProbePorts;
  /** Tool chains that the user has named, see `namedToolChains`. */
  readonly toolChains?: readonly string[];
  /** How egress proxies resolve names and connect; tests have an internet of their own. */
  readonly egress?: EgressPorts;
}

/** `Jails`, and what the sessions room needs to build jails of its own. */
export interface LocalJails extends Jails {
  /**
   * What is known of this machine now; ask anew for every jail.
   * @throws {UserError} `jail-unavailable` when no jail can be had.
   */
  facts(): Promise<HostFacts>;
  /**
   * The way out of one jail of `policy`, to be given to `bwrapInvocation` and closed when the jail has ended. `undefined` when
   * the policy gives no network.
   * @throws {UserError} `network-domain-invalid`.
   */
  openEgress(
    policy: JailPolicy,
    onConnection?: (connection: EgressConnection) => void,
  ): Promise<EgressProxy | undefined>;
  /**
   * A shell in a fresh jail on this process's terminal, until it ends. See `shellOnTerminal`.
   * @throws {UserError} `jail-unavailable`, `not-a-terminal`, `mount-missing`, `mount-point-unsafe`.
   */
  shell(policy: JailPolicy): Promise<ShellEnd>;
  /**
   * Lets jails write to a folder of the user's that stays the user's. See `lendFolder`.
   * @throws {UserError} `jail-unavailable`, `folder-busy`.
   */
  lend(path: string, kept: readonly string[]): Promise<LentFolder>;
  /** Something empty to mount over what a jail is not to see. It is there until `shutdown`. */
  emptyCovers(): Promise<EmptyCovers>;
}

/** Paths of the host. */
export interface EmptyCovers {
  readonly folder: string;
  readonly file: string;
}

export function createJails(options: JailsOptions = {}): LocalJails {
  const folder = new PrivateFolder();
  const pipes = new OutputPipes(folder);
  return new BwrapJails({
    clock: options.clock ?? systemClock,
    folder,
    pipes,
    probe: options.probe ?? realProbePorts(pipes, folder, options.toolChains ?? []),
    egress: options.egress ?? realEgressPorts,
  });
}

class BwrapJails implements LocalJails {
  private probed: Promise<HostProbe> | undefined;
  private covers: Promise<EmptyCovers> | undefined;
  private readonly running = new Set<Promise<unknown>>();
  private readonly stop = new AbortController();
  /** Accounts by host id: that two names never share one is certain, not only likely. */
  private readonly accounts = new Map<number, string>();

  constructor(
    private readonly parts: Required<Omit<JailsOptions, 'toolChains'>> & { folder: PrivateFolder; pipes: OutputPipes },
  ) {
    // One listener for each jail that runs: that is no leak.
    setMaxListeners(0, this.stop.signal);
  }

  async readiness(options: { readonly again?: boolean } = {}): Promise<JailReadiness> {
    if (options.again) this.probed = undefined;
    return (await this.probe()).readiness;
  }

  async facts(): Promise<HostFacts> {
    const probe = await this.probe();
    if (probe.kind === 'ready') return { ...probe.facts, hostSockets: hostSockets() };
    const { code, reason, fix } = probe.readiness;
    throw new UserError('jail-unavailable', `${reason} ${fix}`, { why: code, reason, fix });
  }

  async run(command: JailCommand): Promise<JailResult> {
    const facts = await this.factsFor(command.policy);
    const signal = command.signal ? AbortSignal.any([command.signal, this.stop.signal]) : this.stop.signal;
    const egress = await this.openEgress(command.policy, command.onConnection);
    const { clock, pipes } = this.parts;
    const result = runInJail({ ...command, signal }, { facts, clock, pipes, egressFolder: egress?.folder });
    return this.keep(egress ? closingAfter(result, egress) : result);
  }

  async openEgress(
    policy: JailPolicy,
    onConnection: (connection: EgressConnection) => void = () => {},
  ): Promise<EgressProxy | undefined> {
    if (policy.network.kind === 'none') return undefined;
    const allowlist = parseAllowlist(policy.network.domains);
    const folder = await mkdtemp(join(await this.parts.folder.path(), 'egress-'));
    const proxy = await startEgressProxy(folder, { allowlist, ports: this.parts.egress, onConnection });
    return {
      folder,
      async close() {
        await proxy.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  }

  async shell(policy: JailPolicy): Promise<ShellEnd> {
    const facts = await this.factsFor(policy);
    return this.keep(shellOnTerminal(policy, { facts, clock: this.parts.clock, signal: this.stop.signal }));
  }

  async lend(path: string, kept: readonly string[]): Promise<LentFolder> {
    return lendFolder(path, kept, (await this.facts()).mode);
  }

  emptyCovers(): Promise<EmptyCovers> {
    this.covers ??= this.makeCovers();
    return this.covers;
  }

  async prove(policy: JailPolicy): Promise<JailProof> {
    const facts = await this.facts();
    const trial = await startCanaries(policy, this.parts.clock, facts);
    try {
      const result = await this.run({ policy, argv: trial.argv });
      return await trial.judge(result.stdout);
    } finally {
      await trial.dispose();
    }
  }

  async handOver(path: string, account: string): Promise<void> {
    const facts = await this.facts();
    this.claim(account, facts);
    await handOver(path, account, facts.mode);
  }

  async takeBack(path: string): Promise<void> {
    await takeBack(path, (await this.facts()).mode);
  }

  remove(path: string): Promise<void> {
    return remove(path);
  }

  async shutdown(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.running);
    await this.parts.folder.remove();
  }

  private async makeCovers(): Promise<EmptyCovers> {
    const parent = await mkdtemp(join(await this.parts.folder.path(), 'empty-'));
    const covers = { folder: join(parent, 'folder'), file: join(parent, 'file') };
    await Promise.all([mkdir(covers.folder, { mode: 0o755 }), writeFile(covers.file, '', { mode: 0o444 })]);
    return covers;
  }

  private async factsFor(policy: JailPolicy): Promise<HostFacts> {
    const facts = await this.facts();
    this.claim(policy.account, facts);
    if (this.stop.signal.aborted) throw new CancelledError('The jails are shut down');
    return facts;
  }

  /** What runs is waited for at the end. */
  private keep<T>(running: Promise<T>): Promise<T> {
    const settled = running.catch(() => {}).finally(() => this.running.delete(settled));
    this.running.add(settled);
    return running;
  }

  private probe(): Promise<HostProbe> {
    if (!this.probed) {
      const probed = endOrphans().then(() => probeHost(this.parts.probe));
      this.probed = probed;
      // What went wrong once is looked at again, and not taken for what this machine is like.
      probed.catch(() => {
        if (this.probed === probed) this.probed = undefined;
      });
    }
    return this.probed;
  }

  private claim(account: string, facts: HostFacts): void {
    if (facts.mode.kind !== 'privileged') return;
    const id = idOfAccount(account, facts.mode.ids);
    const owner = this.accounts.get(id) ?? account;
    if (owner !== account) {
      throw new UserError(
        'account-taken',
        `The accounts "${owner}" and "${account}" would share an id. Start the run again.`,
        {
          owner,
          account,
          id,
        },
      );
    }
    this.accounts.set(id, account);
  }
}

async function closingAfter(running: Promise<JailResult>, egress: EgressProxy): Promise<JailResult> {
  try {
    return await running;
  } finally {
    await egress.close();
  }
}
