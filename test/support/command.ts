import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { requireExecutable } from './executable.ts';

export interface CommandResult {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface HttpResult {
  /** Exit code of the client: 0 when it was content, not 0 also for a body cut short. */
  readonly code: number | null;
  /** Of the last answer, where redirects were followed; 0 without any answer. */
  readonly status: number;
  /** Of the last answer, by lower-case name; a repeated header's values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** What the client said, for failure messages. */
  readonly stderr: string;
}

/** Runs a program to its end and collects everything. It is killed after `timeoutMs`. */
export async function runCommand(name: string, args: readonly string[], timeoutMs = 60_000): Promise<CommandResult> {
  const child = spawn(requireExecutable(name), args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
  const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

const report = '\n--report--';

/** `curl ARGS URL`, with neither the user's own settings nor proxies. */
export async function curl(url: string, ...args: readonly string[]): Promise<HttpResult> {
  const write = `%{stderr}${report}{"status":"%{response_code}","headers":%{header_json}}`;
  const result = await runCommand('curl', ['-q', '-sS', '--noproxy', '*', '-w', write, ...args, url]);
  const end = result.stderr.lastIndexOf(report);
  if (end === -1) throw new Error(`curl ended with ${result.code} and no report: ${result.stderr}`);
  const { status, headers } = JSON.parse(result.stderr.slice(end + report.length)) as {
    status: string;
    headers: Record<string, string[]>;
  };
  return {
    code: result.code,
    status: Number(status),
    headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.join(', ')])),
    body: result.stdout,
    stderr: result.stderr.slice(0, end),
  };
}

/** `wget ARGS URL`, with neither the user's own settings nor proxies; bodies of errors are kept. It follows redirects. */
export async function wget(url: string, ...args: readonly string[]): Promise<HttpResult> {
  const fixed = ['--no-config', '--no-proxy', '--tries=1', '--no-verbose', '--content-on-error', '--server-response'];
  const result = await runCommand('wget', [...fixed, '-O', '-', ...args, url]);
  const answers = result.stderr.split(/^ {2}(?=HTTP\/)/m);
  const [statusLine = '', ...lines] = (answers.length > 1 ? (answers.at(-1) ?? '') : '').split('\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const match = /^ {2}([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/.exec(line);
    if (match === null) break;
    const name = (match[1] ?? '').toLowerCase();
    headers[name] = name in headers ? `${headers[name]}, ${match[2]}` : (match[2] ?? '');
  }
  const status = Number(/^HTTP\/\S+ (\d{3})/.exec(statusLine)?.[1] ?? 0);
  return { code: result.code, status, headers, body: result.stdout, stderr: result.stderr };
}
