import { implementer } from '../core/builtInPersonas';
import { diagnosticLine } from '../core/diagnostic';
import type { RunState, TaskState } from '../core/liveState';
import { personaNamed, personaSchema, type Persona, type PersonaList } from '../core/persona';
import type { ExecutorPorts } from './ports';

/** More files than these that are wrong say no more. */
const maxToldFiles = 3;

/** The persona of a task, or why it has none, in words for the user. */
export type RoleAnswer =
  { readonly kind: 'found'; readonly persona: Persona } | { readonly kind: 'unknown'; readonly reason: string };

/** A run that was left keeps the persona that it began with; a new one has the one that there is now. */
export async function roleOf(ports: ExecutorPorts, task: TaskState): Promise<RoleAnswer> {
  const run = task.runId === null ? undefined : ports.events.state.runs.get(task.runId);
  const kept = run && run.outcome === null ? await keptRole(ports, run) : undefined;
  if (kept) return { kind: 'found', persona: asReviewer(task, kept) };
  const list = await ports.personas.of(task.spec.repo);
  const persona = personaNamed(list, task.spec.persona);
  if (persona) return { kind: 'found', persona: asReviewer(task, persona) };
  // A role that nobody knows is not played by another one.
  return { kind: 'unknown', reason: unknownWords(task.spec.persona ?? '', list) };
}

/** Whoever looks at a result does not change it. */
function asReviewer({ spec }: TaskState, persona: Persona): Persona {
  return spec.parent?.kind === 'review' ? { ...persona, workspace: 'read' } : persona;
}

/** The persona that a run had; when that was deleted, the built-in one, which reaches nothing. */
export async function roleOfRun(ports: Pick<ExecutorPorts, 'blobs'>, run: RunState): Promise<Persona> {
  return (await keptRole(ports, run)) ?? implementer;
}

async function keptRole({ blobs }: Pick<ExecutorPorts, 'blobs'>, { role }: RunState): Promise<Persona | undefined> {
  if (role === undefined) return undefined;
  const bytes = await blobs.get(role);
  return bytes && personaSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
}

function unknownWords(name: string, { personas, diagnostics }: PersonaList): string {
  const names = personas.map(({ persona }) => persona.name).join(', ');
  const wrong = diagnostics.filter(({ severity }) => severity === 'error').slice(0, maxToldFiles);
  return [
    `There is no persona “${name}”. There are: ${names}. Name one of them in the task, or none, or commit .airlock/personas/${name}.md.`,
    ...wrong.map(diagnosticLine),
  ].join('\n');
}
