/** What a canary program is told about the host that it tries to reach. */
export interface CanaryTargets {
  /** A file of the host that anyone on it may read. */
  readonly secretFile: string;
  /** Something in the user's home folder. Empty when the host has none. */
  readonly homeEntry: string;
  /** A file that does not exist yet, in a folder of the host that anyone may write to. */
  readonly writeFile: string;
  /** A port on 127.0.0.1 that the host listens on. */
  readonly loopbackPort: number;
  /** An address of the host on its network, and a port there. Empty when it has none. */
  readonly networkAddress: string;
  readonly networkPort: number;
  /** The process that judges. */
  readonly hostPid: number;
}

/** What a canary program saw, by the name of the attempt. */
export type CanarySightings = ReadonlyMap<string, string>;

/** Built-ins of bash alone: it runs before anything of the repository, and starts no program that could be replaced. */
const script = String.raw`
exec 2>/dev/null
say() { printf '%s\t%s\n' "$1" "$2"; }
connect() { if { printf x >&9; } 9<>"/dev/tcp/$2/$3"; then say "$1" connected; else say "$1" refused; fi; }
if IFS= read -r line <"$1"; then say secret "$line"; else say secret absent; fi
if [[ -e $2 ]]; then say home present; else say home absent; fi
if printf x >"$3"; then say write written; else say write refused; fi
connect loopback 127.0.0.1 "$4"
if [[ $5 ]]; then connect network "$5" "$6"; fi
if IFS= read -r line <"/proc/$7/stat"; then say process "$line"; else say process absent; fi
names=
for pid in self 1 "$PPID" "$7"; do
  variables=()
  mapfile -d '' -t variables <"/proc/$pid/environ"
  for variable in "${'$'}{variables[@]}"; do names+="${'$'}{variable%%=*} "; done
done
say environment "${'$'}{names//[[:cntrl:]]/?}"
say done yes
`;

/** The canary program: absolute paths, no start-up files, no imported functions. */
export function canaryArgv(targets: CanaryTargets): string[] {
  return [
    ...['/bin/bash', '--norc', '--noprofile', '-p', '-c', script, 'canary'],
    ...[targets.secretFile, targets.homeEntry, targets.writeFile, String(targets.loopbackPort)],
    ...[targets.networkAddress, String(targets.networkPort), String(targets.hostPid)],
  ];
}

/** @returns an empty map when the program did not get to its end. */
export function readSightings(output: Uint8Array): CanarySightings {
  const lines = Buffer.from(output).toString().split('\n');
  const seen = new Map(
    lines.flatMap((line): [string, string][] => {
      const tab = line.indexOf('\t');
      return tab === -1 ? [] : [[line.slice(0, tab), line.slice(tab + 1)]];
    }),
  );
  return seen.get('done') === 'yes' ? seen : new Map();
}
