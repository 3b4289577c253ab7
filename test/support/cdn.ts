import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithTests, freePort, killGroup } from './child.ts';
import { requireExecutable } from './executable.ts';

/** A caching server in front of another one, as a CDN stands in front of lazyferry. */
export interface Cdn {
  /** Without a slash at its end: `http://127.0.0.1:40001`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * nginx with a cache of its own that obeys `Cache-Control`. It answers `X-Cache: HIT`, `MISS`, `EXPIRED`, …
 *
 * @param upstream what it stands in front of, such as `http://127.0.0.1:8080`
 */
export function startNginx(upstream: string): Promise<Cdn> {
  return startCdn('nginx', async (directory, port) => {
    const http = `proxy_cache_path ${join(directory, 'cache')} keys_zone=cdn:1m max_size=256m;
  upstream lazyferry { server ${new URL(upstream).host}; keepalive 16; }`;
    return nginxStart(directory, nginxConfiguration(directory, port, cachingLocation, http));
  });
}

/**
 * nginx that keeps nothing but connections, for `idle` (`60s`, its own default), and that tries nothing twice: a request
 * that a connection loses is a 502.
 */
export function startNginxBalancer(upstream: string, idle = '60s'): Promise<Cdn> {
  return startCdn('nginx', (directory, port) => {
    const http = `upstream lazyferry { server ${new URL(upstream).host}; keepalive 64; keepalive_timeout ${idle}; }`;
    const location = `proxy_pass http://lazyferry;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream off;`;
    return nginxStart(directory, nginxConfiguration(directory, port, location, http));
  });
}

/** nginx that sends everybody to `location`: the fastest redirect there is, to compare with. */
export function startNginxRedirect(location: string): Promise<Cdn> {
  return startCdn('nginx', (directory, port) =>
    nginxStart(directory, nginxConfiguration(directory, port, `return 302 ${location};`)),
  );
}

async function nginxStart(directory: string, configuration: string): Promise<Start> {
  await writeFile(join(directory, 'nginx.conf'), configuration);
  return {
    args: ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr'],
    // The socket is bound before the workers start: from here on connections queue.
    ready: /start worker process/,
  };
}

const cachingLocation = `proxy_pass http://lazyferry;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_redirect off;
      proxy_cache cdn;
      proxy_cache_lock on;
      proxy_cache_revalidate on;
      proxy_cache_key $request_uri;
      add_header X-Cache $upstream_cache_status always;`;

/**
 * Varnish with its own rules and this much: `X-Cache: HIT` or `MISS`; `BAN` with `X-Tag` forgets what carries that
 * surrogate key; `stale-if-error` becomes a grace.
 *
 * @param upstream what it stands in front of, such as `http://127.0.0.1:8080`
 */
export function startVarnish(upstream: string): Promise<Cdn> {
  return startCdn('varnishd', async (directory, port) => {
    await writeFile(join(directory, 'cdn.vcl'), varnishConfiguration(new URL(upstream)));
    const work = ['-n', join(directory, 'work'), '-j', 'none', '-s', 'malloc,64M'];
    return {
      args: ['-F', '-f', join(directory, 'cdn.vcl'), '-a', `127.0.0.1:${port}`, ...work],
      ready: /said Child starts/,
    };
  });
}

export interface Start {
  readonly args: readonly string[];
  /** The line of its log that says that it accepts connections; absent where it has none, and is tried until it does. */
  readonly ready?: RegExp;
}

/** Runs the program on a free port, with a directory of its own, until it is closed. */
export async function startCdn(
  program: string,
  prepare: (directory: string, port: number) => Promise<Start>,
): Promise<Cdn> {
  const executable = requireExecutable(program);
  const directory = await mkdtemp(join(tmpdir(), `lazyferry-${program}-`));
  const port = await freePort();
  const { args, ready } = await prepare(directory, port);
  const child = spawn(executable, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  endWithTests(child);
  const exit = once(child, 'exit');
  const log: string[] = [];
  const started = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.push(line);
      if (ready?.test(line)) started.resolve();
    });
  }
  if (ready === undefined) accepted(port, exit).then(started.resolve, started.reject);
  const close = async (): Promise<void> => {
    killGroup(child);
    await exit;
    await rm(directory, { recursive: true, force: true });
  };
  child.once('exit', (code) => started.reject(new Error(`${program} ended with ${code}:\n${log.join('\n')}`)));
  try {
    await started.promise;
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, close };
}

/** Resolves once the port takes a connection, or the program is gone. */
async function accepted(port: number, exit: Promise<unknown>): Promise<void> {
  let gone = false;
  exit.then(() => {
    gone = true;
  });
  while (!gone) {
    const socket = connect(port, '127.0.0.1');
    const taken = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (taken) return;
    await delay(20);
  }
}

function nginxConfiguration(directory: string, port: number, location: string, http = ''): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(directory, name)};`,
  );
  // As root, nginx would change to a user who cannot enter a test's private directory.
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr notice;
events { worker_connections 512; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  ${http}
  server {
    listen 127.0.0.1:${port};
    location / {
      ${location}
    }
  }
}
`;
}

function varnishConfiguration(upstream: URL): string {
  return `vcl 4.1;
backend lazyferry { .host = "${upstream.hostname}"; .port = "${upstream.port}"; }
sub vcl_recv {
  if (req.method == "BAN") {
    ban("obj.http.Surrogate-Key ~ (^|\\s)" + req.http.X-Tag + "(\\s|$)");
    return (synth(200, "Banned"));
  }
}
sub vcl_backend_response {
  if (beresp.http.Cache-Control ~ "stale-if-error") { set beresp.grace = 1d; }
}
sub vcl_deliver {
  if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; }
}
`;
}
