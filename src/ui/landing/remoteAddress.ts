/** A repository at a forge, from the address of a remote. Credentials in it are left out. */
export interface RemoteRepository {
  /** Such as `github.com`. */
  readonly host: string;
  /** Such as `acme/shop`; GitLab's can have more parts. */
  readonly path: string;
}

/** @returns `undefined` for a folder, and for what is no address of a server. */
export function parseRemote(address: string): RemoteRepository | undefined {
  // `git@host:path`, which is no URL.
  const short = /^(?:[^@/\s]+@)?([\w.-]+):(?!\/\/)([^\s]+)$/.exec(address);
  if (short?.[1] !== undefined && short[2] !== undefined && short[1].length > 1) return repository(short[1], short[2]);
  if (!URL.canParse(address)) return undefined;
  const { protocol, hostname, pathname } = new URL(address);
  if (!['https:', 'http:', 'ssh:', 'git:'].includes(protocol) || hostname === '') return undefined;
  return repository(hostname, pathname);
}

function repository(host: string, rawPath: string): RemoteRepository | undefined {
  const path = rawPath
    .replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  return /^[\w.~-]+(?:\/[\w.~-]+)+$/.test(path) ? { host: host.toLowerCase(), path } : undefined;
}

/** The page on which a pull request from `head` into `base` is opened; `undefined` when nothing is known of such a host. */
export function compareUrl({ host, path }: RemoteRepository, base: string, head: string): string | undefined {
  const name = (branch: string): string => branch.split('/').map(encodeURIComponent).join('/');
  const page = `https://${host}/${path}`;
  if (/(^|\.)github\b/.test(host)) return `${page}/compare/${name(base)}...${name(head)}?expand=1`;
  if (/(^|\.)gitlab\b/.test(host)) {
    const query = new URLSearchParams({
      'merge_request[source_branch]': head,
      'merge_request[target_branch]': base,
    });
    return `${page}/-/merge_requests/new?${query.toString()}`;
  }
  if (/(^|\.)bitbucket\b/.test(host)) {
    return `${page}/pull-requests/new?${new URLSearchParams({ source: head, dest: base }).toString()}`;
  }
  if (/(^|\.)(codeberg\.org|gitea\b|forgejo\b)/.test(host)) return `${page}/compare/${name(base)}...${name(head)}`;
  return undefined;
}

/** A name for a branch from a title: letters, digits and hyphens, at most 60. */
export function branchNameFor(title: string): string {
  const name = title
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'result' : name;
}
