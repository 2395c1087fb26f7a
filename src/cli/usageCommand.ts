import { type Command, Option } from 'commander';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeReport } from '../assemble';
import { UserError } from '../base/errors';
import { dayOfMs, lastDays } from '../core/askHistory';
import { daySchema, type DaySpan } from '../core/history';
import { type ReportFormat, reportFormats } from '../core/usageReport';
import { storageOption } from './arguments';
import { visiting } from './visit';

interface UsageFlags {
  readonly storage: string;
  readonly since: string;
  readonly until: string | undefined;
  readonly format: ReportFormat;
  readonly output: string | undefined;
}

/** `airlock usage`: tokens, cost, verdicts and times of a span of days, as the analytics page has them. */
export function addUsageReport(airlock: Command): void {
  airlock
    .command('usage')
    .description('write what was done and what it cost, by day, model, persona, source and repository')
    .option('--since <day>', 'the first day (YYYY-MM-DD, in UTC), or the last so many days: 7d', '7d')
    .option('--until <day>', 'the last day (default: today)')
    .addOption(new Option('--format <format>', 'how it is written').choices(reportFormats).default('md'))
    .option('--output <file>', 'write it to a file, which must not exist yet (default: the standard output)')
    .addOption(storageOption())
    .action((flags: UsageFlags) =>
      visiting(path.resolve(flags.storage), async (executor) => {
        const span = spanFrom(flags.since, flags.until, Date.now());
        const text = await writeReport(executor, { span, format: flags.format });
        if (flags.output === undefined) process.stdout.write(text);
        else await writeFile(flags.output, text, { flag: 'wx' });
      }),
    );
}

/** @throws {UserError} `wrong-days`. */
export function spanFrom(since: string, until: string | undefined, nowMs: number): DaySpan {
  const to = until ?? dayOfMs(nowMs);
  const [, days] = /^(\d{1,4})d$/.exec(since) ?? [];
  const from = days === undefined || !isDay(to) ? since : lastDays(Math.max(1, Number(days)), Date.parse(to)).from;
  if (!isDay(from) || !isDay(to) || from > to) {
    const message = `There are no days from ${since} to ${until ?? 'today'}: give days as YYYY-MM-DD, or so many as 7d.`;
    throw new UserError('wrong-days', message, { since, until: until ?? null });
  }
  return { from, to };
}

/** 2026-02-31 looks like a day and is none. */
function isDay(text: string): boolean {
  return daySchema.safeParse(text).success && new Date(text).toJSON()?.slice(0, 10) === text;
}
