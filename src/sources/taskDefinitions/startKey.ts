/**
 * The name of one start of a task definition, `<file>@<when>` with the number of the retry behind it. It is the external id
 * of the task: the same start is the same task, after a restart too.
 */
export interface StartKey {
  readonly file: string;
  /** The time of the start in ISO 8601, with `now-` before it when a person asked for it; `once-<digest>` for a task without times. */
  readonly when: string;
  /** 0 for the first try. */
  readonly retry: number;
}

export function formatStartKey({ file, when, retry }: StartKey): string {
  return `${file}@${when}${retry === 0 ? '' : ` retry ${retry}`}`;
}

export function parseStartKey(externalId: string): StartKey | undefined {
  const [, file, when, retry] = /^(.+)@([^@ ]+)(?: retry (\d{1,3}))?$/s.exec(externalId) ?? [];
  return file === undefined || when === undefined ? undefined : { file, when, retry: Number(retry ?? 0) };
}

export function timeKey(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** The time of a start that a clock has made; `null` for the others. */
export function timeOf({ when }: StartKey): number | null {
  const atMs = Date.parse(when);
  return /^\d{4}-/.test(when) && !Number.isNaN(atMs) ? atMs : null;
}

/** A person has asked for it, so it is started from a definition that is switched off too. */
export function isByHand(externalId: string): boolean {
  return parseStartKey(externalId)?.when.startsWith('now-') ?? false;
}
