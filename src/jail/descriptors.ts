import { readdirSync } from 'node:fs';
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
    .filter((fd) => fd > last)
    .filter((fd) => {
      const flags = /^flags:\s+([0-7]+)/m.exec(readProc(`self/fdinfo/${fd}`) ?? '')?.[1];
      return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
    });
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
