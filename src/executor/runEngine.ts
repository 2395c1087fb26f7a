import { UserError } from '../base/errors';
import type { Engine } from '../core/engine';
import type { RunState } from '../core/liveState';
import type { Persona } from '../core/persona';
import type { ExecutorPorts, ExecutorSettings } from './ports';

type EnginePorts = Pick<ExecutorPorts, 'engine' | 'engines'>;

/** What thinks for a persona: the engine that it names, or the one of the settings. @throws {UserError} `engine-unavailable`. */
export function engineOf(ports: EnginePorts, persona: Persona): Engine {
  if (persona.engine === null) return ports.engine;
  const named = engineNamed(ports, persona.engine);
  if (named) return named;
  throw new UserError(
    'engine-unavailable',
    `The persona “${persona.name}” wants the engine “${persona.engine}”, and this executor has only ${kindsOf(ports).join(', ')}. Set it up, or take it out of the persona.`,
    { engine: persona.engine },
  );
}

/** The model that it asks: the persona's, or that of the settings, or its own. */
export function modelOf(engine: Engine, persona: Persona, { model }: Pick<ExecutorSettings, 'model'>): string {
  return persona.model ?? model ?? engine.defaultModel;
}

/** What thinks for a run that has begun. */
export function engineOfRun(ports: EnginePorts, run: RunState): Engine {
  return engineNamed(ports, run.engine) ?? ports.engine;
}

function engineNamed({ engine, engines = [] }: EnginePorts, kind: string): Engine | undefined {
  return [engine, ...engines].find((each) => each.kind === kind);
}

function kindsOf({ engine, engines = [] }: EnginePorts): string[] {
  return [engine, ...engines].map(({ kind }) => `“${kind}”`);
}
