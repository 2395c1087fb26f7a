import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';

/** What a server answers to a request of the protocol; `undefined` for what needs no answer. */
const answers = `
const tools = [
  { name: 'echo', description: 'Says it again.', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } },
  { name: 'look', description: 'Looks round.', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
  { name: 'no name at all!', inputSchema: { type: 'object' } },
];
function answer({ id, method, params }, look, listed) {
  if (id === undefined) return undefined;
  const result = (value) => ({ jsonrpc: '2.0', id, result: value });
  if (method === 'initialize')
    return result({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'fake', version: '1' } });
  if (method === 'tools/list') return result(listed ? listed() : { tools });
  const picture = params?.arguments?.picture;
  if (picture) return result({ content: [{ type: 'text', text: 'see' }, { type: 'image', data: picture, mimeType: 'image/png' }] });
  if (params?.name === 'look') return result({ content: [{ type: 'text', text: look() }] });
  return result({ content: [{ type: 'text', text: String(params?.arguments?.text) }] });
}
`;

/** A server as a program for \`node -e\`: it looks round in its jail. */
export const mcpScript = `${answers}
const { readdirSync } = require('node:fs');
const look = () => JSON.stringify({
  workspace: readdirSync('/workspace'), home: process.env.HOME, token: process.env.TOKEN ?? null,
  proxy: process.env.HTTPS_PROXY !== undefined, uid: process.getuid(), processes: readdirSync('/proc').filter((p) => /^[0-9]+$/.test(p)).length < 20,
});
console.log('chatter before the first message');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const said = answer(JSON.parse(line), look);
  if (said) console.log(JSON.stringify(said));
});
`;

const answerOf = runInNewContext(`${answers} answer`) as (
  message: unknown,
  look: () => string,
  listed?: () => unknown,
) => unknown;

export interface FakeMcpServer {
  readonly url: string;
  readonly headers: IncomingHttpHeaders[];
  close(): Promise<void>;
}

/** The same over HTTP; `look` tells its token. `redirect`: it sends everybody there. `listed`: what it says that it has. */
export async function startFakeMcpServer({
  redirect,
  listed,
}: { readonly redirect?: string; readonly listed?: () => unknown } = {}): Promise<FakeMcpServer> {
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    headers.push(request.headers);
    if (redirect !== undefined) return void response.writeHead(307, { location: redirect }).end();
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
    request.on('end', () => {
      const said = answerOf(JSON.parse(body), () => String(request.headers.authorization), listed);
      if (said === undefined) return void response.writeHead(202).end();
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    headers,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
