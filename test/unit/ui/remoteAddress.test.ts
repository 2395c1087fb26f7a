import assert from 'node:assert/strict';
import { argumentsFor, pageIn } from '../../../src/ui/landing/ghProgram';
import { branchNameFor, compareUrl, parseRemote } from '../../../src/ui/landing/remoteAddress';

describe('the address of a remote', () => {
  it('is read in each of the ways in which git takes it, and without what it says of an account', () => {
    const shop = { host: 'github.com', path: 'acme/shop' };
    for (const address of [
      'git@github.com:acme/shop.git',
      'github.com:acme/shop',
      'https://github.com/acme/shop.git',
      'https://somebody:token-1234@github.com/acme/shop/',
      'ssh://git@github.com:22/acme/shop.git',
    ]) {
      assert.deepEqual(parseRemote(address), shop, address);
    }
    assert.deepEqual(parseRemote('git@gitlab.example.org:a/b/c.git'), { host: 'gitlab.example.org', path: 'a/b/c' });
  });

  it('is none for folders and for what names no repository', () => {
    for (const address of ['/srv/git/shop.git', '../shop', 'file:///srv/shop', 'C:\\shop', '', 'https://github.com/']) {
      assert.equal(parseRemote(address), undefined, address);
    }
  });

  it('leads to the page of its forge, and to none where the forge is not known', () => {
    const at = (host: string) => ({ host, path: 'acme/shop' });
    assert.deepEqual(
      ['github.com', 'gitlab.com', 'bitbucket.org', 'codeberg.org', 'git.example.org'].map((host) =>
        compareUrl(at(host), 'main', 'fix/a b'),
      ),
      [
        'https://github.com/acme/shop/compare/main...fix/a%20b?expand=1',
        'https://gitlab.com/acme/shop/-/merge_requests/new?merge_request%5Bsource_branch%5D=fix%2Fa+b&merge_request%5Btarget_branch%5D=main',
        'https://bitbucket.org/acme/shop/pull-requests/new?source=fix%2Fa+b&dest=main',
        'https://codeberg.org/acme/shop/compare/main...fix/a%20b',
        undefined,
      ],
    );
  });
});

describe('a pull request', () => {
  it('gets a branch named after the task', () => {
    assert.deepEqual(['Fix the cart total!', ' --Ünïcode & more ', '???'].map(branchNameFor), [
      'fix-the-cart-total',
      'unicode-more',
      'result',
    ]);
  });

  it('is given to gh so that no value can pass for an option', () => {
    const request = { repository: 'github.com/acme/shop', head: '-x', base: 'main', title: '--web', body: 'b' };
    assert.deepEqual(argumentsFor(request), [
      'pr',
      'create',
      '--repo=github.com/acme/shop',
      '--head=-x',
      '--base=main',
      '--title=--web',
      '--body-file=-',
    ]);
  });

  it('is taken from what gh says last of that host, and from nothing else', () => {
    const page = 'https://github.com/acme/shop/pull/7';
    assert.equal(
      pageIn(`See https://github.com/acme/shop\n${page}\nhttps://elsewhere.example/x\n`, 'github.com'),
      page,
    );
    assert.equal(pageIn('https://elsewhere.example/acme/shop/pull/7\n', 'github.com'), undefined);
    assert.equal(pageIn('https://github.com/a/b/pull/7>)\n', 'github.com'), undefined);
    assert.equal(pageIn('', 'github.com'), undefined);
  });
});
