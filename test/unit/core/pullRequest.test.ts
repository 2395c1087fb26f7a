import assert from 'node:assert/strict';
import { maxPullRequests, pullRequestUrlSchema } from '../../../src/core/pullRequest';
import { applyEvent } from '../../../src/core/fold';
import { emptyState } from '../../../src/core/liveState';
import { asEvents, queued } from './sampleEvents';

const taskId = 'task-1';
const page = (number: number): string => `https://github.com/acme/shop/pull/${number}`;

describe('the page of a pull request', () => {
  it('is an address that stays whole wherever it is shown', () => {
    for (const url of [
      page(7),
      'https://gitlab.example.org/a/b/-/merge_requests/7',
      'https://git.example:8443/a/b/pulls/7?tab=files#top',
    ]) {
      assert.ok(pullRequestUrlSchema.safeParse(url).success, url);
    }
    for (const url of [
      'http://github.com/acme/shop/pull/7',
      'command:airlock.accept',
      'https://user:secret@github.com/acme/shop/pull/7',
      'https://github.com/a/b/pull/7)[x](command:y',
      'https://github.com/a/b/pull/7> <b>',
      'https://github.com/a/b/pull/7|x',
      'https://github.com/a/b/pull/7\n# x',
      'https://github.com/a/b/pull/7\u202e',
      'https://',
      'https://:80/',
      `https://github.com/${'a'.repeat(500)}`,
      '',
    ]) {
      assert.equal(pullRequestUrlSchema.safeParse(url).success, false, url);
    }
  });

  it('is remembered once, the newest last, and no more of them than there is room for', () => {
    const opened = (number: number) => ({ kind: 'pullRequest.opened', taskId, url: page(number) }) as const;
    const numbers = Array.from({ length: maxPullRequests + 2 }, (_, index) => index);
    const state = emptyState();
    for (const event of asEvents([queued(taskId), ...numbers.map(opened), opened(4)])) applyEvent(state, event);
    assert.deepEqual(state.tasks.get(taskId)?.pullRequests, [2, 3, 5, 6, 4].map(page));
  });
});
