import picomatch from 'picomatch';
import { defaultPersonaName, type FoundPersona } from '../core/persona';
import type { RunningAgent } from '../core/runningAgents';

export interface Route {
  readonly persona: string;
  /** For people: what decided. */
  readonly reason: string;
}

interface Candidate {
  readonly name: string;
  readonly found: readonly string[];
  readonly load: number;
  readonly score: number;
}

/** More of a prompt is not looked at. */
const maxLookedAt = 20_000;
/** A word of the title says more than one of the prompt. */
const titleWeight = 2;

/**
 * The persona for a task that names none: the one of whose expertise most is found in it, a point for each word or pattern, two
 * where a word stands in the title, less half a point for each of its agents that is at work. Without any the default one. Of two that
 * fit as well, the first by name: the same task, personas and load give the same answer.
 */
export function routeOf(
  { title, prompt }: { readonly title: string; readonly prompt: string },
  personas: readonly FoundPersona[],
  running: readonly Pick<RunningAgent, 'persona'>[],
): Route {
  const head = title.toLowerCase();
  const text = prompt.slice(0, maxLookedAt).toLowerCase();
  const files = prompt.slice(0, maxLookedAt).match(/[\w@.-]+(?:\/[\w@.-]+)+|[\w@-]+\.[A-Za-z0-9]{1,8}\b/g) ?? [];
  const [best] = personas
    .map(({ persona: { name, expertise } }): Candidate => {
      const inTitle = expertise.keywords.filter((word) => hasWord(head, word));
      const inText = expertise.keywords.filter((word) => !inTitle.includes(word) && hasWord(text, word));
      const patterns = expertise.paths.filter((pattern) => files.some((file) => picomatch.isMatch(file, pattern)));
      const load = running.filter(({ persona }) => persona === name).length;
      const points = titleWeight * inTitle.length + inText.length + patterns.length;
      return { name, found: [...inTitle, ...inText, ...patterns], load, score: points - load / 2 };
    })
    .filter(({ found }) => found.length > 0)
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1));
  if (!best) return { persona: defaultPersonaName, reason: 'No persona has expertise in what it names.' };
  const busy = best.load === 0 ? '' : `, though ${best.load} of its agents are at work`;
  return { persona: best.name, reason: `${best.name} fits best: ${best.found.slice(0, 8).join(', ')}${busy}.` };
}

/** Whole words only: `api` is not in `capital`. */
function hasWord(text: string, word: string): boolean {
  const wanted = word.toLowerCase();
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    if (!isLetter(text[at - 1]) && !isLetter(text[at + wanted.length])) return true;
  }
  return false;
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}
