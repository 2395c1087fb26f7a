import { lookup as resolve } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { messageOf } from '../base/errors';
import { isPublicAddress } from '../base/publicAddress';

/** Answers of a whole conversation come on one stream; more than this on one is no use of tools. */
const maxBodyBytes = 64 * 1024 ** 2;

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * Asks a server on the network from this host. A name is resolved once, and what is connected to is the address that was looked
 * at: one of this machine or of a private network is refused, unless the user has allowed that host. No redirect is followed.
 * @param privateHosts `host` or `host:port`.
 */
export function guardedFetch(privateHosts: readonly string[]): Fetch {
  return async (address, init = {}) => {
    const url = new URL(address);
    const isPrivateAllowed = privateHosts.includes(url.hostname) || privateHosts.includes(url.host);
    const at = await checkedAddress(url.hostname.replace(/^\[|\]$/g, ''), isPrivateAllowed);
    const lookup: LookupFunction = (_host, options, done) => {
      const family = isIP(at);
      if (options.all) done(null, [{ address: at, family }]);
      else done(null, at, family);
    };
    return sent(url, init, lookup);
  };
}

async function checkedAddress(host: string, isPrivateAllowed: boolean): Promise<string> {
  const found = isIP(host) !== 0 ? [host] : (await resolve(host, { all: true })).map(({ address }) => address);
  const address = found.find((each) => isPrivateAllowed || isPublicAddress(each));
  if (address !== undefined) return address;
  throw new Error(`${host} leads to no public address; the setting airlock.mcp.privateHosts can allow it`);
}

function sent(url: URL, init: RequestInit, lookup: LookupFunction): Promise<Response> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((done, fail) => {
    const asking = send(url, {
      method: init.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init.headers)),
      lookup,
      ...(init.signal ? { signal: init.signal } : {}),
    });
    const failWith = (words: string, error: unknown): void =>
      fail(new Error(`${url.host} ${words}: ${messageOf(error)}`, { cause: error }));
    asking.on('response', (answer) => {
      try {
        done(responseOf(answer));
      } catch (error) {
        // A status or a header that no answer may have: thrown out of here it would end the process.
        answer.destroy();
        failWith('answers what is no HTTP', error);
      }
    });
    asking.on('error', (error) => failWith('cannot be reached', error));
    asking.end(typeof init.body === 'string' ? init.body : undefined);
  });
}

function responseOf(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 502;
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) headers.set(name, [value ?? ''].flat().join(', '));
  if (![204, 205, 304].includes(status)) return new Response(boundedBody(answer), { status, headers });
  answer.resume();
  return new Response(null, { status, headers });
}

function boundedBody(answer: IncomingMessage): ReadableStream<Uint8Array> {
  let bytes = 0;
  return new ReadableStream({
    async start(controller) {
      try {
        for await (const piece of answer as AsyncIterable<Buffer>) {
          bytes += piece.length;
          if (bytes > maxBodyBytes) throw new Error('its answer is too long');
          controller.enqueue(new Uint8Array(piece));
        }
        controller.close();
      } catch (error) {
        answer.destroy();
        controller.error(error);
      }
    },
    cancel() {
      answer.destroy();
    },
  });
}
