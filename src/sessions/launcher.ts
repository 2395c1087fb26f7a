import { shellQuote } from './shellQuote';

/** A shell of the session, on pipes of its own. The agent's, one for its files, one for its searches. */
export type ChannelName = 'agent' | 'files' | 'search';

export const channelNames: readonly ChannelName[] = ['agent', 'files', 'search'];

/** Where the folder with the pipes and the launcher appears in the jail, read-only. */
export const channelsInJail = '/run/airlock';

/** The launcher's first descriptor for a channel: input, stdout, stderr and control follow one another. */
const firstDescriptor: Readonly<Record<ChannelName, number>> = { agent: 20, files: 30, search: 40 };

const ends = ['in', 'out', 'err', 'ctl'] as const;

/** What becomes of the user's shell is told on the agent's control pipe. */
const keyboardControl = firstDescriptor.agent + ends.indexOf('ctl');

export function fifoNames(): string[] {
  return ['launcher.in', ...channelNames.flatMap((name) => ends.map((end) => `${name}.${end}`))];
}

function openings(): string {
  return channelNames
    .flatMap((name) =>
      ends.map(
        (end, index) =>
          `exec ${firstDescriptor[name] + index}${end === 'in' ? '<' : '>'}${channelsInJail}/${name}.${end}`,
      ),
    )
    .join('\n');
}

/** What a shell must not inherit: every pipe of every channel, the launcher's own, and the terminal. */
function closings(): string {
  const pipes = channelNames.flatMap((name) => ends.map((_, index) => firstDescriptor[name] + index));
  return [10, 11, ...pipes].map((fd) => `${fd}<&-`).join(' ');
}

/**
 * The first program in the jail. It opens every pipe before anything else runs, then does what comes over its own pipe, and
 * ends with it: when the host dies, the jail does too. It starts shells and says on their control pipe `started GENERATION
 * PID LAUNCHER` and, when one has ended, `ended GENERATION STATUS`, with a marker of that generation on its stdout and
 * stderr after all that it wrote.
 *
 * A shell is the leader of a process session, so that no key that the user types reaches it. Its own stdout and stderr are
 * `/dev/null`: commands get theirs one by one. `env --default-signal` is needed, for a shell gives its background jobs
 * no Ctrl-C. A shell of the user's is told of with `keyboard-started` and `keyboard-ended`. The terminal sends no signals while no shell of the user's is there: they would end the jail itself.
 */
export function launcherScript(): string {
  return `#!/bin/bash
for path in /proc/self/fd/*; do
  fd=\${path##*/}
  if ((fd > 2 && fd != 255)); then exec {fd}>&-; fi
done
exec 11<&0 2>/dev/null
exec 10<${channelsInJail}/launcher.in
${openings()}
stty raw -echo <&11
start_shell() {
  local base=$1 generation=$2 folder=$3
  shift 3
  (
    cd -- "$folder"
    env --default-signal "$@" setsid bash --norc --noprofile <&"$base" >/dev/null 2>&1 \\
      247>&"$((base + 1))" 248>&"$((base + 2))" 249>&"$((base + 3))" ${closings()} &
    printf '\\0started %s %s %s\\0' "$generation" "$!" "$$" >&"$((base + 3))"
    wait "$!"
    status=$?
    printf '\\036%s\\036' "$generation" >&"$((base + 1))"
    printf '\\036%s\\036' "$generation" >&"$((base + 2))"
    printf '\\0ended %s %s\\0' "$generation" "$status" >&"$((base + 3))"
  ) &
}
start_keyboard() {
  (
    printf '\\0keyboard-started %s %s\\0' "$1" "$BASHPID" >&${keyboardControl}
    cd -- "$2"
    stty sane <&11
    env --default-signal bash --norc --noprofile -i <&11 >&11 2>&11 ${closings()}
    stty raw -echo <&11
    printf '\\0keyboard-ended %s\\0' "$1" >&${keyboardControl}
  ) &
}
while IFS= read -r line <&10; do eval "$line"; done
`;
}

/** The line that makes the launcher start a shell. `environment` are words `NAME=value`. */
export function startShellLine(
  channel: ChannelName,
  generation: string,
  folder: string,
  environment: readonly string[],
): string {
  const words = [String(firstDescriptor[channel]), generation, folder, ...environment].map(oneLine);
  return `start_shell ${words.join(' ')}\n`;
}

/** The line that makes the launcher give the terminal to a shell of the user's. */
export function startKeyboardLine(generation: string, folder: string): string {
  return `start_keyboard ${generation} ${oneLine(folder)}\n`;
}

/** A word without line feeds, for the launcher reads line by line. */
function oneLine(text: string): string {
  return text.includes('\n')
    ? `$'${text.replace(/[\\'\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}'`
    : shellQuote(text);
}
