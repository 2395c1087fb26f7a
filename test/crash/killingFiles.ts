// Stands in the place of `node:fs/promises` in a build of its own: before the file operation of a given number the process is killed,
// as by SIGKILL from outside. So a kill can be put between any two steps that reach the disk.
import * as real from 'node:fs/promises';

const killBefore = Number(process.env['AIRLOCK_KILL_BEFORE'] ?? 0);
let done = 0;

function step(): void {
  done += 1;
  if (done === killBefore) process.kill(process.pid, 'SIGKILL');
}

/** How many operations there were. */
export function operations(): number {
  return done;
}

const changing = new Set(['write', 'writeFile', 'sync', 'datasync', 'truncate']);

function watched(handle: real.FileHandle): real.FileHandle {
  return new Proxy(handle, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (changing.has(String(name))) step();
        return Reflect.apply(value, target, args);
      };
    },
  });
}

export * from 'node:fs/promises';

export const open: typeof real.open = async (...args) => {
  step();
  return watched(await real.open(...args));
};
export const rename: typeof real.rename = async (...args) => {
  step();
  await real.rename(...args);
};
export const rm: typeof real.rm = async (...args) => {
  step();
  await real.rm(...args);
};
