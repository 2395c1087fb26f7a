import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { loadNodePty } from '../../../src/sessions/nodePty';

describe('loading node-pty', () => {
  it('takes the folder that is named, and the packaged one when that is not there', async () => {
    const named = await loadNodePty(join(__dirname, '../../../node_modules/node-pty'));
    const packaged = await loadNodePty('/not/there');
    assert.equal(typeof named.spawn, 'function');
    assert.equal(typeof packaged.spawn, 'function');
  });
});
