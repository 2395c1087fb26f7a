import type { JailLimits } from './jailPolicy';
import { type FoundPersona, type Persona, toolNames } from './persona';
import { toolsOf } from './readOnlyPersona';

const ofSettings = 'of the settings';

/** What can be told of a persona, one thing a row. */
const rows: readonly (readonly [what: string, of: (found: FoundPersona) => string])[] = [
  ['writes the workspace', ({ persona }) => yesOrNo(persona.workspace === 'write')],
  ...toolNames.map((name) => [name, ({ persona }: FoundPersona) => yesOrNo(toolsOf(persona).includes(name))] as const),
  ['may do without asking', ({ persona }) => persona.approvals ?? ofSettings],
  ['network', ({ persona: { network } }) => (network.kind === 'none' ? 'none' : network.domains.join(', '))],
  ['model', ({ persona }) => persona.model ?? ofSettings],
  ['minutes of a run', ({ persona }) => amount(persona.limits.timeoutMs, (ms) => String(ms / 60_000))],
  ['model turns', ({ persona }) => amount(persona.limits.maxTurns, String)],
  ['US dollars of a run', ({ persona }) => amount(persona.limits.maxCostUsd, String)],
  ['memory of its jail', ({ persona }) => mebibytes(persona, 'memoryBytes')],
  ['disk of its jail', ({ persona }) => mebibytes(persona, 'diskBytes')],
  ['processes of its jail', ({ persona }) => String(persona.jailLimits.processes)],
  ['comes from', ({ origin }) => (origin.kind === 'builtIn' ? 'Airlock' : origin.path)],
];

/** Which persona may do what: a row of names, then a row for each thing. Names and paths are as others wrote them. */
export function personaMatrix(personas: readonly FoundPersona[]): string[][] {
  return [
    ['', ...personas.map(({ persona }) => persona.name)],
    ...rows.map(([what, of]) => [what, ...personas.map(of)]),
  ];
}

function yesOrNo(is: boolean): string {
  return is ? 'yes' : '–';
}

function amount(limit: number | undefined, text: (limit: number) => string): string {
  return limit === undefined ? ofSettings : text(limit);
}

function mebibytes({ jailLimits }: Persona, name: keyof JailLimits): string {
  return `${Math.round(jailLimits[name] / 1024 ** 2)} MiB`;
}
