import { once } from 'node:events';
import { access, chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { homedir, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { isWithin } from '../../base/pathWithin';
import { makeOwnedFolder } from '../privateFolder';
import type { CanaryTargets } from './program';

/** What the host lays out for one canary program, and sees of it afterwards. */
export interface Lure {
  readonly targets: CanaryTargets;
  /** Something connected to the host's own listener. */
  readonly loopbackReached: () => boolean;
  readonly networkReached: () => boolean;
  /** The file is on the host. */
  readonly written: () => Promise<boolean>;
  dispose(): Promise<void>;
}

/**
 * Lays out a secret file, a folder to write to and listeners, for one program alone.
 * @param shown what the jail sees on purpose.
 */
export async function layLure(shown: readonly string[], token: string): Promise<Lure> {
  const folder = await makeOwnedFolder();
  // The jail alone is to keep the canary out of it, not the mode of the folder.
  await chmod(folder, 0o755);
  const secretFile = join(folder, 'secret');
  const open = join(folder, 'open');
  const networkAddress = addressOnNetwork() ?? '';
  const [loopback, network, homeEntry] = await Promise.all([
    listen('127.0.0.1'),
    networkAddress === '' ? undefined : listen(networkAddress),
    entryOfHome(shown),
    writeFile(secretFile, `${token}\n`, { mode: 0o644 }),
    mkdir(open).then(() => chmod(open, 0o777)),
  ]);
  const written = join(open, 'written');
  return {
    targets: {
      secretFile,
      homeEntry,
      writeFile: written,
      loopbackPort: loopback.port,
      networkAddress,
      networkPort: network?.port ?? 0,
      hostPid: process.pid,
    },
    loopbackReached: loopback.reached,
    networkReached: () => network?.reached() ?? false,
    written: () => exists(written),
    async dispose() {
      loopback.server.close();
      network?.server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Listener {
  readonly server: Server;
  readonly port: number;
  readonly reached: () => boolean;
}

async function listen(address: string): Promise<Listener> {
  let reached = false;
  const server = createServer((socket) => {
    reached = true;
    socket.on('error', () => {}).destroy();
  });
  server.unref().listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  return { server, port: bound !== null && typeof bound === 'object' ? bound.port : 0, reached: () => reached };
}

function addressOnNetwork(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find((address) => !address.internal && address.family === 'IPv4')?.address;
}

/** Something in the home folder that is not shown on purpose. Empty when there is nothing to be seen. */
async function entryOfHome(shown: readonly string[]): Promise<string> {
  const home = homedir();
  const names = await readdir(home).catch(() => []);
  const paths = names.map((name) => join(home, name));
  const hidden = paths.find((path) => !shown.some((at) => isWithin(at, path) || isWithin(path, at)));
  return hidden ?? '';
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
