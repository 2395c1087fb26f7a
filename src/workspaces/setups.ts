import { join } from 'node:path';
import { sha256 } from '../base/digest';
import { CancelledError } from '../base/errors';
import { Mutex } from '../base/mutex';
import type { Preparation, PreparationOptions, SetupConfig } from '../core/dependencies';
import type { ObjectId, RunId } from '../core/ids';
import type { Jails } from '../core/jail';
import { DependencyShelf } from './dependencyShelf';
import type { GitJail } from './gitJail';
import { dependencyKey, lockState } from './lockFiles';
import { invalidConfig } from './repositoryConfig';
import { requireConsent } from './setupConsent';
import { toolChainOf } from './setupJail';
import { SetupWork } from './setupWork';
import { isCommitted } from './shares';
import { parseTreeListing, type TreeListing } from './treeListing';

/** For which tree of which run dependencies are wanted. */
export interface SetupRequest {
  readonly runId: RunId;
  /** The top folder of the user's work tree. */
  readonly repo: string;
  readonly setup: SetupConfig;
  readonly baseTree: ObjectId;
  /** The base is what the user has checked out, and not the result of an agent that nobody has landed yet. */
  readonly isUsersBase: boolean;
  readonly tree: ObjectId;
  /** Git in the run's own git directory. */
  readonly jail: GitJail;
}

/** The dependencies of one storage: made once for the same lock files, and kept. */
export class Setups {
  private readonly shelf: DependencyShelf;
  private readonly makers = new Map<string, Mutex>();

  constructor(
    storage: string,
    private readonly jails: Jails,
  ) {
    this.shelf = new DependencyShelf(join(storage, 'dependencies'), jails);
  }

  /** See `Workspace.prepare`. */
  async prepare(request: SetupRequest, options: PreparationOptions): Promise<Preparation> {
    requireConsent(request.setup.network, options.allowedDomains);
    const listing = await listTree(request.jail, request.tree);
    if (request.tree === request.baseTree) refuseCommittedOutputs(request.setup, listing);
    const purpose = await this.purposeOf(request, listing);
    const repository = sha256(request.repo).slice(0, 24);
    const find = async (): Promise<Preparation | undefined> => {
      const dependencies = await this.shelf.take(repository, purpose.key);
      return dependencies && { kind: 'ready', dependencies };
    };
    return (
      (await find()) ??
      (await this.inTurn(repository, find, () => this.make(request, repository, purpose, options), options.signal))
    );
  }

  /** One setup of a repository at a time: who comes second mostly finds what the first has made. */
  private inTurn(
    repository: string,
    find: () => Promise<Preparation | undefined>,
    make: () => Promise<Preparation>,
    signal: AbortSignal | undefined,
  ): Promise<Preparation> {
    const maker = this.makers.get(repository) ?? new Mutex();
    this.makers.set(repository, maker);
    const isGone = (): boolean => signal?.aborted === true;
    return untilAborted(
      maker.run(async () => {
        if (isGone()) throw new CancelledError();
        return (await find()) ?? make();
      }),
      signal,
    );
  }

  /**
   * A tree with the lock files of the base has the dependencies of the base, whatever else was changed in it. What an agent
   * has written is never run for anybody else: with it come the scripts that a setup runs.
   */
  private async purposeOf(request: SetupRequest, listing: TreeListing): Promise<Purpose> {
    const { setup, baseTree, isUsersBase, jail } = request;
    const locks = lockState(listing, setup);
    const isBases = request.tree === baseTree || locks === lockState(await listTree(jail, baseTree), setup);
    const tree = isBases ? baseTree : request.tree;
    const isTrusted = isBases && isUsersBase;
    const toolChain = await toolChainOf(this.jails);
    return { tree, isTrusted, key: dependencyKey(setup, locks, toolChain, isTrusted ? undefined : tree) };
  }

  private async make(
    request: SetupRequest,
    repository: string,
    { key, tree, isTrusted }: Purpose,
    options: PreparationOptions,
  ): Promise<Preparation> {
    const { shelf, jails } = this;
    const part = await shelf.begin(repository);
    try {
      await options.onStart?.(request.setup);
      const seed = await shelf.takeNewestCache(repository);
      const work = new SetupWork(part, { ...request, tree, account: `setup-${repository}` }, jails);
      const { end, made } = await work.run(seed?.cache ?? null, options).finally(() => seed?.release());
      await options.onEnd?.(end);
      if (!made) return { kind: 'failed', end };
      const dependencies = await shelf.keep(part, repository, key, { ...made, isTrusted });
      await shelf.makeRoom(options.maxKeptBytes);
      return { kind: 'ready', dependencies };
    } finally {
      await jails.remove(part);
    }
  }
}

interface Purpose {
  readonly key: string;
  /** What is checked out for the setup. */
  readonly tree: ObjectId;
  /** It is the user's own, so that other runs may be given what it makes. */
  readonly isTrusted: boolean;
}

function refuseCommittedOutputs({ outputs }: SetupConfig, base: TreeListing): void {
  const committed = outputs?.find((path) => isCommitted(path, base));
  if (committed !== undefined) throw invalidConfig(null, `setup: outputs: ${committed} is committed`);
}

async function listTree(jail: GitJail, tree: ObjectId): Promise<TreeListing> {
  return parseTreeListing(await jail.run({ argv: ['git', 'ls-tree', '-r', '-z', tree] }));
}

/** Lets go of what still goes on when `signal` is aborted. */
function untilAborted<T>(pending: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return pending;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new CancelledError());
    signal.addEventListener('abort', onAbort, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}
