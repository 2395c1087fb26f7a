import assert from 'node:assert/strict';
import { isCancellation } from '../../../src/base/errors';
import { Mutex } from '../../../src/base/mutex';

describe('the mutex', () => {
  it('runs one after another, whatever becomes of the one before', async () => {
    const mutex = new Mutex();
    const done: string[] = [];
    const failing = mutex.run(async () => {
      await Promise.resolve();
      done.push('first');
      throw new Error('first');
    });
    const next = mutex.run(async () => done.push('second'));
    await assert.rejects(failing, /first/);
    await next;
    assert.deepEqual(done, ['first', 'second']);
  });

  it('gives up at once what waits, never runs it, and lets what has begun decide for itself', async () => {
    const mutex = new Mutex();
    const abort = new AbortController();
    const { signal } = abort;
    let finish = (): void => {};
    const first = mutex.run(() => new Promise<string>((resolve) => (finish = () => resolve('first'))), signal);
    const waiting = mutex.run(() => assert.fail('it was given up'), signal);
    const next = mutex.run(() => Promise.resolve('next'));
    await Promise.resolve();
    abort.abort();
    await assert.rejects(waiting, isCancellation);
    await assert.rejects(
      mutex.run(() => assert.fail('it was given up before it was asked for'), signal),
      isCancellation,
    );
    finish();
    assert.deepEqual(await Promise.all([first, next]), ['first', 'next']);
  });
});
