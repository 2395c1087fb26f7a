import type { Persona } from '../core/persona';

/** What a call that is not done is answered with. */
export function denial({ name: persona, tools }: Persona, name: string, exists: boolean): string {
  const allowed = tools.join(', ');
  return exists
    ? `The persona “${persona}” may not use ${name}. It may use: ${allowed}.`
    : `There is no tool named ${JSON.stringify(name.slice(0, 100))}. There are: ${allowed}.`;
}
