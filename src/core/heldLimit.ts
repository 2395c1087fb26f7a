// Tells from a command's end which limit of the kernel it met, where the kernel refuses and does not say so to anybody else.
import type { LimitBreach } from './jail';
import type { JailLimits } from './jailPolicy';

/** What is known of how a command ended. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

type Held = 'processes' | 'openFiles' | 'fileBytes' | 'dataBytes' | 'cpuMs';

interface Sign {
  readonly limit: Held;
  /** What a shell makes of the signal that the kernel ends a process with (128 and its number, signal(7)). */
  readonly exitCode?: number;
  /** What programs say of the error that the kernel answers: errno(3), as the C library, Node, Python, Go and Java put it. */
  readonly words: RegExp;
}

const signs: readonly Sign[] = [
  { limit: 'fileBytes', exitCode: 153, words: /\bFile too large\b|\bEFBIG\b|\bFile size limit exceeded\b/ },
  { limit: 'cpuMs', exitCode: 152, words: /\bCPU time limit exceeded\b/ },
  { limit: 'openFiles', words: /\b[Tt]oo many open files\b|\b(?:EMFILE)\b/ },
  {
    limit: 'processes',
    words:
      /\bfork\b.{0,40}\b(?:[Rr]esource temporarily unavailable|retry)\b|\b[Cc]annot fork\b|\bspawn\b.{0,200}\bEAGAIN\b|\bunable to create (?:new )?(?:native )?thread\b|\bpthread_create\b.{0,60}\b(?:failed|EAGAIN|[Rr]esource)/,
  },
  {
    limit: 'dataBytes',
    words: /\bCannot allocate memory\b|\bENOMEM\b|\bstd::bad_alloc\b|\bMemoryError\b|[Oo]ut of memory!/,
  },
];

/** Errors stand at the end; a whole log is not searched. */
const tailBytes = 8_192;

const units: Record<Held, string> = {
  processes: 'processes and threads at a time',
  openFiles: 'open files of one process',
  fileBytes: 'bytes of one file',
  dataBytes: 'bytes of memory of one process',
  cpuMs: 'ms of processor time',
};

/**
 * The limit that a command which failed was held to. The exit code is the kernel's word where a signal ended it; what a program prints
 * is its own, so this is good for telling people and agents what to look at, and for no decision.
 */
export function heldLimit({ exitCode, stdout, stderr }: CommandEnd, limits: JailLimits): LimitBreach | undefined {
  if (exitCode === 0 || exitCode === null) return undefined;
  const said = `${tail(stderr)}\n${tail(stdout)}`;
  const sign = signs.find((each) => each.exitCode === exitCode) ?? signs.find(({ words }) => words.test(said));
  if (!sign) return undefined;
  return { limit: sign.limit, detail: `at most ${limits[sign.limit]} ${units[sign.limit]}` };
}

function tail(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(-tailBytes)).toString('latin1');
}
