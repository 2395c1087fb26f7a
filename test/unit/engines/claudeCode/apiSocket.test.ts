import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../../src/base/errors';
import { apiSocketName, type ApiSocket, openApiSocket } from '../../../../src/engines/claudeCode/apiSocket';
import { screenRequest } from '../../../../src/engines/claudeCode/apiRequest';
import { ModelRelay } from '../../../../src/engines/claudeCode/modelRelay';
import type { ConversationMessage } from '../../../../src/core/engine';
import { noUsage } from '../../../../src/core/usage';
import { MemoryHost } from '../harness';

const body = {
  model: 'claude-sonnet-5-5',
  max_tokens: 1000,
  messages: [{ role: 'user', content: 'Hi' }],
  tools: [{ name: 'Bash', description: 'x', input_schema: {} }],
  stream: true,
};
const answer: ConversationMessage = {
  role: 'assistant',
  content: [
    { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
    { type: 'text', text: 'Hello.' },
    { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } },
  ],
  messageId: 'msg_1',
  stopReason: 'tool_use',
  model: 'claude-sonnet-5-5',
  usage: { ...noUsage, inputTokens: 7, outputTokens: 3 },
};

interface Reply {
  readonly status: number;
  readonly text: string;
}

describe('the socket to the model, as something hostile in the jail sees it', () => {
  let folder: string;
  let socket: ApiSocket;
  let host: MemoryHost;
  /** What was sent on to the server. */
  let sent: unknown[];
  /** What goes with it, of what the asker said beside the question. */
  let sentHeaders: unknown[];
  let failure: Error | undefined;
  let ends: unknown[];
  let release: Promise<void>;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'airlock-socket-'));
    host = new MemoryHost();
    [sent, sentHeaders, ends, release, failure] = [[], [], [], Promise.resolve(), undefined];
    const relay = new ModelRelay({
      conversation: {
        systemPrompt: '',
        model: 'claude-sonnet-5-5',
        tools: [],
        maxTurns: 3,
        maxOutputTokens: 1000,
        history: [],
        host,
        signal: new AbortController().signal,
      },
      ask: async (asked, headers) => {
        if (failure) throw failure;
        sent.push(asked.body);
        sentHeaders.push(headers);
        await release;
        return answer;
      },
      onEnd: (end) => ends.push(end),
      onToolResult: () => Promise.resolve(),
    });
    socket = await openApiSocket({ folder, answer: (json, headers) => relay.answer(json, headers) });
  });
  afterEach(async () => {
    await socket.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function asks(content: unknown, { method = 'POST', url = '/v1/messages', headers = {} } = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const asking = request(
        { socketPath: path.join(folder, apiSocketName), method, path: url, headers },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      asking.on('error', reject).end(typeof content === 'string' ? content : JSON.stringify(content));
    });
  }

  it('answers what the run may ask, streamed or whole', async () => {
    const streamed = await asks(body);
    assert.equal(streamed.status, 200);
    const types = [...streamed.text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
    assert.deepEqual([types[0], types.at(-1), types.length], ['message_start', 'message_stop', 13]);
    const whole = await asks({ ...body, stream: false });
    assert.deepEqual(z.looseObject({ content: z.unknown() }).parse(JSON.parse(whole.text)).content, answer.content);
  });

  it('answers the same question from the record, and pays for it once', async () => {
    const [first, second] = [await asks(body), await asks(body)];
    assert.deepEqual([second, sent.length], [first, 1]);
    assert.deepEqual(
      host.messages.map(({ role }) => role),
      ['user', 'assistant'],
    );
  });

  for (const [what, changes] of Object.entries<Record<string, unknown>>({
    'another model': { model: 'claude-opus-5-5' },
    'longer answers': { max_tokens: 1001 },
    'the server’s web fetch': { tools: [{ type: 'web_fetch_20250910', name: 'web_fetch' }] },
    'the server’s code execution': { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
    'an image by address': {
      messages: [
        { role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'http://evil.example/?data' } }] },
      ],
    },
    'an image by address in the result of a tool': {
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'a',
              content: [{ type: 'image', source: { type: 'url', url: 'http://evil.example/' } }],
            },
          ],
        },
      ],
    },
    'a file of the account': {
      messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }] }],
    },
    'no conversation at all': { messages: [] },
    'a malformed conversation': { messages: 'all of it' },
  })) {
    it(`lets ${what} not through`, async () => {
      assert.equal((await asks({ ...body, ...changes })).status, 400);
      assert.deepEqual([sent, host.messages], [[], []]);
    });
  }

  it('drops fields that may be a way out or cost more', async () => {
    await asks({
      ...body,
      mcp_servers: [{ type: 'url', url: 'http://evil.example', name: 'x' }],
      container: 'c',
      service_tier: 'priority',
      speed: 'fast',
      inference_geo: 'x',
    });
    assert.deepEqual(sent, [body]);
  });

  for (const [method, url] of [
    ['GET', '/v1/messages'],
    ['POST', '/v1/messages/batches'],
    ['POST', '/v1/messages/../files'],
    ['GET', '/v1/files'],
    ['POST', '/v1/complete'],
    ['POST', 'http://evil.example/v1/messages'],
    ['GET', '/v1/organizations/api_keys'],
  ] as const) {
    it(`finds nothing at ${method} ${url}`, async () => {
      const expected = url.startsWith('http://') ? 200 : 404;
      // An address with another host is still this very model: nobody looks at the host.
      assert.equal((await asks(body, { method, url })).status, expected);
    });
  }

  it('hears no header of the asker’s making but the names of features', async () => {
    const made = {
      'x-api-key': 'sk-of-the-agent',
      authorization: 'Bearer of-the-agent',
      'anthropic-version': '1999-01-01',
      'anthropic-beta': 'some-feature-2025-01-01',
      host: 'evil.example',
      cookie: 'a=b',
      'x-forwarded-for': '1.2.3.4',
    };
    assert.equal((await asks(body, { headers: made })).status, 200);
    assert.deepEqual(sentHeaders, [{ betas: 'some-feature-2025-01-01' }]);
  });

  it('answers nothing that the budget does not let through, however often it is asked', async () => {
    failure = new UserError('budget-spent', 'This task has spent what it may.');
    for (const words of ['1', '2']) {
      const { status, text } = await asks({ ...body, messages: [{ role: 'user', content: words }] });
      assert.deepEqual([status, text.includes('the run stops here')], [400, true]);
    }
    assert.deepEqual(sent, []);
    // The first one ended it.
    assert.deepEqual(ends, [{ kind: 'failed', error: failure }]);
  });

  it('takes no CONNECT', async () => {
    await assert.rejects(asks('', { method: 'CONNECT', url: 'evil.example:443' }));
  });

  it('takes no body without an end', async () => {
    const { status } = await asks(`{"messages": "${'x'.repeat(33 * 1024 ** 2)}"}`);
    assert.equal(status, 413);
  });

  it('counts every question as a turn of the run, and answers no more than those', async () => {
    for (const words of ['1', '2', '3', '4']) await asks({ ...body, messages: [{ role: 'user', content: words }] });
    assert.equal(sent.length, 3);
    assert.deepEqual(ends, [{ kind: 'turnLimit', turns: 3 }]);
  });

  it('asks one thing at a time, and lets only a few wait', async () => {
    let open = (): void => {};
    release = new Promise((resolve) => (open = resolve));
    const replies = Array.from({ length: 12 }, (_, index) =>
      asks({ ...body, messages: [{ role: 'user', content: String(index) }] }),
    );
    let refused = 0;
    await new Promise<void>((resolve) => {
      for (const reply of replies)
        void reply.then(({ status }) => {
          if (status === 429 && (refused += 1) === 4) resolve();
        });
    });
    assert.equal(sent.length, 1);
    open();
    const statuses = (await Promise.all(replies)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 429).length, 4);
  });
});

describe('a question to the model', () => {
  const nudge = 'Continue from where you left off.';
  const limits = { model: 'claude-sonnet-5-5', maxOutputTokens: 1000 };
  const digest = (changes: Record<string, unknown>): string =>
    screenRequest(JSON.stringify({ ...body, ...changes }), limits).digest;

  it('is the same whatever day it is and whatever is cached', () => {
    const reminded = [
      {
        role: 'user',
        content: [
          { type: 'text', text: '<system-reminder>\nToday is Monday.\n</system-reminder>' },
          { type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } },
        ],
      },
    ];
    assert.equal(digest({ messages: reminded, system: 'On Monday', metadata: { user_id: 'a' } }), digest({}));
  });

  it('is the same when it is taken up after an interruption, and whatever tools of servers are ready', () => {
    const nudged = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hi\n' },
          { type: 'text', text: nudge },
        ],
      },
    ];
    assert.equal(digest({ messages: nudged, tools: [...body.tools, { name: 'mcp__files__read' }] }), digest({}));
  });

  it('is another one when anything else was said', () => {
    assert.notEqual(digest({ messages: [{ role: 'user', content: 'Ho' }] }), digest({}));
    assert.notEqual(digest({ tools: [] }), digest({}));
  });
});
