import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { systemCodeOf, UserError } from '../base/errors';
import { type IdRange, idOfAccount } from './account';
import type { HostMode } from './hostFacts';
import { readProc } from './procfs';

const run = promisify(execFile);

/** A folder that stays its owner's, and that an account may write to until it is given back. */
export interface LentFolder {
  /** Whose jails may write to it. */
  readonly account: string;
  /** Call it when the jail is dead. `whenLast` is done if nobody else has the folder on loan, and before anybody can. */
  giveBack(whenLast?: () => Promise<void>): Promise<void>;
}

/**
 * Lends a folder of the user's to a jail. As an ordinary user nothing has to be done. On a privileged host what belongs to the
 * folder's owner belongs to the account for so long, and then again to the owner, with what was made meanwhile and without
 * set-uid bits. What belongs to others, files with a second name elsewhere, other file systems and whatever is named in `kept`
 * (with everything below it) stay as they are.
 *
 * Several loans of a folder at the same time share one account; the last one gives back. What a killed process had on loan is
 * given back at the end of the next loan.
 * @param path a real path.
 */
export async function lendFolder(path: string, kept: readonly string[], mode: HostMode): Promise<LentFolder> {
  const loan = new Loan(path, kept, mode);
  await loan.begin();
  return { account: loan.account, giveBack: (whenLast) => loan.end(whenLast) };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

class Loan {
  readonly account: string;
  private readonly key: string;
  private mark: Server | undefined;
  private owner: Owner = { uid: 0, gid: 0 };

  constructor(
    private readonly path: string,
    private readonly kept: readonly string[],
    private readonly mode: HostMode,
  ) {
    this.key = createHash('sha256').update(path).digest('hex').slice(0, 24);
    this.account = `sh-${this.key}`;
  }

  async begin(): Promise<void> {
    await this.alone(async () => {
      const ids = this.mode.kind === 'privileged' ? this.mode.ids : undefined;
      if (ids) this.owner = await this.findOwner(ids);
      this.mark = await bind(`${this.markPrefix}${this.owner.uid}:${this.owner.gid}-${process.pid}`);
      if (ids) await this.lendTo(idOfAccount(this.account, ids), this.owner);
    });
  }

  /** While it is on loan, those who have it know whose it is. What a killed process left is taken to be its parent's owner's. */
  private async findOwner(ids: IdRange): Promise<Owner> {
    const [, uid, gid] = new RegExp(`@${this.markPrefix}(\\d+):(\\d+)-`).exec(readProc('net/unix') ?? '') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
    const stats = await lstat(this.path);
    return stats.uid === idOfAccount(this.account, ids) ? lstat(dirname(this.path)) : stats;
  }

  end(whenLast?: () => Promise<void>): Promise<void> {
    return this.alone(async () => {
      this.mark?.close();
      const others = (readProc('net/unix') ?? '').includes(`@${this.markPrefix}`);
      if (others) return;
      const { mode } = this;
      if (mode.kind === 'privileged') await this.takeFrom(idOfAccount(this.account, mode.ids), this.owner);
      await whenLast?.();
    });
  }

  private get markPrefix(): string {
    return `airlock-loan-${this.key}-`;
  }

  private async lendTo(id: number, { uid, gid }: Owner): Promise<void> {
    const kept = this.kept.flatMap((name, index) => [...(index === 0 ? [] : ['-o']), '-name', name]);
    const prune = kept.length === 0 ? [] : ['(', ...kept, ')', '-prune', '-o'];
    const whose = ['-uid', String(uid), '-gid', String(gid), '(', '-type', 'd', '-o', '-links', '1', ')'];
    await run('find', ['-P', this.path, '-xdev', ...prune, ...whose, ...changeOwner(`${id}:${id}`)], { env });
  }

  /** All of it: what a jail has made has no second name elsewhere, for no link leaves a mount. */
  private async takeFrom(id: number, { uid, gid }: Owner): Promise<void> {
    await run('find', ['-P', this.path, '-xdev', '-uid', String(id), ...changeOwner(`${uid}:${gid}`)], { env });
  }

  /** The kernel frees an abstract socket with the process that bound it, so that no lock is ever left behind. */
  private async alone<T>(action: () => Promise<T>): Promise<T> {
    const lock = await bindWhenFree(`airlock-lending-${this.key}`);
    try {
      return await action();
    } finally {
      lock.close();
    }
  }
}

const env = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

/** For `find`. The kernel takes set-uid bits away with the owner. */
function changeOwner(to: string): string[] {
  return ['-exec', 'chown', '-h', to, '--', '{}', '+'];
}

const pauseMs = 20;
const patienceMs = 60_000;

async function bindWhenFree(name: string): Promise<Server> {
  // Real time: it is another process that is waited for.
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return await bind(name);
    } catch (error) {
      if (systemCodeOf(error) !== 'EADDRINUSE') throw error;
      if (performance.now() > deadlineMs) {
        throw new UserError('folder-busy', 'Another "airlock sh" is still preparing this folder. Try again later.');
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function bind(name: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.unref().listen(`\0${name}`);
  await once(server, 'listening');
  return server;
}
