import assert from 'node:assert/strict';
import { isAllowed, normalizedHost, parseAllowlist } from '../../../src/jail/egress/allowlist';
import { isPublicAddress } from '../../../src/base/publicAddress';

describe('the allowlist of a network policy', () => {
  it('names hosts, names below a host, and ports', () => {
    const allowlist = parseAllowlist(['example.org', '*.Example.com', 'registry.test:8443']);
    const asked: [string, number][] = [
      ['example.org', 443],
      ['example.org', 80],
      ['example.org', 22],
      ['www.example.org', 443],
      ['a.example.com', 443],
      ['a.b.example.com', 80],
      ['example.com', 443],
      ['evilexample.com', 443],
      ['registry.test', 8443],
      ['registry.test', 443],
    ];
    assert.deepEqual(
      asked.filter(([host, port]) => isAllowed(allowlist, host, port)).map(([host, port]) => `${host}:${port}`),
      ['example.org:443', 'example.org:80', 'a.example.com:443', 'a.b.example.com:80', 'registry.test:8443'],
    );
  });

  it('takes a name however it is written, and no address in any notation', () => {
    const written = ['Example.ORG', 'example.org.', 'bücher.example', '_x.example.org'];
    assert.deepEqual(written.map(normalizedHost), [
      'example.org',
      'example.org',
      'xn--bcher-kva.example',
      '_x.example.org',
    ]);
    const none = [
      ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '１２７.0.0.1', '[::1]', '::1'],
      ...[
        '::ffff:127.0.0.1',
        'localhost',
        '',
        '.',
        'a..b',
        '-a.org',
        'a b.org',
        'a.org/x',
        'a@b.org',
        'a.0x7f',
        `${'a'.repeat(64)}.org`,
      ],
    ];
    assert.deepEqual(
      none.filter((host) => normalizedHost(host) !== undefined),
      [],
    );
  });

  it('is refused when it names anything else', () => {
    for (const domain of [
      '*',
      '*.',
      '127.0.0.1',
      '*.1',
      'localhost',
      'a.*.org',
      'https://a.org',
      'a.org:0',
      'a.org:65536',
      'a.org:x',
      '[::1]:80',
    ]) {
      assert.throws(() => parseAllowlist([domain]), { code: 'network-domain-invalid' }, domain);
    }
  });
});

describe('a public address', () => {
  it('is none of the private, local, special or translated ones', () => {
    const hidden = [
      ...[
        '0.0.0.0',
        '10.1.2.3',
        '100.64.0.1',
        '127.0.0.1',
        '127.255.0.1',
        '169.254.169.254',
        '172.16.0.1',
        '172.31.255.255',
      ],
      ...['192.0.0.8', '192.168.1.1', '198.18.0.1', '198.51.100.7', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
      ...[
        '::',
        '::1',
        '::ffff:8.8.8.8',
        '::ffff:127.0.0.1',
        '::8.8.8.8',
        '64:ff9b::808:808',
        '64:ff9b:1::1',
        'fc00::1',
        'fd00:ec2::254',
      ],
      ...[
        'fe80::1',
        'fe80::1%eth0',
        'fec0::1',
        'ff02::1',
        '2001::1',
        '2001:db8::1',
        '2002:7f00:1::',
        '100::1',
        '2606:4700::1%lo',
      ],
      ...['', 'example.org', '8.8.8', '08.8.8.8'],
    ];
    assert.deepEqual(
      hidden.filter((address) => isPublicAddress(address, [])),
      [],
    );
  });

  it('is one of the internet that is not of this machine', () => {
    const shown = ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'];
    assert.deepEqual(
      shown.filter((address) => isPublicAddress(address, [])),
      shown,
    );
    assert.equal(isPublicAddress('8.8.8.8', ['8.8.8.8']), false);
  });
});
