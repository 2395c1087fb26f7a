import * as l10n from '@vscode/l10n';
import { maxTitleLength } from '../../core/task';
import { oneLine } from '../markdownText';

/** What a task is begun with, before the user has said more. */
export interface TaskDraft {
  readonly title: string;
  /** What the agent should know, on one line. */
  readonly prompt: string;
  /** What the agent is shown after the prompt. */
  readonly about: Excerpt;
  /** Absolute path of the repository that it is for. */
  readonly repo: string;
}

/** A part of a file. */
export interface Excerpt {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  /** From 1, both included. */
  readonly firstLine: number;
  readonly lastLine: number;
  readonly text: string;
}

/** More of a file than this says no more; the agent can read the rest itself. */
const maxExcerptLength = 20_000;

const todoPattern = /(?:\/\/|\/\*|^\s*\*|#|--|<!--|;|%)\s*@?(TODO|FIXME)\b(?:\([^)]*\))?[\s:,-]*(.*)$/i;

/** What a `TODO` or `FIXME` comment on this line asks for; `undefined` when there is none. */
export function todoIn(line: string): { readonly tag: string; readonly words: string } | undefined {
  const match = todoPattern.exec(line);
  if (!match?.[1]) return undefined;
  const words = (match[2] ?? '').replace(/\s*(\*\/|-->)\s*$/, '').trim();
  return { tag: match[1].toUpperCase(), words };
}

export function todoDraft(
  todo: { readonly tag: string; readonly words: string },
  about: Excerpt,
  repo: string,
): TaskDraft {
  const { tag, words } = todo;
  return {
    title: titleOf(words === '' ? l10n.t('{0} in {1}', tag, about.path) : words),
    prompt: l10n.t('Do what the {0} comment asks for, and take the comment out.', tag),
    about,
    repo,
  };
}

export function selectionDraft(about: Excerpt, repo: string): TaskDraft {
  return { title: '', prompt: '', about, repo };
}

/** A problem that some tool has found. */
export interface FoundProblem {
  readonly message: string;
  /** Who found it, such as `ts` or `eslint`; empty when nobody says. */
  readonly source: string;
  /** Its code there; empty when it has none. */
  readonly code: string;
}

export function problemDraft(problems: readonly FoundProblem[], about: Excerpt, repo: string): TaskDraft {
  const words = problems.map(({ message, source, code }) => {
    const by = [source, code].filter((part) => part !== '').join(' ');
    return oneLine(by === '' ? message : `${message} (${by})`, 500);
  });
  const title = problems.length === 1 ? l10n.t('Fix: {0}', words[0] ?? '') : l10n.t('Fix {0} problems', words.length);
  return { title: titleOf(title), prompt: l10n.t('Fix this: {0}', words.join('; ')), about, repo };
}

/** @param test `message`: what it says; empty when nothing is known. */
export function testDraft(
  test: { readonly name: string; readonly message: string },
  about: Excerpt,
  repo: string,
): TaskDraft {
  const says = test.message === '' ? '' : ` ${l10n.t('It says: {0}', oneLine(test.message, 2000))}`;
  return {
    title: titleOf(l10n.t('Fix the failing test: {0}', test.name)),
    prompt:
      l10n.t('The test “{0}” fails. Find out why and make it pass, without bending it.', oneLine(test.name, 300)) +
      says,
    about,
    repo,
  };
}

/** The whole prompt: what is to be done, where, and what stands there. */
export function promptWith(words: string, about: Excerpt): string {
  const { path, firstLine, lastLine, text } = about;
  const lines = firstLine === lastLine ? `line ${firstLine}` : `lines ${firstLine} to ${lastLine}`;
  const shown = text.length > maxExcerptLength ? `${text.slice(0, maxExcerptLength)}\n[…]` : text;
  const fence = fenceFor(shown);
  return `${words}\n\nThis is about ${path}, ${lines}:\n\n${fence}\n${shown}\n${fence}\n`;
}

/** Longer than any row of backticks in the text, so that the text cannot end it. */
function fenceFor(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  return '`'.repeat(longest + 1);
}

function titleOf(words: string): string {
  return oneLine(words, Math.min(120, maxTitleLength));
}
