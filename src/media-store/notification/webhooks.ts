import { setTimeout as pause } from 'node:timers/promises';
import { signNotification } from '../../cloudinary/signature.ts';
import type { Background } from '../background.ts';
import type { Settings } from '../options.ts';
import type { Outbound } from '../outbound.ts';

/** Milliseconds before each further attempt. */
const BACKOFF = [1_000, 5_000, 30_000];
const TIMEOUT = 10_000;

/** Posts notifications, signed as Cloudinary signs them (contract §1.3), and tries again when nobody takes them. */
export class Webhooks {
  readonly #outbound: Outbound;
  readonly #background: Background;
  readonly #settings: Settings;

  constructor(parts: { outbound: Outbound; background: Background; settings: Settings }) {
    this.#outbound = parts.outbound;
    this.#background = parts.background;
    this.#settings = parts.settings;
  }

  notify(url: string, notification: Readonly<Record<string, unknown>>): void {
    if (!URL.canParse(url)) return;
    const timestamp = Math.floor(this.#settings.clock() / 1000);
    const body = JSON.stringify({ ...notification, timestamp: new Date(timestamp * 1000).toISOString() });
    const { apiSecret, signatureAlgorithm } = this.#settings;
    const headers = {
      'content-type': 'application/json',
      'x-cld-timestamp': String(timestamp),
      'x-cld-signature': signNotification(body, timestamp, apiSecret, signatureAlgorithm),
    };
    this.#background.start(() => this.#deliver(new URL(url), body, headers));
  }

  async #deliver(url: URL, body: string, headers: Record<string, string>): Promise<void> {
    for (const wait of [...BACKOFF, undefined]) {
      if (await this.#isTaken(url, body, headers)) return;
      if (wait !== undefined) await pause(wait, undefined, { signal: this.#background.signal });
    }
    throw new Error(`no webhook took the notification at ${url.origin}`);
  }

  async #isTaken(url: URL, body: string, headers: Record<string, string>): Promise<boolean> {
    const signal = AbortSignal.any([this.#background.signal, AbortSignal.timeout(TIMEOUT)]);
    const answer = await this.#outbound.send({ url, method: 'POST', headers, body, signal }).catch(() => undefined);
    await answer?.drop();
    return answer !== undefined && answer.status >= 200 && answer.status < 300;
  }
}
