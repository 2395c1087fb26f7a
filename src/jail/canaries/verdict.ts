import type { Canary, JailProof } from '../../core/jail';
import type { CanarySightings } from './program';

/** What the host saw of one canary program, and what the program said itself. */
export interface CanaryEvidence {
  readonly seen: CanarySightings;
  readonly loopbackReached: boolean;
  readonly networkReached: boolean;
  readonly written: boolean;
}

/** What decides whether an attempt got through. */
export interface CanaryMeasures {
  readonly token: string;
  readonly hasHome: boolean;
  readonly hasNetwork: boolean;
  /** Field 22 of the host process's stat line: a process of the same number in the jail has another. */
  readonly hostStartTicks: number;
  /** Names that the environment of a jail may have. */
  readonly allowedVariables: ReadonlySet<string>;
}

interface Attempt {
  readonly name: string;
  readonly attempt: string;
  readonly expected: string;
  /** It got through, as far as one can tell. Where the host can see it, what the program says is not believed. */
  readonly succeeded: (evidence: CanaryEvidence) => boolean;
}

/**
 * Judges the canaries of one jail by the host's own observations, and each by the same attempt made outside: a canary
 * whose control failed proves nothing, and neither does a program that did not get to its end.
 */
export function judgeCanaries(
  inside: CanaryEvidence,
  outside: CanaryEvidence,
  measures: CanaryMeasures,
  durationMs: number,
): JailProof {
  const canaries = attempts(measures).map(({ name, attempt, expected, succeeded }): Canary => {
    const ran = inside.seen.has(name);
    const out = succeeded(inside);
    return {
      attempt,
      expected,
      seen: ran ? describe(name, inside, measures, out) : 'the canary program did not finish',
      held: ran && !out,
      controlSucceeded: succeeded(outside),
    };
  });
  return { proven: canaries.every((canary) => canary.held && canary.controlSucceeded), canaries, durationMs };
}

function attempts(measures: CanaryMeasures): Attempt[] {
  return [
    {
      name: 'secret',
      attempt: 'read a file of the host',
      expected: 'no such file',
      succeeded: ({ seen }) => seen.get('secret')?.includes(measures.token) ?? false,
    },
    ...(measures.hasHome ? [homeAttempt] : []),
    {
      name: 'write',
      attempt: 'write outside the jail',
      expected: 'no file on the host',
      succeeded: ({ written }) => written,
    },
    {
      name: 'loopback',
      attempt: "reach the host's loopback",
      expected: 'no connection',
      succeeded: ({ loopbackReached }) => loopbackReached,
    },
    ...(measures.hasNetwork ? [networkAttempt] : []),
    {
      name: 'process',
      attempt: 'see a process of the host',
      expected: 'no such process',
      succeeded: ({ seen }) => startTicksIn(seen.get('process') ?? '') === measures.hostStartTicks,
    },
    {
      name: 'environment',
      attempt: "read the host's environment",
      expected: "only the jail's own variables",
      succeeded: ({ seen }) => foreignVariables(seen, measures).length > 0,
    },
  ];
}

const homeAttempt: Attempt = {
  name: 'home',
  attempt: 'see the home folder',
  expected: 'nothing there',
  succeeded: ({ seen }) => seen.get('home') === 'present',
};

const networkAttempt: Attempt = {
  name: 'network',
  attempt: 'reach the network',
  expected: 'no connection',
  succeeded: ({ networkReached }) => networkReached,
};

/** What is shown: never what was read, in case it is a real secret. */
function describe(name: string, { seen }: CanaryEvidence, measures: CanaryMeasures, out: boolean): string {
  if (name === 'environment') {
    const foreign = foreignVariables(seen, measures);
    return foreign.length === 0 ? "only the jail's own variables" : `foreign variables: ${foreign.join(', ')}`;
  }
  if (name === 'secret') return out ? 'the file was read' : 'no such file';
  if (name === 'process') return out ? 'the process was seen' : 'no such process';
  return seen.get(name) ?? '';
}

function foreignVariables(seen: CanarySightings, { allowedVariables }: CanaryMeasures): string[] {
  const names = (seen.get('environment') ?? '').split(' ').filter(Boolean);
  return [...new Set(names)].filter((name) => !allowedVariables.has(name));
}

function startTicksIn(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[19] === undefined ? undefined : Number(fields[19]);
}
