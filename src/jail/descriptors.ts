import { fstatSync, readdirSync } from 'node:fs';
import { readProc } from './procfs';

/** `O_CLOEXEC` in the octal `flags` of `/proc/self/fdinfo`. */
const closeOnExec = 0o2000000;

/**
 * Descriptors above `last` that a program started now would inherit. Node opens everything close-on-exec; a native module
 * in the same process, or whoever started it, may not have.
 */
export function inheritedDescriptors(last: number): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > last && isInherited(fd));
}

/** Descriptors that were found to be close-on-exec, with the file they stood for: reading each one's flags takes 1 ms. */
const closed = new Set<string>();
const mostRemembered = 4096;

function isInherited(fd: number): boolean {
  const identity = identityOf(fd);
  if (identity === undefined || closed.has(identity)) return false;
  const flags = /^flags:\s+([0-7]+)/m.exec(readProc(`self/fdinfo/${fd}`) ?? '')?.[1];
  if (flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0) return true;
  if (closed.size >= mostRemembered) closed.clear();
  closed.add(identity);
  return false;
}

function identityOf(fd: number): string | undefined {
  try {
    const { dev, ino } = fstatSync(fd);
    return `${fd} ${dev} ${ino}`;
  } catch {
    // The listing's own descriptor is gone by now.
    return undefined;
  }
}

const closingScript = [
  'last=$1; shift',
  'for path in /proc/self/fd/*; do fd=${path##*/}; if ((fd > last)); then exec {fd}>&-; fi; done',
  'exec /usr/bin/env -i "$@"',
].join('\n');

/** `argv` behind a shell that first closes every descriptor above `last`. */
export function closingDescriptors(argv: readonly string[], last: number): string[] {
  // `--norc`: with a socket as its input, bash takes itself for a remote login and would run the user's start-up file.
  return ['/bin/bash', '--norc', '--noprofile', '-p', '-c', closingScript, 'bash', String(last), ...argv];
}
