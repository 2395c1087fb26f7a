import * as l10n from '@vscode/l10n';

/** US dollars, or `null` when a part of it is not known: unknown is never guessed. */
export function formatCost(costUsd: number | null): string {
  return costUsd === null ? l10n.t('cost unknown') : dollars(costUsd);
}

/** A sum of which some parts may have no known price: then it is a lower bound, and says so. */
export function formatSpend(spend: { readonly costUsd: number; readonly unpriced: number }): string {
  return `${spend.unpriced > 0 ? '≥ ' : ''}${dollars(spend.costUsd)}`;
}

function dollars(costUsd: number): string {
  // A task often costs less than a cent, and "$0.00" would say that it was free.
  const digits = costUsd > 0 && costUsd < 0.1 ? 4 : 2;
  return `$${costUsd.toFixed(digits)}`;
}

/** `950`, `12.3k`, `4.6M`. */
export function formatTokens(tokens: number): string {
  if (tokens < 1000) return String(tokens);
  const [unit, size] = tokens < 999_950 ? ['k', 1000] : ['M', 1_000_000];
  return `${(tokens / Number(size)).toFixed(1)}${unit}`;
}

/** `800 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return l10n.t('{0} ms', Math.max(0, Math.round(durationMs)));
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return l10n.t('{0} s', seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return l10n.t('{0} min {1} s', minutes, seconds % 60);
  return l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** Whole minutes, for what is shown for long and not told anew each second: `just now`, `3 min`, `2 h 5 min`. */
export function formatAge(ageMs: number): string {
  if (ageMs < 60_000) return l10n.t('just now');
  const minutes = Math.floor(ageMs / 60_000);
  return minutes < 60 ? l10n.t('{0} min', minutes) : l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** Memory that changes all the time, not finer than it is worth being told: `412 MiB`, `1.5 GiB`. */
export function formatMemory(bytes: number): string {
  return bytes < 1024 ** 3 ? `${Math.round(bytes / 1024 ** 2)} MiB` : formatBytes(bytes);
}

/** Such as `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ''}`;
}
