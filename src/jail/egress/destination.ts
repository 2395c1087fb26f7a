import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { messageOf } from '../../base/errors';
import type { EgressConnection } from '../../core/jail';
import { type AllowedDomain, isAllowed, normalizedHost } from './allowlist';
import { isPublicAddress } from '../../base/publicAddress';

/** How the proxy reaches the world. */
export interface EgressPorts {
  /** Every address of a name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Starts to connect; the socket tells how that ended by its events. */
  readonly connect: (address: string, port: number) => Socket;
}

export const realEgressPorts: EgressPorts = {
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  connect: (address, port) => connect({ host: address, port }),
};

const connectTimeoutMs = 15_000;

/** Why a jail does not get through. `status` is what the proxy answers it. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';

  constructor(
    readonly status: 403 | 502,
    message: string,
  ) {
    super(message);
  }
}

export interface DestinationContext {
  readonly allowlist: readonly AllowedDomain[];
  readonly ports: EgressPorts;
  readonly onConnection: (connection: EgressConnection) => void;
}

/**
 * Connects to a host that the policy names. The name is resolved once, and it is the checked address that is connected to, so
 * that a name cannot change its meaning in between.
 * @throws {EgressRefused}
 */
export async function openDestination(host: string, port: number, context: DestinationContext): Promise<Socket> {
  const told = { host: host.slice(0, 255), port };
  try {
    const address = await checkedAddress(host, port, context);
    const socket = await connected(context.ports.connect(address, port));
    context.onConnection({ ...told, kind: 'allowed', address });
    return socket;
  } catch (error) {
    const refused = error instanceof EgressRefused ? error : new EgressRefused(502, messageOf(error));
    context.onConnection({ ...told, kind: refused.status === 403 ? 'refused' : 'failed', reason: refused.message });
    throw refused;
  }
}

async function checkedAddress(host: string, port: number, { allowlist, ports }: DestinationContext): Promise<string> {
  const name = normalizedHost(host);
  if (name === undefined) throw new EgressRefused(403, 'only names of hosts can be connected to, no addresses');
  if (!isAllowed(allowlist, name, port))
    throw new EgressRefused(403, 'the network policy of this jail does not name it');
  const addresses = await ports.resolve(name).catch((error: unknown) => {
    throw new EgressRefused(502, `the name could not be resolved: ${messageOf(error)}`);
  });
  const address = addresses.find((each) => isPublicAddress(each));
  if (address !== undefined) return address;
  throw new EgressRefused(403, 'the name leads to no public address');
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => {
      socket.destroy();
      reject(new EgressRefused(502, message));
    };
    socket.setTimeout(connectTimeoutMs, () => fail('the connection could not be made in time'));
    socket.once('error', (error) => fail(`the connection could not be made: ${error.message}`));
    socket.once('connect', () => {
      socket
        .removeAllListeners('timeout')
        .removeAllListeners('error')
        .on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}
