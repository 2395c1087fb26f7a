/** Folders that a search leaves out unless it names them: they hold much and say little. */
const usuallyPruned = ['.git', 'node_modules'];

/** The folders to leave out of a search for `what`. */
export function prunedFolders(what: string): string[] {
  const names = new Set(what.split('/'));
  return usuallyPruned.filter((name) => !names.has(name));
}

/** A path that no program takes for an option, without slashes at its end. */
export function searchPath(path: string): string {
  const plain = path.replace(/\/+$/, '') || '/';
  return /^[/.]/.test(plain) ? plain : `./${plain}`;
}
