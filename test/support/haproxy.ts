import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cdn, startCdn } from './cdn.ts';

/** One process behind the balancer, by ports of loopback. */
export interface BalancedProcess {
  readonly delivery: number;
  readonly admin: number;
}

/**
 * HAProxy before several processes, in turn. It asks each one's `/readyz` ten times a second and believes the first
 * answer; it rests connections and uses them again, and it tries nothing twice: a request that a process loses is a
 * 502 or 503. `X-Server` of an answer is the number of its process.
 */
export function startHaproxy(processes: readonly BalancedProcess[]): Promise<Cdn> {
  return startCdn('haproxy', async (directory, port) => {
    const file = join(directory, 'haproxy.cfg');
    const servers = processes.map(
      ({ delivery, admin }, number) => `server ${number} 127.0.0.1:${delivery} check port ${admin}`,
    );
    await writeFile(file, configuration(port, servers));
    return { args: ['-db', '-f', file] };
  });
}

function configuration(port: number, servers: readonly string[]): string {
  return `global
  log stdout format raw local0 notice
defaults
  log global
  mode http
  retries 0
  timeout connect 2s
  timeout check 5s
  timeout client 60s
  timeout server 60s
listen lazyferry
  bind 127.0.0.1:${port}
  balance roundrobin
  http-reuse always
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 127.0.0.1
  default-server inter 100ms fall 1 rise 1
  http-response set-header X-Server %s
  ${servers.join('\n  ')}
`;
}
