/** The ref under which a snapshot is kept in the run's own git directory, so that the run can go back to it. */
export function keptRef(index: number): string {
  return `refs/kept/${index}`;
}

/**
 * Deletes the refs that stdin names for `git update-ref`, and all objects that no other one needs. Nothing may be making
 * objects meanwhile.
 */
export const pruneCommand: readonly string[] = [
  'sh',
  '-c',
  'set -eu\ngit update-ref --stdin\ngit prune --expire=now\n',
  'prune',
];

/** Asks how much all snapshots take. They are loose objects; the base alone is a pack. */
export const sizeCommand: readonly string[] = ['git', 'count-objects', '-v'];

/** Reads what {@link sizeCommand} wrote, in bytes. */
export function parseSize(output: Uint8Array): number {
  const match = /^size: (\d+)$/m.exec(Buffer.from(output).toString('latin1'));
  if (!match) throw new Error('git count-objects answered something unknown');
  return Number(match[1]) * 1024;
}
