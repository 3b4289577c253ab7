import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  /** Of the first answer; 0: the connection was closed without one. */
  readonly status: number;
  /** Status of every answer on the connection, in order. */
  readonly statuses: readonly number[];
  /** Header of the first answer by lower-case name; a repeated one joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** All that came, one character per byte. */
  readonly text: string;
}

/** A connection on which a test writes its bytes by itself. */
export async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, noDelay: true }).on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/**
 * Writes the bytes (one character each) and collects everything until the server closes. No client library looks at
 * what is sent or at what comes back. Ask for `Connection: close`, or send what gets the connection cut.
 */
export async function sendRaw(url: string, ...parts: readonly string[]): Promise<RawAnswer> {
  const socket = await dial(url);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const closed = once(socket, 'close');
  for (const part of parts) socket.write(part, 'latin1');
  await closed;
  return readAnswer(Buffer.concat(chunks).toString('latin1'));
}

/** A GET of this very target, with these header lines besides. */
export function getRaw(url: string, target: string, ...lines: readonly string[]): Promise<RawAnswer> {
  const head = [`GET ${target} HTTP/1.1`, 'Host: media.example.com', 'Connection: close', ...lines];
  return sendRaw(url, `${head.join('\r\n')}\r\n\r\n`);
}

export function readAnswer(text: string): RawAnswer {
  const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map((match) => Number(match[1]));
  const headers: Record<string, string> = {};
  for (const line of (text.split('\r\n\r\n', 1)[0] ?? '').split('\r\n').slice(1)) {
    const [name = '', value = ''] = line.split(/:\s*(.*)/s);
    const key = name.toLowerCase();
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
  }
  return { status: statuses[0] ?? 0, statuses, headers, text };
}
