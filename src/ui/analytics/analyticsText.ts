import * as l10n from '@vscode/l10n';
import type { AnalyticsText } from '../../protocol/analyticsProtocol';

/** The page's words in the user's language. */
export function analyticsText(): AnalyticsText {
  return {
    ...pageText(),
    ...tableText(),
    ...budgetText(),
    metrics: {
      tokens: l10n.t('Tokens'),
      cost: l10n.t('Cost'),
      cacheHits: l10n.t('Cache hit rate'),
      verdicts: l10n.t('Tasks by verdict'),
      sessionTime: l10n.t('Session time'),
      queueWait: l10n.t('Queue wait'),
      firstToken: l10n.t('Time to first token'),
      retries: l10n.t('Retries'),
    },
    dimensions: {
      day: l10n.t('Day (UTC)'),
      model: l10n.t('Model'),
      engine: l10n.t('Engine'),
      persona: l10n.t('Persona'),
      source: l10n.t('Source'),
      repository: l10n.t('Repository'),
    },
    outcomes: {
      verified: l10n.t('Verified'),
      partial: l10n.t('Partial'),
      unchecked: l10n.t('Unchecked'),
      contradicted: l10n.t('Contradicted'),
      failed: l10n.t('Failed'),
      cancelled: l10n.t('Cancelled'),
    },
  };
}

function pageText() {
  return {
    title: l10n.t('Airlock Analytics'),
    loading: l10n.t('Reading the history…'),
    refresh: l10n.t('Refresh'),
    retry: l10n.t('Try again'),
    failed: l10n.t('The history could not be read.'),
    nothingYet: l10n.t('No task has ended yet.'),
    nothingYetHint: l10n.t('Tokens, costs and verdicts appear here as soon as an agent starts to work.'),
    nothingInPeriod: l10n.t('Nothing happened in this period.'),
    period: l10n.t('Period'),
    lastDays: l10n.t('Last {0} days'),
    ownPeriod: l10n.t('From day to day'),
    from: l10n.t('From'),
    to: l10n.t('To'),
    wrongPeriod: l10n.t('The last day must not be before the first one.'),
    exportCsv: l10n.t('Export CSV…'),
    exportJson: l10n.t('Export JSON…'),
    tasksEnded: l10n.t('Tasks ended'),
    verified: l10n.t('Verified'),
    requests: l10n.t('{0} requests'),
    ofTasks: l10n.t('{0} of {1}'),
    unpriced: l10n.t('and {0} requests whose price is not known'),
    average: l10n.t('{0} on average'),
    metric: l10n.t('Show'),
    groupBy: l10n.t('By'),
    metricBy: l10n.t('{0} by {1}'),
    chartSummary: l10n.t('{0}, from {1} to {2}. The same figures are in the table below.'),
    chartPart: l10n.t('The chart shows the first {0} of {1} rows; the table has all.'),
    unknown: l10n.t('unknown'),
    updatedAt: l10n.t('As of {0}'),
  } satisfies Partial<AnalyticsText>;
}

function tableText() {
  return {
    showTable: l10n.t('Show these figures as a table'),
    inputTokens: l10n.t('Input'),
    cacheWriteTokens: l10n.t('Cache write'),
    cacheReadTokens: l10n.t('Cache read'),
    outputTokens: l10n.t('Output'),
    tasks: l10n.t('Tasks of the period'),
    tasksOf: l10n.t('Tasks of {0}'),
    allTasks: l10n.t('All tasks of the period'),
    showTasks: l10n.t('Show the tasks of {0}'),
    revealTask: l10n.t('Show {0} in the task tree'),
    noTasks: l10n.t('No task was worked on.'),
    task: l10n.t('Task'),
    verdict: l10n.t('Verdict'),
    goesOn: l10n.t('Goes on'),
    attempts: l10n.t('Attempts'),
    time: l10n.t('Queued to ended'),
    ended: l10n.t('Ended'),
    showMore: l10n.t('Show more'),
  } satisfies Partial<AnalyticsText>;
}

function budgetText() {
  return {
    budgets: l10n.t('Budgets'),
    forecastNote: l10n.t(
      'The forecast is a straight line: what was spent so far in the day or month, or in the last 7 days for the total, goes on at the same pace. It knows nothing of what is queued.',
    ),
    scope: l10n.t('Budget'),
    spent: l10n.t('Spent'),
    limit: l10n.t('Limit'),
    noLimit: l10n.t('none'),
    atThisPace: l10n.t('At this pace'),
    byEndOfDay: l10n.t('{0} by the end of the day'),
    byEndOfMonth: l10n.t('{0} by the end of the month'),
    tooEarly: l10n.t('too early to say'),
    reached: l10n.t('The limit is reached.'),
    reachedAt: l10n.t('The limit is reached on {0}.'),
    notReached: l10n.t('The limit is not reached.'),
    scopes: {
      persona: l10n.t('Today, persona {0}'),
      day: l10n.t('Today'),
      month: l10n.t('This month (UTC)'),
      total: l10n.t('In all'),
    },
  } satisfies Partial<AnalyticsText>;
}
