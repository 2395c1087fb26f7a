import assert from 'node:assert/strict';
import fc from 'fast-check';
import { definedTask, honestyOf } from '../../../../src/sources/taskDefinitions/definedTask';
import { readDefinition } from '../../../../src/sources/taskDefinitions/definitionFile';

const path = '/repo/.airlock/tasks/nightly.yaml';

function complaints(text: string): string[] {
  const read = readDefinition(text, path);
  const env = (name: string): string | undefined => (name === 'TEAM' ? 'blue' : undefined);
  return [...read.diagnostics, ...honestyOf(path, read, env)].map(
    ({ line, column, severity, message }) => `${line}:${column} ${severity} ${message}`,
  );
}

describe('a task definition', () => {
  it('is read whole, with its defaults', () => {
    const text = `
name: Nightly
description: Every night
priority: high
schedule: { type: cron, expression: "0 3 * * *", timezone: Europe/Berlin }
task:
  prompt: "Look at {{ context.area }} for {{ env.TEAM }}"
  allowed_tools: [Read, Bash]
  disallowed_tools: [bash_input]
  timeout: 90.5
  context: { area: billing, deep: { x: 1 } }
on_success:
  - log: done
  - notify: "It is done"
`;
    assert.deepEqual(complaints(text), []);
    const { definition } = readDefinition(text, path);
    assert.ok(definition);
    assert.deepEqual(
      definedTask(definition, '/repo', (name) => (name === 'TEAM' ? 'blue' : undefined)),
      {
        title: 'Nightly',
        prompt: 'Look at billing for blue',
        priority: 1,
        persona: null,
        checks: null,
        limits: { timeoutMs: 90_500, tools: ['bash', 'read', 'report_progress', 'finish'] },
        repo: '/repo',
        context: { description: 'Every night', area: 'billing', deep: { x: 1 } },
      },
    );
  });

  it('may plan without changing anything', () => {
    const { definition } = readDefinition('name: n\ntask: { prompt: p, permission_mode: plan }', path);
    assert.deepEqual(definition && definedTask(definition, '/repo', () => undefined)?.limits, {
      tools: ['read', 'glob', 'grep', 'report_progress'],
    });
  });

  it('says what is wrong at its line and column', () => {
    const text = [
      'name: ""',
      'enabledd: true',
      'schedule:',
      '  type: cron',
      '  expression: "99 * * * *"',
      '  timezone: Mars/Olympus',
      'task:',
      '  prompt: x',
      '  max_retries: many',
    ].join('\n');
    assert.deepEqual(complaints(text), [
      '1:7 error name: it is empty.',
      '6:13 error schedule.timezone: “Mars/Olympus” is no time zone; they are called like Europe/Berlin.',
      '9:16 error task.max_retries: Invalid input: expected number, received string.',
      '2:11 error enabledd: there is no such key.',
    ]);
    assert.match(
      complaints('name: n\ntask: {prompt: p}\nschedule: {type: cron, expression: "99 * * * *"}')[0] ?? '',
      /^3:36 error schedule.expression: it is no cron/,
    );
    assert.match(complaints('a: [1\nb: 2')[0] ?? '', /^2:1 error It is no YAML/);
    assert.match(complaints('').join(), /error/);
    assert.match(
      complaints('name: n\nname: m\ntask: {prompt: p}')[0] ?? '',
      /^2:1 error It is no YAML: Map keys must be unique/,
    );
  });

  it('says what cannot be honoured, and what cannot be filled in', () => {
    const text = [
      'name: n',
      'task:',
      '  prompt: "{{ env.HOME }} {{ context.no }} {{ other }} {{ env.TEAM }}"',
      '  allowed_tools: [Read, "Bash(git *)"]',
    ].join('\n');
    assert.deepEqual(complaints(text), [
      '3:11 error {{ env.HOME }} cannot be filled in: the variable is not set, or your settings do not allow it, so the task is not worked on.',
      '3:11 error {{ context.no }} cannot be filled in: the task’s context has no such value, so the task is not worked on.',
      '3:11 error {{ other }} is not understood: there are {{ env.NAME }} and {{ context.name }}, so the task is not worked on.',
      '4:25 warning There is no tool “Bash(git *)”. There are: bash, bash_output, bash_input, bash_stop, read, write, edit, glob, grep, report_progress, ask_user, finish, send_message, read_messages, create_subtasks.',
    ]);
  });

  it('never throws, whatever is in the file', () => {
    const bomb =
      'a: &a [x,x,x,x,x,x,x,x,x]\n' +
      'bcdefgh'
        .split('')
        .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)
        .join('\n');
    assert.match(complaints(bomb).join(), /cannot be read|no such key/);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => `name: ${text}\ntask:\n  prompt: ${text}`),
        ),
        (text) => {
          for (const line of complaints(text)) assert.match(line, /^\d+:\d+ (error|warning) /);
        },
      ),
      { numRuns: 300 },
    );
  });
});
