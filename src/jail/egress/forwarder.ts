import { socketName } from './egressProxy';

/** Where the folder with the proxy's socket is mounted in the jail. */
export const egressInJail = '/.egress';

/** In the jail's own network namespace, so that it is never taken. */
const port = 3128;

/**
 * Programs speak TCP to a proxy, and out of a jail leads a Unix socket alone. Perl's base, which is where git is, joins the two.
 * It listens before it becomes the command; what forwards is no child of the command, and holds none of its descriptors. Each
 * direction of a connection has a process of its own, so that none waits for another.
 */
const script = String.raw`
use strict; use POSIX (); use IO::Socket::INET; use IO::Socket::UNIX;
my ($path, $port) = splice @ARGV, 0, 2;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 128, ReuseAddr => 1)
  or die "airlock: no way to the proxy: $@\n";
my $child = fork;
defined $child or die "airlock: no way to the proxy: $!\n";
if ($child) { waitpid $child, 0; exec { $ARGV[0] } @ARGV or do { print STDERR "airlock: $ARGV[0]: $!\n"; POSIX::_exit(127) } }
POSIX::_exit(0) if fork;
POSIX::setsid(); chdir "/"; $0 = "airlock-forwarder"; $SIG{CHLD} = $SIG{PIPE} = "IGNORE";
open STDIN, "<", "/dev/null"; open STDOUT, ">", "/dev/null"; open STDERR, ">", "/dev/null";
while (1) {
  my $client = $server->accept or do { select undef, undef, undef, 0.02; next };
  my $one = fork;
  select undef, undef, undef, 0.02 if !defined $one;
  next if !defined $one or $one;
  close $server;
  my $proxy = IO::Socket::UNIX->new(Peer => $path) or POSIX::_exit(0);
  my $other = fork;
  defined $other or POSIX::_exit(0);
  my ($from, $to) = $other ? ($client, $proxy) : ($proxy, $client);
  my $bytes;
  while (sysread $from, $bytes, 65536) {
    while (length $bytes) {
      my $sent = syswrite $to, $bytes;
      if (!defined $sent) { shutdown $from, 2; shutdown $to, 2; POSIX::_exit(0) }
      substr $bytes, 0, $sent, "";
    }
  }
  shutdown $to, 1;
  POSIX::_exit(0);
}
`;

/** What goes in front of a command in a jail with a network. */
export function forwarderArgv(perlPath: string): string[] {
  return [perlPath, '-e', script, `${egressInJail}/${socketName}`, String(port)];
}

/** What tells programs of the proxy. Each has its own habit. */
export function proxyEnvironment(): Record<string, string> {
  const proxy = `http://127.0.0.1:${port}`;
  const direct = 'localhost,127.0.0.1,::1';
  return {
    ...{ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy },
    ...{ NO_PROXY: direct, no_proxy: direct, NODE_USE_ENV_PROXY: '1' },
  };
}
