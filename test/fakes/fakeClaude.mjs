#!/usr/bin/env node
// A stand-in for Claude Code: it speaks the same lines on its standard streams, asks the same socket, does real tools, and
// writes its session down. What it is to do wrong stands in what it is told, as `fake: <trap>`; each trap but `old` shuts once.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setInterval } from 'node:timers';

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
if (process.argv.includes('--version')) {
  console.log('2.1.999 (Claude Code)');
  process.exit(0);
}
const config = process.env.CLAUDE_CONFIG_DIR;
const isResumed = process.argv.includes('--resume');
const isFork = process.argv.includes('--fork-session');
const sessionId = isResumed && !isFork ? option('--resume') : option('--session-id');
const fileOf = (id) => `${config}/projects/fake/${id}.jsonl`;
const sessionFile = fileOf(sessionId);
const from = option('--resume');
if (isResumed && !existsSync(fileOf(from))) {
  console.error(`No conversation found with session ID: ${from}`);
  process.exit(1);
}
const messages = isResumed
  ? readFileSync(fileOf(from), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : [];
/** The model's ids of its messages are written down, and not said again. */
const said = ({ role, content }) => ({ role, content });
const offered = option('--tools')
  .split(',')
  .filter((name) => name !== '');
const waiting = new Map();
let asked = 0;
let costUsd = 0;

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
function keep() {
  mkdirSync(`${config}/projects/fake`, { recursive: true });
  writeFileSync(sessionFile, messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
}

/** A trap that is named in the conversation shuts once. */
function trap(name) {
  const mark = `${config}/trap-${name}`;
  if (!JSON.stringify(messages).includes(`fake: ${name}`) || existsSync(mark)) return false;
  writeFileSync(mark, '');
  return true;
}

function ask(body) {
  const answer = new Promise((resolve) => waiting.set(`ask-${(asked += 1)}`, resolve));
  say({ type: 'control_request', request_id: `ask-${asked}`, request: body });
  return answer;
}

const hook = (callback, event, use, more) =>
  ask({
    subtype: 'hook_callback',
    callback_id: callback,
    input: { hook_event_name: event, tool_name: use.name, tool_input: use.input, tool_use_id: use.id, ...more },
    tool_use_id: use.id,
  });

/** One question to a server that is reached through our own lines. */
async function askServer(server, method, params) {
  const message = { jsonrpc: '2.0', id: asked, method, params };
  const { mcp_response: answer } = await ask({ subtype: 'mcp_message', server_name: server, message });
  if (answer.error) throw new Error(answer.error.message);
  return answer.result;
}

/** Tools of servers, by the names that the model calls them by. */
const served = new Map();

async function listTools(server) {
  for (const [name, at] of served) if (at.server === server) served.delete(name);
  const { tools } = await askServer(server, 'tools/list', {});
  for (const tool of tools) served.set(`mcp__${server}__${tool.name}`, { server, tool });
}

async function connect(servers) {
  for (const server of servers) {
    await askServer(server, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: {} });
    await listTools(server);
  }
}

async function useServed({ server, tool }, block) {
  const _meta = JSON.stringify(messages).includes('fake: names no use') ? {} : { 'claudecode/toolUseId': block.id };
  const { content, isError } = await askServer(server, 'tools/call', {
    name: tool.name,
    arguments: block.input,
    _meta,
  });
  const text = content.map((part) => part.text ?? '').join('');
  if (isError) throw new Error(text);
  const images = content
    .filter(({ type }) => type === 'image')
    .map(({ data, mimeType }) => ({ type: 'image', source: { type: 'base64', media_type: mimeType, data } }));
  return { text, response: content, images };
}

/** One request to the model, with the events of its answer put together. */
function model() {
  const body = JSON.stringify({
    model: process.env.ANTHROPIC_MODEL,
    max_tokens: Number(process.env.CLAUDE_CODE_MAX_OUTPUT_TOKENS),
    system: [{ type: 'text', text: `You are a fake, ${Math.random()}.` }],
    tools: offered
      .map((name) => ({ name, description: name, input_schema: { type: 'object' } }))
      .concat([...served].map(([name, { tool }]) => ({ name, input_schema: tool.inputSchema }))),
    messages: messages.map(said).map((message, index) =>
      index === 0
        ? {
            ...message,
            content: [{ type: 'text', text: '<system-reminder>today</system-reminder>' }, ...message.content],
          }
        : message,
    ),
    stream: true,
  });
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        socketPath: process.env.ANTHROPIC_UNIX_SOCKET,
        method: 'POST',
        path: '/v1/messages?beta=true',
        headers: {
          'x-api-key': process.env.ANTHROPIC_API_KEY,
          'anthropic-beta': 'claude-code-20250219,mcp-client-2025-11-20',
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('end', () => {
          const events = text
            .split('\n')
            .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []));
          const failure = response.statusCode === 200 ? events.find(({ type }) => type === 'error') : JSON.parse(text);
          if (failure) return reject(new Error(failure.error.message));
          const content = [];
          for (const { type, index, content_block: block, delta } of events) {
            if (type === 'content_block_start') content[index] = block;
            if (delta?.type === 'text_delta') content[index].text += delta.text;
            if (delta?.type === 'input_json_delta') content[index].input = JSON.parse(delta.partial_json);
          }
          resolve({ content, id: events[0].message.id });
        });
        response.on('error', reject);
      },
    );
    asking.on('error', reject).end(body);
  });
}

const tools = {
  Bash: ({ command }) => {
    const stdout = execFileSync('bash', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const text = stdout.trimEnd();
    return { text, response: { stdout: text, stderr: '' } };
  },
  Write: ({ file_path: path, content }) => {
    writeFileSync(path, content);
    return { text: `File created at ${path}`, response: { filePath: path } };
  },
  Read: ({ file_path: path }) => {
    const content = readFileSync(path, 'utf8');
    return { text: content, response: { file: { content } } };
  },
};

async function use(block) {
  const result = (told, isError) => ({ type: 'tool_result', tool_use_id: block.id, content: told, is_error: isError });
  if (!offered.includes(block.name) && !served.has(block.name)) return result(`No such tool: ${block.name}`, true);
  const leave = (await hook('begin', 'PreToolUse', block))?.hookSpecificOutput;
  if (leave?.permissionDecision !== 'allow') return result(leave?.permissionDecisionReason ?? 'denied', true);
  if (trap('dies before the tool')) process.exit(3);
  try {
    const at = served.get(block.name);
    const { text, response, images = [] } = at ? await useServed(at, block) : tools[block.name](block.input);
    const news = await hook('end', 'PostToolUse', block, { tool_response: response });
    if (trap('dies after the tool')) process.exit(3);
    const told = text + (news?.hookSpecificOutput?.additionalContext ?? '');
    return result(images.length > 0 ? [{ type: 'text', text: told }, ...images] : told, false);
  } catch (error) {
    await hook('end', 'PostToolUseFailure', block, { error: String(error.message) });
    return result(String(error.message), true);
  }
}

/** What was refused is asked for again, whatever the answer said of that. */
async function persistently(ask) {
  const tries = JSON.stringify(messages).includes('fake: asks again and again') ? 4 : 0;
  for (let left = tries; left > 0; left -= 1) {
    try {
      return await ask();
    } catch {
      // As one does that thinks it will pass.
    }
  }
  return ask();
}

async function turn() {
  say({ type: 'system', subtype: 'init', session_id: sessionId });
  keep();
  if (trap('says garbage')) process.stdout.write('Segmentation fault?\n{"half":\n[1]\n');
  if (trap('falls silent')) return;
  if (trap('closes its input and hangs')) {
    process.stdin.destroy();
    setInterval(() => {}, 1000);
    return;
  }
  if (trap('exits without result')) process.exit(0);
  for (;;) {
    const { content, id } = await persistently(model);
    costUsd += JSON.stringify(messages).includes('fake: costs a fortune') ? 87654321 : 0.01;
    say({ type: 'assistant', message: { content }, parent_tool_use_id: null });
    if (trap('dies with the answer')) process.exit(3);
    messages.push({ role: 'assistant', content, id });
    const uses = content.filter(({ type }) => type === 'tool_use');
    if (uses.length === 0) break;
    const results = [];
    for (const block of uses) results.push(await use(block));
    messages.push({ role: 'user', content: results });
    keep();
    if (trap('stops midway'))
      return say({ type: 'result', subtype: 'success', is_error: false, result: '', total_cost_usd: costUsd });
  }
  keep();
  const text = messages
    .at(-1)
    .content.map((block) => block.text ?? '')
    .join('');
  const isError = trap('succeeds with an error');
  say({
    type: 'result',
    subtype: 'success',
    is_error: isError,
    result: isError ? 'API Error: something' : text,
    total_cost_usd: costUsd,
  });
}

function finish(error) {
  say({
    type: 'result',
    subtype: 'success',
    is_error: true,
    result: `API Error: ${error.message}`,
    total_cost_usd: costUsd,
  });
}

// One turn after another.
let turns = Promise.resolve();
const begin = () => (turns = turns.then(() => turn().catch(finish)));

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line);
    if (message.type === 'control_response') {
      waiting.get(message.response.request_id)?.(message.response.response);
      return;
    }
    if (message.request?.subtype === 'mcp_message') {
      void listTools(message.request.server_name);
      return;
    }
    if (message.type === 'control_request') {
      const told = option('--append-system-prompt');
      if (told.includes('fake: never gets ready')) return;
      if (told.includes('fake: begins by itself')) begin();
      turns = connect(Object.keys(JSON.parse(option('--mcp-config')).mcpServers));
      say({ type: 'control_response', response: { subtype: 'success', request_id: message.request_id, response: {} } });
      const last = messages.at(-1);
      if (process.env.CLAUDE_CODE_RESUME_INTERRUPTED_TURN && last?.role === 'user') begin();
      // What was being done when it ended was not written down.
      return;
    }
    messages.push({ role: 'user', content: message.message.content });
    begin();
  })
  .on('close', () => {
    if (JSON.stringify(messages).includes('fake: never ends')) setInterval(() => {}, 1000);
    else if (!process.stdin.destroyed || process.stdin.readableEnded) void turns.then(() => process.exit(0));
  });
