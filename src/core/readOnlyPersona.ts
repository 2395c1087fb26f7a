import { type Mount, workspaceInJail } from './jailPolicy';
import { type Persona, type ToolName, writingTools } from './persona';

/** The tools of a persona, whatever its list says: one that may only read has none that write. */
export function toolsOf({ tools, workspace }: Persona): readonly ToolName[] {
  return workspace === 'read' ? tools.filter((tool) => !writingTools.includes(tool)) : tools;
}

/** What a session of this persona sees of the run's copy: it is the mount, and no rule for the model, that keeps it from being written. */
export function workspaceFor({ workspace }: Pick<Persona, 'workspace'>, mounts: readonly Mount[]): readonly Mount[] {
  if (workspace === 'write') return mounts;
  return mounts.map((mount) => (isInWorkspace(mount) ? { ...mount, access: 'read' } : mount));
}

function isInWorkspace({ at }: Mount): boolean {
  return at === workspaceInJail || at.startsWith(`${workspaceInJail}/`);
}
