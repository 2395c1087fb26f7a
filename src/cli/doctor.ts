import { execFile } from 'node:child_process';
import { access, constants, mkdir, stat, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { checkPty, probeZMemory } from '../assemble';
import { systemClock } from '../base/clock';
import { messageOf } from '../base/errors';
import { silentLogger } from '../base/logger';
import { engineFromEnvironment } from './engineFromEnvironment';
import { jailFindings } from './jailFindings';

const run = promisify(execFile);

/** Room that a few workspaces and their journals need. */
const wantedFreeBytes = 2 * 1024 ** 3;
/** The oldest git that everything here was seen with. */
const oldestGit = [2, 34] as const;

export interface Finding {
  readonly what: string;
  /** `bad`: tasks cannot run. `note`: they can, but something is not as it might be. */
  readonly state: 'good' | 'note' | 'bad';
  readonly seen: string;
  /** What to do; empty when there is nothing to do. */
  readonly fix: string;
  /** What there is to know besides, line by line. */
  readonly details?: readonly string[];
}

export interface DoctorOptions {
  readonly storage: string;
  readonly zmemory: string | undefined;
  readonly json: boolean;
}

/** Looks at everything that runs need. Answers 0 when tasks can run and 2 when not. */
export async function doctor(options: DoctorOptions): Promise<0 | 2> {
  const findings = [
    ...(await jailFindings()),
    await gitFinding(),
    await ptyFinding(),
    await diskFinding(options.storage),
    modelFinding(),
    await backendFinding(options.zmemory),
  ];
  if (options.json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else for (const finding of findings) process.stdout.write(`${linesOf(finding)}\n`);
  return findings.some((finding) => finding.state === 'bad') ? 2 : 0;
}

function linesOf({ what, state, seen, fix, details = [] }: Finding): string {
  const sign = { good: '✔', note: '•', bad: '✘' }[state];
  const below = [...details, ...fix.split('\n')].filter((line) => line !== '');
  return [`${sign} ${what.padEnd(18)} ${seen}`, ...below.map((line) => `  ${' '.repeat(18)} ${line}`)].join('\n');
}

async function gitFinding(): Promise<Finding> {
  const fix = 'Install git 2.34 or newer, for example: sudo apt-get install git';
  try {
    const { stdout } = await run('git', ['--version']);
    const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number);
    const isOld = major < oldestGit[0] || (major === oldestGit[0] && minor < oldestGit[1]);
    return { what: 'git', state: isOld ? 'bad' : 'good', seen: stdout.trim(), fix: isOld ? fix : '' };
  } catch {
    return { what: 'git', state: 'bad', seen: 'not found', fix };
  }
}

async function ptyFinding(): Promise<Finding> {
  const problem = await checkPty();
  return problem === undefined
    ? { what: 'node-pty', state: 'good', seen: 'loads', fix: '' }
    : {
        what: 'node-pty',
        state: 'bad',
        seen: problem,
        fix: 'Install it anew: npm rebuild node-pty (needs python3, make and g++)',
      };
}

/** Whether the storage can be used and has room. It is made when it is not there. */
export async function diskFinding(storage: string): Promise<Finding> {
  try {
    await mkdir(storage, { recursive: true, mode: 0o700 });
    await access(storage, constants.R_OK | constants.W_OK | constants.X_OK);
    const { uid } = await stat(storage);
    if (uid !== process.getuid?.()) throw new Error(`${storage} belongs to another user`);
    const { bavail, bsize } = await statfs(storage);
    const free = bavail * bsize;
    const seen = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${storage}`;
    return free >= wantedFreeBytes
      ? { what: 'disk', state: 'good', seen, fix: '' }
      : { what: 'disk', state: 'note', seen, fix: 'Make room, or choose another place with --storage.' };
  } catch (error) {
    return {
      what: 'disk',
      state: 'bad',
      seen: messageOf(error),
      fix: 'Choose a folder that you may write to with --storage.',
    };
  }
}

function modelFinding(): Finding {
  const engine = engineFromEnvironment(process.env);
  if (engine === undefined) {
    return {
      what: 'model',
      state: 'note',
      seen: 'no key',
      fix: 'Set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for another server. Without one only the demo runs.',
    };
  }
  const at = process.env['ANTHROPIC_BASE_URL'];
  return { what: 'model', state: 'good', seen: at ? `a server is named (${hostOf(at)})` : 'a key is set', fix: '' };
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'its URL cannot be read';
  }
}

async function backendFinding(url: string | undefined): Promise<Finding> {
  if (url === undefined) return { what: 'backend', state: 'good', seen: 'the embedded ZMemory server', fix: '' };
  const token = process.env['ZMEMORY_TOKEN'] || undefined;
  const problem = await probeZMemory({ url, token, clock: systemClock, logger: silentLogger });
  return problem === undefined
    ? { what: 'backend', state: 'good', seen: `${url} answers`, fix: '' }
    : {
        what: 'backend',
        state: 'bad',
        seen: problem,
        fix: 'Look whether the server runs, and whether URL and ZMEMORY_TOKEN are right.',
      };
}
