import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { systemCodeOf, UserError } from '../base/errors';
import { ClientConnection, type ConnectionOptions } from './clientConnection';

/** The kernel's limit for the path of a Unix socket, without its closing zero. */
const maxSocketPathBytes = 107;
/** Windows and commands of one user; more is somebody's mistake. */
const maxClients = 64;

export interface GatewayOptions extends ConnectionOptions {
  /** Absolute, at most 107 bytes. Its folder is made for its user alone if it is not there. */
  readonly socketPath: string;
}

export interface GatewayServer {
  readonly clients: number;
  /** Hangs up on every client and takes the socket away. The executor goes on. */
  close(): Promise<void>;
}

/**
 * Serves an executor to the other processes of its user. Call it as the owner of the storage alone: a socket that an
 * earlier owner left is replaced.
 * @throws {UserError} `socket-path-too-long`.
 */
export async function serveExecutor(options: GatewayOptions): Promise<GatewayServer> {
  const { socketPath } = options;
  if (Buffer.byteLength(socketPath) > maxSocketPathBytes) {
    throw new UserError(
      'socket-path-too-long',
      `The path of the executor's socket is longer than ${maxSocketPathBytes} bytes. Choose a shorter runtime folder.`,
      { socketPath },
    );
  }
  await mkdir(path.dirname(socketPath), { recursive: true, mode: 0o700 });
  const clients = new Set<ClientConnection>();
  const server = createServer((socket) => admit(socket, clients, options));
  server.maxConnections = maxClients;
  await listen(server, socketPath);
  const inode = (await lstat(socketPath)).ino;
  return {
    get clients() {
      return clients.size;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const client of [...clients]) client.dispose();
      await closed;
      await removeOwn(socketPath, inode);
    },
  };
}

function admit(socket: Socket, clients: Set<ClientConnection>, options: ConnectionOptions): void {
  const client = new ClientConnection(socket, options, () => clients.delete(client));
  clients.add(client);
}

/**
 * Listens under another name first and then moves the socket to its place: so it has its mode before anybody can find it,
 * and takes the place of what a dead owner left in one step.
 */
async function listen(server: Server, socketPath: string): Promise<void> {
  // A short name, because the limit is on the whole path.
  const temporary = path.join(path.dirname(socketPath), `.${randomBytes(3).toString('hex')}`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(temporary, resolve);
  });
  try {
    await chmod(temporary, 0o600);
    await rename(temporary, socketPath);
  } catch (error) {
    server.close();
    throw error;
  }
}

/** A successor may have put its own socket there already. */
async function removeOwn(socketPath: string, inode: number): Promise<void> {
  try {
    if ((await lstat(socketPath)).ino === inode) await rm(socketPath, { force: true });
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
}
