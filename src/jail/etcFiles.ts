/** The name of the account inside every jail, whatever its id is on the host. */
export const userInJail = 'agent';

/** Where its home is: a tmpfs that is gone with the jail. */
export const homeInJail = '/home/agent';

/** The host's name inside. */
export const hostnameInJail = 'airlock';

/** A small file of our own in place of the host's. */
export interface MadeFile {
  readonly name: string;
  readonly text: string;
}

/** The files of `/etc` that depend on the account are links into this folder. */
export const accountFolderInJail = '/.account';

/** Who the jail runs as: `uid` is also the id of its group. */
export function accountFiles(uid: number): MadeFile[] {
  return [
    {
      name: 'passwd',
      text:
        'root:x:0:0:root:/root:/usr/sbin/nologin\n' +
        `${userInJail}:x:${uid}:${uid}:${userInJail}:${homeInJail}:/bin/bash\n` +
        'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    },
    { name: 'group', text: `root:x:0:\ntty:x:5:\n${userInJail}:x:${uid}:\nnogroup:x:65534:\n` },
  ];
}

/** What must not be the host's own: it names the hosts and the services of its network. */
export const madeEtcFiles: readonly MadeFile[] = [
  { name: 'hosts', text: `127.0.0.1 localhost ${hostnameInJail}\n::1 localhost ip6-localhost ip6-loopback\n` },
  {
    name: 'nsswitch.conf',
    text: 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  },
];

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
