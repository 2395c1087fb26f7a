import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * What is wrong, each at its own place. Of a union: what is wrong with the one kind that the value was meant to be; the union's own
 * words where that cannot be told. Of a key: what is wrong with the key.
 * @param issues From a parse with `reportInput`, which tells what is missing from what is wrong. The input itself is not handed on.
 */
export function meantIssues(issues: readonly Issue[]): Pick<Issue, 'path' | 'message'>[] {
  return issues.flatMap((issue) => {
    const { path, message } = issue;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key], message: 'there is no such key' }));
    }
    if (issue.code === 'invalid_key') return { path, message: issue.issues[0]?.message ?? message };
    const meant = issue.code === 'invalid_union' ? issue.errors.filter((kind) => !kind.some(isAnotherKind)) : [];
    const [only] = meant;
    if (!only || meant.length > 1) return { path, message };
    return meantIssues(only).map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
  });
}

/** The value is not even of that kind: it says so itself, or what makes it one is missing. */
function isAnotherKind({ path, code, input }: Issue): boolean {
  return path.length === 0 || (path.length === 1 && (code === 'invalid_value' || input === undefined));
}
