import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EgressConnection } from '../../src/core/jail';
import { createJails } from '../../src/jail/jails';
import { needProgram } from './jailRoom';
import { ok, patient, SessionsFixture, until, words } from './sessionsFixture';

type OpenSession = Awaited<ReturnType<SessionsFixture['open']>>;

const publicAddress = '93.184.215.14';
const network = { kind: 'allowlist' as const, domains: ['registry.test'] };

describe('the network of a session', function () {
  this.timeout(60_000);
  let fixture: SessionsFixture;
  let registry: Server;
  let tarball: Buffer;
  let told: EgressConnection[];
  let session: OpenSession;

  before(async function () {
    needProgram(this, '/usr/bin/perl');
    needProgram(this, '/usr/bin/curl');
    registry = createServer((request, response) => {
      if (request.url?.endsWith('.tgz')) response.end(tarball);
      else response.end(JSON.stringify(manifest()));
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    const address = registry.address();
    const port = address !== null && typeof address === 'object' ? address.port : assert.fail('no port');
    const jails = createJails({
      egress: { resolve: () => Promise.resolve([publicAddress]), connect: () => connect(port, '127.0.0.1') },
    });
    fixture = new SessionsFixture({ jails });
  });

  beforeEach(async () => {
    told = [];
    session = await fixture.open({ network }, (connection) => told.push(connection));
  });

  afterEach(() => session.close('The test is over.'));

  after(async () => {
    await fixture?.dispose();
    registry?.close();
  });

  const manifest = (): unknown => {
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    const dist = { tarball: 'http://registry.test/tiny.tgz', integrity };
    return {
      name: 'tiny',
      'dist-tags': { latest: '1.0.0' },
      versions: { '1.0.0': { name: 'tiny', version: '1.0.0', dist } },
    };
  };

  async function packTiny(folder: string): Promise<Buffer> {
    await mkdir(join(folder, 'package'));
    await writeFile(join(folder, 'package/package.json'), '{"name":"tiny","version":"1.0.0","main":"tiny.js"}');
    await writeFile(join(folder, 'package/tiny.js'), 'module.exports = "it is here";');
    await promisify(execFile)('tar', ['-C', folder, '-czf', join(folder, 'tiny.tgz'), 'package']);
    return readFile(join(folder, 'tiny.tgz'));
  }

  it('lets npm install a package from a registry that the policy names', async () => {
    tarball = await packTiny(session.stateFolder);
    const install = 'npm install --registry http://registry.test/ --no-audit --no-fund --loglevel=error tiny';
    const result = await session.exec(`${install} >/dev/null && node -p 'require("tiny")'`, patient);
    assert.deepEqual(words(result), ok('it is here\n'));
    assert.ok(
      told.length > 0 &&
        told.every(({ kind, host, port }) => kind === 'allowed' && host === 'registry.test' && port === 80),
    );
  });

  it('leads nowhere else, and says why', async () => {
    const result = await session.exec('curl -sS http://other.test/; curl -sS https://other.test/', patient);
    const { stdout, stderr } = words(result);
    assert.equal(stdout, 'Airlock: the network policy of this jail does not name it\n');
    assert.match(stderr, /CONNECT tunnel failed, response 403|Received HTTP code 403/);
    assert.deepEqual(
      told,
      [80, 443].map((port) => ({
        ...{ host: 'other.test', port, kind: 'refused', reason: 'the network policy of this jail does not name it' },
      })),
    );
  });

  it('outlives a command that is ended, and is there for the user too', async () => {
    const reach = 'curl -s -o /dev/null -w "%{http_code}\\n" --max-time 10 http://registry.test/tiny';
    const slow = await session.exec('sleep 600', { ...patient, timeoutMs: 100 });
    assert.equal(slow.kind, 'timedOut');
    assert.deepEqual(words(await session.exec(reach, patient)), ok('200\n'));
    const shown: string[] = [];
    session.terminal.onDidOutput((text) => shown.push(text));
    const keyboard = await session.takeOver({ columns: 80, rows: 24 });
    keyboard.write(`${reach}\n`);
    await until(() => /^200\r?$/m.test(shown.join('')));
    await keyboard.giveBack();
    assert.deepEqual(words(await session.exec(reach, patient)), ok('200\n'));
  });

  it('is gone with the session', async () => {
    await session.close('Enough.');
    await until(async () => {
      const folders = (await readdir(tmpdir())).filter(
        (name) => name.startsWith('airlock-jails-') && name.includes(`-${process.pid}-`),
      );
      const names = await Promise.all(folders.map((name) => readdir(join(tmpdir(), name))));
      return !names.flat().some((name) => name.startsWith('egress-'));
    });
  });

  it('is refused where its policy is wrong, and leaves nothing behind', async () => {
    await assert.rejects(fixture.open({ network: { kind: 'allowlist', domains: ['127.0.0.1'] } }), {
      code: 'network-domain-invalid',
    });
  });
});
