import { request } from 'undici';
import { expect } from 'vitest';
import type { ChaosOrigin } from './chaos-origin.ts';
import type { LazyferryProcess } from './lazyferry-process.ts';

/** Asks a proxy under trouble the way clients and probes do, and compares each byte. */
export class PromiseOne {
  readonly #origin: ChaosOrigin;
  readonly #proxy: LazyferryProcess;
  readonly #picture: Buffer;
  #count = 0;

  constructor(origin: ChaosOrigin, proxy: LazyferryProcess, picture: Buffer) {
    this.#origin = origin;
    this.#proxy = proxy;
    this.#picture = picture;
  }

  /** A path that nobody asked for yet. */
  coldPath(): string {
    this.#count += 1;
    const path = `/img/${this.#count}.gif`;
    this.#origin.put(path, Buffer.concat([this.#picture, Buffer.from(path)]), { type: 'image/gif' });
    return path;
  }

  /** Asks; the answer is the right bytes, from wherever. Returns whether the store has them. */
  async expectRight(path: string): Promise<boolean> {
    const { statusCode, headers, body } = await request(this.#proxy.delivery + path);
    const first = Buffer.from(await body.arrayBuffer());
    const stored = statusCode === 302;
    const whole = stored ? await request(String(headers.location)) : undefined;
    const bytes = whole === undefined ? first : Buffer.from(await whole.body.arrayBuffer());
    const right = bytes.equals(Buffer.concat([this.#picture, Buffer.from(path)]));
    expect({ path, status: whole?.statusCode ?? statusCode, right }).toEqual({ path, status: 200, right: true });
    return stored;
  }

  /** Asks for a fresh asset until it is stored: uploads go on. */
  async expectUploads(): Promise<string> {
    const path = this.coldPath();
    await expect.poll(() => this.expectRight(path), { timeout: 20_000, interval: 50 }).toBe(true);
    return path;
  }

  async expectAlive(): Promise<void> {
    const { statusCode, body } = await request(`${this.#proxy.admin}/healthz`);
    await body.dump();
    expect(statusCode).toBe(200);
  }

  /** What `/readyz` says is wrong. */
  async reasons(): Promise<string> {
    const { statusCode, body } = await request(`${this.#proxy.admin}/readyz`);
    const { reasons } = (await body.json()) as { reasons: string[] };
    expect(statusCode).toBe(200);
    return reasons.join('\n');
  }

  async expectReadiness(says: RegExp): Promise<void> {
    await expect.poll(() => this.reasons(), { timeout: 20_000, interval: 100 }).toMatch(says);
  }
}
