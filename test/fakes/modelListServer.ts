import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';

export interface ModelListServer {
  readonly baseUrl: string;
  /** Method, address and key of each request, in order. */
  readonly requests: readonly { readonly what: string; readonly key: string; readonly betas: string | undefined }[];
  close(): Promise<void>;
}

/** A server on loopback that has nothing but what `answer` does. */
export async function startModelListServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<ModelListServer> {
  const requests: { what: string; key: string; betas: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    requests.push({
      what: `${request.method} ${request.url}`,
      key: authorization,
      betas: request.headers['anthropic-beta']?.toString(),
    });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function writeJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
