import { messageOf } from '../base/errors';
import { makeVisible } from '../base/visible';
import type { EventBody } from '../core/events';
import type { RunId } from '../core/ids';
import type { EgressConnection } from '../core/jail';
import type { ExecutorPorts } from './ports';

/** Hosts of one run that are told apart for each outcome; those beyond are counted together. */
const maxHosts = 100;
const otherHosts = { host: '*', port: 0 };

/** 1, 10, 100, …: however often a loop connects, the journal grows by its logarithm. */
const isTold = (count: number): boolean => /^10*$/.test(String(count));

/** What the jails of one run ask the network for: each host is an event when it is first asked for, and then ever more rarely. */
export class ConnectionLog {
  private readonly counts = new Map<string, number>();
  private readonly listed = new Set<string>();
  private readonly hosts = new Map<EgressConnection['kind'], number>();

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'logger'>,
    private readonly runId: RunId,
    /** Called with each host that was not reached, once. */
    private readonly onRefused: (words: string) => void,
  ) {}

  record(by: 'session' | 'check' | 'setup', connection: EgressConnection): void {
    const { host, port } = this.isListed(connection) ? connection : otherHosts;
    const reason = connection.kind === 'allowed' ? '' : connection.reason;
    const key = JSON.stringify([by, connection.kind, host, port]);
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    if (!isTold(count)) return;
    this.append({
      kind: 'run.connected',
      runId: this.runId,
      by,
      host,
      port,
      outcome: connection.kind,
      reason,
      count,
    });
    if (count === 1 && connection.kind !== 'allowed') this.onRefused(refusalWords(host, port, reason));
  }

  private isListed({ kind, host, port }: EgressConnection): boolean {
    const key = JSON.stringify([kind, host, port]);
    if (this.listed.has(key)) return true;
    const known = this.hosts.get(kind) ?? 0;
    if (known >= maxHosts) return false;
    this.hosts.set(kind, known + 1);
    this.listed.add(key);
    return true;
  }

  private append(body: EventBody): void {
    this.ports.events.append([body]).catch((error: unknown) => {
      this.ports.logger.warn('A connection of a jail could not be kept', { reason: messageOf(error) });
    });
  }
}

function refusalWords(host: string, port: number, reason: string): string {
  return host === otherHosts.host
    ? `Further hosts were not reached: ${makeVisible(reason)}.`
    : `${makeVisible(host)}:${port} was not reached: ${makeVisible(reason)}.`;
}
