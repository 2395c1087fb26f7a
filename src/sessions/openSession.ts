import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock';
import { CancelledError, messageOf, UserError } from '../base/errors';
import type { Logger } from '../base/logger';
import type { JailProof } from '../core/jail';
import type { JailPolicy } from '../core/jailPolicy';
import type { SessionOptions } from '../core/session';
import { bwrapInvocation } from '../jail/argv';
import { type CanaryTrial, startCanaries } from '../jail/canaries/trial';
import type { EgressProxy } from '../jail/egress/egressProxy';
import type { LocalJails } from '../jail/jails';
import { watchOomKills } from '../jail/limits/oomKills';
import { watchLimits } from '../jail/limits/watchLimits';
import { checkMounts } from '../jail/mountCheck';
import { channelsInJail } from './launcher';
import { LivingSession } from './livingSession';
import type { NodePty } from './nodePty';
import { PauseGate } from './pauseGate';
import { Recording } from './recording';
import { secretPatterns } from './redactor';
import { failedCanaries, proofOf } from './sessionProof';
import { type SessionJail, startOnPty, startWithoutPty, terminalSize } from './sessionJail';
import { launcherArgv, makeChannels, SessionShells } from './sessionShells';

/** What every session is made with. */
export interface SessionContext {
  readonly jails: LocalJails;
  readonly clock: Clock;
  readonly logger: Logger;
  /** @throws {UserError} `pty-unavailable`. */
  readonly loadPty: () => Promise<NodePty>;
  readonly maxRecordingBytes: number;
  /** Secrets that the product itself has: nobody is shown them. */
  readonly secrets: () => Promise<readonly string[]>;
}

/** Colour for people, though the agent's shell has no terminal. A policy that says otherwise wins. */
const colours: Readonly<Record<string, string>> = { FORCE_COLOR: '1', CLICOLOR_FORCE: '1' };

/**
 * Starts a jail, its shells and its terminal, and proves it before anything else runs in it.
 * @throws {UserError} `jail-unavailable`, `jail-not-proven`, and what is wrong with the policy.
 * @throws {CancelledError}
 */
export async function openSession(options: SessionOptions, context: SessionContext): Promise<LivingSession> {
  throwIfAborted(options.signal);
  const trial = newTrial(options.policy, context);
  // Awaited once the jail is there; that it failed before is no crash.
  trial.catch(() => {});
  try {
    const session = await startSession(options, context);
    const onAbort = (): void => void session.close('It was cancelled.');
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      session.handOut(await proven(session, await trial));
      throwIfAborted(options.signal);
      return session;
    } catch (error) {
      await session.close('It was not handed out.');
      throw options.signal?.aborted ? new CancelledError() : error;
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
    }
  } finally {
    await trial.then(
      (laid) => laid.dispose(),
      () => {},
    );
  }
}

async function proven(session: LivingSession, trial: CanaryTrial): Promise<JailProof> {
  const proof = await proofOf(session.files, trial);
  if (!proof.proven) throw notProven(proof);
  return proof;
}

async function newTrial(policy: JailPolicy, { jails, clock }: SessionContext): Promise<CanaryTrial> {
  return startCanaries(policy, clock, await jails.facts());
}

async function startSession(options: SessionOptions, context: SessionContext): Promise<LivingSession> {
  const { clock, logger } = context;
  const { policy, stateFolder } = options;
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  // New names: an earlier session of the same run may be dying here just now.
  const channels = await mkdtemp(join(stateFolder, 'channels-'));
  await makeChannels(channels);
  await context.jails.handOver(channels, policy.account);
  const egress = await context.jails.openEgress(policy, options.onConnection);
  const letGo = (): Promise<unknown> =>
    Promise.all([egress?.close(), rm(channels, { recursive: true, force: true })]).catch(logged(logger));
  const jail = await startJail(options, channels, egress, context).catch(async (error: unknown) => {
    await letGo();
    throw error;
  });
  void jail.ended.then(letGo);
  const gate = new PauseGate();
  const shells = new SessionShells({
    folder: channels,
    workingDirectory: policy.workingDirectory,
    agentEnvironment: agentEnvironment(policy),
    firstProcess: jail.firstProcess,
    clock,
    gate,
  });
  const process = await untilReady(jail, shells);
  const secrets = secretPatterns(await context.secrets());
  const recording = new Recording({
    path: await freeRecordingPath(stateFolder),
    clock,
    logger,
    maxBytes: context.maxRecordingBytes,
    secrets,
    ...terminalSize,
  });
  const session = new LivingSession({
    id: options.id,
    workspace: policy.workingDirectory,
    channelsFolder: channels,
    handOver: (folder) => context.jails.handOver(folder, policy.account),
    jail,
    limits: policy.limits,
    process,
    oomKilled: watchOomKills(process.pid),
    shells,
    gate,
    startTrial: () => newTrial(policy, context),
    recording,
    secrets,
    clock,
    logger,
  });
  const onBreach = session.onBreach.bind(session);
  session.keep(watchLimits(policy, jail.firstProcess, { clock, onBreach }));
  return session;
}

/** `session.cast`, `session-2.cast`, …: what an earlier session of the same run recorded is kept. */
async function freeRecordingPath(folder: string): Promise<string> {
  const taken = new Set(await readdir(folder));
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? 'session.cast' : `session-${count}.cast`;
    if (!taken.has(name)) return join(folder, name);
  }
}

function logged(logger: Logger): (error: unknown) => void {
  return (error) =>
    logger.warn("What a session's jail had of the host could not be let go of", { error: messageOf(error) });
}

function withChannels(policy: JailPolicy, folder: string): Promise<JailPolicy> {
  return checkMounts({ ...policy, mounts: [...policy.mounts, { from: folder, at: channelsInJail, access: 'read' }] });
}

async function startJail(
  options: SessionOptions,
  channels: string,
  egress: EgressProxy | undefined,
  context: SessionContext,
): Promise<SessionJail> {
  const policy = await withChannels(options.policy, channels);
  const facts = await context.jails.facts();
  const more = { terminal: 'xterm-256color', longLived: true, ...(egress ? { egressFolder: egress.folder } : {}) };
  const invocation = (newSession: boolean) =>
    bwrapInvocation(policy, facts, launcherArgv(channelsInJail), { newSession, ...more });
  const folder = await mkdtemp(join(options.stateFolder, 'start-'));
  try {
    return await startOnPty(await context.loadPty(), invocation(false), folder, context.clock);
  } catch (error) {
    if (!(error instanceof UserError && error.code === 'pty-unavailable')) throw error;
    context.logger.warn(error.message, error.facts);
    return startWithoutPty(invocation(true), folder);
  }
}

async function untilReady(jail: SessionJail, shells: SessionShells) {
  const died = jail.ended.then(() => 'died' as const);
  const outcome = await Promise.race([shells.whenReady().then(() => 'ready' as const), died]);
  const process = outcome === 'ready' ? await jail.firstProcess : undefined;
  if (process) return process;
  jail.kill();
  shells.close('The jail could not be built.');
  const detail = jail.lastWords() || 'bwrap ended without a word';
  throw new UserError('jail-unavailable', `The jail could not be built, so nothing was run: ${detail}`, { detail });
}

function agentEnvironment(policy: JailPolicy): string[] {
  return Object.entries(colours)
    .filter(([name]) => policy.environment[name] === undefined)
    .map(([name, value]) => `${name}=${value}`);
}

function notProven(proof: JailProof): UserError {
  const failed = failedCanaries(proof);
  return new UserError(
    'jail-not-proven',
    `The jail did not hold, so nothing was run in it: ${failed}. Run "airlock doctor" for the whole report.`,
    { failed, canaries: proof.canaries.length },
  );
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError();
}
