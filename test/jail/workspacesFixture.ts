import { readdirSync, readFileSync, readlinkSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../../src/base/ids';
import type { RunId } from '../../src/core/ids';
import { jailPolicySchema, type Mount } from '../../src/core/jailPolicy';
import type { Workspace, Workspaces } from '../../src/core/workspace';
import { createJails, type LocalJails } from '../../src/jail/jails';
import { createWorkspaces, type WorkspacesOptions } from '../../src/workspaces/workspaces';
import { makeTempFolder, removeFolder } from '../unit/workspaces/sampleRepository';

/** Workspaces over real jails, in a folder of their own. */
export class WorkspacesFixture {
  readonly top = makeTempFolder();
  readonly workspaces: Workspaces;
  readonly storage: string;
  readonly jails: LocalJails;
  private readonly hasOwnJails: boolean;

  /**
   * `jails` are those of several tests, since finding out what the host can do takes longer than many a test; they stay.
   * `storage` is that of another one, as a later process finds it.
   */
  constructor({ jails, storage }: { readonly jails?: LocalJails; readonly storage?: string } = {}) {
    this.storage = storage ?? join(this.top, 'storage');
    this.jails = jails ?? createJails();
    this.hasOwnJails = jails === undefined;
    this.workspaces = this.workspacesWith({});
  }

  folder(name: string): string {
    return join(this.top, name);
  }

  workspacesWith(options: Partial<WorkspacesOptions>): Workspaces {
    return createWorkspaces({ jails: this.jails, storage: this.storage, ...options });
  }

  runFolder(runId: RunId): string {
    return join(this.storage, 'runs', runId);
  }

  open(repo: string): Promise<Workspace> {
    return this.workspaces.create({ runId: newId('run'), repo });
  }

  /** Does in the workspace what an agent could do. @returns what it printed. @throws {Error} when it failed. */
  agent(workspace: Workspace, script: string): Promise<string> {
    return this.inJail(workspace, workspace.mounts, script);
  }

  async inJail(
    workspace: Workspace,
    mounts: readonly Mount[],
    script: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const result = await this.jails.run({
      policy: jailPolicySchema.parse({ account: workspace.runId, mounts: [...mounts], environment }),
      argv: ['bash', '-ec', script],
    });
    const output = Buffer.from(result.output).toString();
    if (result.exitCode !== 0) throw new Error(`exit code ${result.exitCode}: ${output}`);
    return output;
  }

  async dispose(): Promise<void> {
    if (this.hasOwnJails) await this.jails.shutdown();
    await this.jails.remove(this.top);
    removeFolderIfAny(this.top);
  }
}

function removeFolderIfAny(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })) removeFolder(folder);
}

/** Everything in a folder: each path with its mode and content. Links are not followed. */
export function contentsOf(folder: string, below = ''): Record<string, string> {
  const contents: Record<string, string> = {};
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    const stats = lstatSync(join(folder, path));
    const mode = (stats.mode & 0o777).toString(8);
    if (stats.isDirectory()) Object.assign(contents, { [`${path}/`]: mode }, contentsOf(folder, path));
    else if (stats.isSymbolicLink()) contents[path] = `-> ${readlinkSync(join(folder, path))}`;
    else contents[path] = `${mode} ${readFileSync(join(folder, path), 'latin1')}`;
  }
  return contents;
}
