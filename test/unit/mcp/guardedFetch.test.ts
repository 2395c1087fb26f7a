import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { guardedFetch } from '../../../src/mcp/guardedFetch';

describe('asking a server on the network', () => {
  it('fails for an answer that no answer may be, and the process goes on', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\nhi');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      await assert.rejects(guardedFetch(['127.0.0.1'])(`http://127.0.0.1:${port}/`), /answers what is no HTTP/);
    } finally {
      server.close();
    }
  });

  it('is refused for an address of this machine that the user has not allowed', async () => {
    await assert.rejects(guardedFetch([])('http://127.0.0.1:9/'), /leads to no public address/);
  });
});
