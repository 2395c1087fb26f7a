import path from 'node:path';

/**
 * Resolves the name that a task gives to one of the repositories that are open or allowed: by the name of its folder, or by
 * its whole path when that is one of them. Without a name the only repository is meant. `null` where it is not clear: the
 * user is asked then.
 */
export function repositoryResolver(repositories: () => readonly string[]): (name: string | undefined) => string | null {
  return (name) => {
    const known = repositories();
    const fitting =
      name === undefined ? known : known.filter((folder) => folder === name || path.basename(folder) === name);
    const [only, ...others] = fitting;
    return only !== undefined && others.length === 0 ? only : null;
  };
}
