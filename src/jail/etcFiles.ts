/** The name of the account inside every jail, whatever its id is on the host. */
export const userInJail = 'agent';

/** Where its home is: a tmpfs that is gone with the jail. */
export const homeInJail = '/home/agent';

/** A small file that is made for the jail. */
export interface MadeFile {
  readonly path: string;
  readonly text: string;
}

/** The part of `/etc` that must not be the host's own: it names the users, the hosts and the services of the machine. */
export function madeEtcFiles(uid: number, hostname: string): MadeFile[] {
  return [
    {
      path: '/etc/passwd',
      text:
        'root:x:0:0:root:/root:/usr/sbin/nologin\n' +
        `${userInJail}:x:${uid}:${uid}:${userInJail}:${homeInJail}:/bin/bash\n` +
        'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    },
    { path: '/etc/group', text: `root:x:0:\ntty:x:5:\n${userInJail}:x:${uid}:\nnogroup:x:65534:\n` },
    { path: '/etc/hosts', text: `127.0.0.1 localhost ${hostname}\n::1 localhost ip6-localhost ip6-loopback\n` },
    {
      path: '/etc/nsswitch.conf',
      text: 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n',
    },
  ];
}

/**
 * What of the host's `/etc` is shown where it exists. No configuration that may hold a password or a token (`gitconfig`,
 * `npmrc`, `pip.conf`), nothing of its users.
 */
export const shownEtcNames: readonly string[] = [
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'alternatives',
  'localtime',
  'timezone',
  'os-release',
  'debian_version',
  'redhat-release',
  'ssl/certs',
  'ssl/cert.pem',
  'ssl/openssl.cnf',
  'pki/tls/certs',
  'pki/tls/cert.pem',
  'pki/tls/openssl.cnf',
  'pki/ca-trust/extracted',
  'ca-certificates',
  'crypto-policies',
  'services',
  'protocols',
  'mime.types',
  'magic',
  'terminfo',
  'inputrc',
  'locale.alias',
  'fonts',
  'perl',
  'vim',
];

/** Families of names that carry a version: `/usr` points into them. */
export const shownEtcPatterns: readonly RegExp[] = [/^java-?\d[\w.-]*$/, /^java$/, /^python\d[\d.]*$/];
