import { jailLimitsSchema, type JailLimits, type NetworkPolicy } from '../core/jailPolicy';
import { narrowNetwork } from '../core/narrowNetwork';
import type { Persona } from '../core/persona';
import type { TaskLimits } from '../core/task';

/** The most that a persona of a repository may have. */
export interface Bounds {
  /** Domains that the user allows. */
  readonly domains: readonly string[];
  readonly timeoutMs: number;
  readonly maxTurns: number;
  /** `null`: the user has set no limit. */
  readonly maxCostUsd: number | null;
}

/** A persona of a repository within what the user allows, and what it wanted besides, in words. */
export interface Tightened {
  readonly persona: Persona;
  readonly refusals: readonly string[];
}

/**
 * @param model A built-in persona of the same name: whoever gives a task to it relies on what it cannot do, so that the
 * repository's has no more tools, and writes only where that one may.
 */
export function tighten(persona: Persona, bounds: Bounds, model: Persona | undefined): Tightened {
  const allowed: NetworkPolicy =
    bounds.domains.length === 0 ? { kind: 'none' } : { kind: 'allowlist', domains: [...bounds.domains] };
  const network = narrowNetwork(allowed, persona.network);
  const tools = persona.tools.filter((tool) => model === undefined || model.tools.includes(tool));
  const workspace = model?.workspace === 'read' ? 'read' : persona.workspace;
  return {
    persona: {
      ...persona,
      network,
      tools,
      workspace,
      mcpServers: Object.fromEntries(
        Object.entries(persona.mcpServers).map(([name, { server }]) => [name, { server, from: 'repository' as const }]),
      ),
      mcpTools: model === undefined ? persona.mcpTools : [],
      limits: tighterLimits(persona.limits, bounds),
      jailLimits: tighterJail(persona.jailLimits),
    },
    refusals: [...refusedDomains(persona.network, network), ...refusedTools(persona, tools, model)],
  };
}

/** A persona of the product's within the user's settings: what it sets no limit for has theirs. */
export function withinSettings(persona: Persona, bounds: Bounds): Persona {
  const { timeoutMs, maxTurns } = persona.limits;
  return {
    ...persona,
    limits: {
      ...persona.limits,
      ...(timeoutMs === undefined ? {} : { timeoutMs: Math.min(timeoutMs, bounds.timeoutMs) }),
      ...(maxTurns === undefined ? {} : { maxTurns: Math.min(maxTurns, bounds.maxTurns) }),
    },
  };
}

function tighterLimits({ timeoutMs, maxTurns, maxCostUsd }: TaskLimits, bounds: Bounds): TaskLimits {
  const least = (wanted: number | undefined, most: number): number => Math.min(wanted ?? most, most);
  return {
    timeoutMs: least(timeoutMs, bounds.timeoutMs),
    maxTurns: least(maxTurns, bounds.maxTurns),
    ...(bounds.maxCostUsd === null ? { maxCostUsd } : { maxCostUsd: least(maxCostUsd, bounds.maxCostUsd) }),
  };
}

/** What is asked for beyond the product's own limits is not given: they are what the user's machine is used to. */
function tighterJail(wanted: JailLimits): JailLimits {
  const most = jailLimitsSchema.parse({});
  return jailLimitsSchema.parse(
    Object.fromEntries(
      Object.entries(most).map(([name, limit]) => [name, Math.min(limit, wanted[name as keyof JailLimits])]),
    ),
  );
}

function refusedDomains(wanted: NetworkPolicy, given: NetworkPolicy): string[] {
  if (wanted.kind === 'none') return [];
  const missing = wanted.domains.filter((domain) => given.kind === 'none' || !given.domains.includes(domain));
  if (missing.length === 0) return [];
  return [
    `network: you have not allowed ${missing.join(', ')}, so it is left out. To allow it, add it to the setting airlock.personas.network (on the command line: --persona-network).`,
  ];
}

function refusedTools(wanted: Persona, given: readonly string[], model: Persona | undefined): string[] {
  const missing = [...wanted.tools.filter((tool) => !given.includes(tool)), ...wanted.mcpTools];
  if (missing.length === 0 || model === undefined) return [];
  return [
    `tools: the built-in persona “${model.name}” has no ${missing.join(', ')}, so this one has not either. Give it another name to have them.`,
  ];
}
