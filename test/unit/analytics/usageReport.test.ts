import assert from 'node:assert/strict';
import { reportWriter } from '../../../src/analytics/usageReport';
import type { ReportFormat } from '../../../src/core/usageReport';
import { redactText } from '../../../src/sessions/redactText';
import { FakeClock } from '../../fakes/clock';
import { HistoryExecutor, sumRow, taskRow } from '../../fakes/historyExecutor';

const usage = {
  inputTokens: 1_000,
  outputTokens: 200,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 3_000,
};

describe('a report of usage', () => {
  let executor: HistoryExecutor;
  const clock = new FakeClock(Date.UTC(2026, 0, 5, 12));
  const span = { from: '2026-01-01', to: '2026-01-05' };
  const write = reportWriter((text) => redactText(text, []), clock);
  const written = (format: ReportFormat): Promise<string> => write(executor, { span, format });

  beforeEach(() => (executor = new HistoryExecutor()));

  /** The cells of the first line below the header. RFC 4180, as a spreadsheet reads it. */
  function cells(csv: string): string[] {
    const [, body = ''] = csv.split(/\r\n(.*)/s);
    return [...body.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,"\r\n]*))/g)].map(([, quoted, plain]) =>
      quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
    );
  }

  it('has in CSV a line for each row, with a header', async () => {
    executor.sums = [
      sumRow(
        { day: '2026-01-04', model: 'model-a', repository: '/home/dev/a, b' },
        { usage, costUsd: 0.5, requests: 2 },
      ),
    ];
    const csv = await written('csv');
    assert.match(
      csv,
      /^day,model,engine,persona,source,repository,requests,requests_without_price,cost_usd,input_tokens,/,
    );
    assert.deepEqual(cells(csv).slice(0, 10), [
      '2026-01-04',
      'model-a',
      '',
      '',
      '',
      '/home/dev/a, b',
      '2',
      '0',
      '0.5',
      '1000',
    ]);
  });

  for (const evil of ['=HYPERLINK("http://x","y")', '+1', '-1+1', '@SUM(A1)', ' =1', '\t=1', '\r\n=1', '＝1']) {
    it(`has no formula in a cell of CSV: ${JSON.stringify(evil)}`, async () => {
      executor.sums = [sumRow({ day: '2026-01-04', model: evil })];
      assert.equal(cells(await written('csv'))[1], `'${evil}`);
    });
  }

  it('leaves out secrets of known shapes in every format', async () => {
    const secret = `ghp_${'a1B2'.repeat(9)}`;
    executor.sums = [sumRow({ day: '2026-01-04', repository: `/home/dev/${secret}` })];
    executor.byModel = [sumRow({ model: secret, persona: secret, source: secret, repository: secret })];
    executor.tasks = [taskRow('task-1', { title: `Use ${secret}`, repo: `/r/${secret}` })];
    for (const format of ['csv', 'json', 'md'] as const) {
      const text = await written(format);
      assert.ok(text.includes('[redacted]') || text.includes('\\[redacted\\]'), format);
      assert.equal(text.includes(secret.slice(4)), false, format);
    }
  });

  it('has in JSON everything that the other formats have', async () => {
    executor.sums = [sumRow({ day: '2026-01-04' }, { costUsd: 1 })];
    executor.byModel = [sumRow({ model: 'model-a' })];
    executor.tasks = [taskRow('task-1')];
    const report: unknown = JSON.parse(await written('json'));
    assert.deepEqual(report, {
      span,
      writtenAtMs: clock.nowMs(),
      rows: executor.sums,
      by: {
        day: executor.sums,
        model: executor.byModel,
        engine: executor.byModel,
        persona: executor.byModel,
        source: executor.byModel,
        repository: executor.byModel,
      },
      tasks: executor.tasks,
      hasMoreTasks: false,
      budgets: [
        { scope: 'month', subject: '', unit: 'usd', spent: 1, limit: null, atEnd: 31 / 4.5, reachedAtMs: null },
      ],
    });
  });

  it('is in Markdown for people, and what comes from outside stays text', async () => {
    executor.sums = [
      sumRow(
        { day: '2026-01-04' },
        {
          usage,
          costUsd: 1.5,
          requests: 3,
          unpriced: 1,
          outcomes: { verified: 2, failed: 1 },
          waits: 2,
          queueWaitMs: 90_000,
        },
      ),
    ];
    executor.tasks = [taskRow('task-1', { title: 'a | b\n# <img src=x> [c](http://d)' })];
    const text = await written('md');
    assert.match(text, /^# Airlock from 2026-01-01 to 2026-01-05$/m);
    assert.match(text, /^\| Tasks that ended \| 2 verified, 1 failed \|$/m);
    assert.match(text, /^\| Cost \| at least 1\.50 \$ \(1 requests without a known price\) \|$/m);
    assert.match(text, /^\| Cache hit rate \| 75 % \|$/m);
    assert.match(text, /^\| Queue wait, on average \| 45\.0 s \|$/m);
    assert.match(text, /^\| This month \(UTC\) \| 1\.50 \$ \| none \| 10\.33 \$ by the end of the month\. \|$/m);
    assert.ok(text.includes('| task-1 | a \\| b # \\<img src=x> \\[c\\](http://d) | verified |'));
  });

  it('asks for what its format writes, and for nothing else', async () => {
    const asked = async (format: ReportFormat): Promise<string[]> => {
      executor.calls.length = 0;
      await written(format);
      return executor.calls.map((call) => JSON.stringify(call));
    };
    assert.equal((await asked('csv')).length, 1);
    const [md, json] = [await asked('md'), await asked('json')];
    assert.deepEqual(
      md.filter((call) => call.includes('engine')),
      [],
    );
    assert.equal(json.length, md.length + 2);
  });

  it('shows in Markdown the newest hundred tasks, and says that there are more', async () => {
    executor.tasks = Array.from({ length: 101 }, (_, index) => taskRow(`task-${index}`));
    const text = await written('md');
    assert.match(text, /^These are the newest 100; there are more\.$/m);
    assert.ok(text.includes('| task-99 |') && !text.includes('| task-100 |'));
    executor.tasks.pop();
    assert.ok(!(await written('md')).includes('there are more'));
  });

  it('says when nothing happened', async () => {
    assert.match(await written('md'), /Nothing happened in these days\./);
    assert.equal((await written('csv')).split('\r\n').length, 2);
  });
});
