import { realpathSync } from 'node:fs';
import { dirname, join, basename } from 'node:path';
import { readProc } from './procfs';

/**
 * Real paths of the Unix sockets that programs of this host have bound to a file: what somebody could connect to who sees
 * that file, for a read-only mount does not keep anyone from it. Sockets that were bound by a relative path, or inside a
 * container's network, are not found.
 */
export function hostSockets(): string[] {
  const lines = (readProc('net/unix') ?? '').split('\n').slice(1);
  const paths = lines.map((line) => line.split(/\s+/).slice(7).join(' ')).filter((path) => path.startsWith('/'));
  return [...new Set(paths)].flatMap(realPath);
}

/** The socket itself may be gone: its folder is what is resolved. */
function realPath(path: string): string[] {
  try {
    return [join(realpathSync(dirname(path)), basename(path))];
  } catch {
    return [];
  }
}
