import { readFileSync } from 'node:fs';
import { type Canary, startCanary } from '../support/canary.ts';
import { openDescriptors, residentBytes } from '../support/proc.ts';
import { dial, getRaw } from '../support/raw-http.ts';

export interface Reading {
  readonly rss: number;
  readonly descriptors: number;
}

/** Traffic of every kind, without pause: cold and warm, whole and by range, missing, refused, and clients that leave. */
export class Load implements AsyncDisposable {
  readonly #canary: Canary;
  #turn = 0;

  private constructor(canary: Canary) {
    this.#canary = canary;
  }

  static async start(): Promise<Load> {
    const canary = await startCanary([
      { prefix: '/images/' },
      { prefix: '/stream/', warm: 'stream' },
      { prefix: '/cold/', allow: { types: ['video/*'] } },
    ]);
    const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));
    for (let index = 0; index < 50; index += 1) canary.origin.put(`/base/${index}.jpg`, lake);
    return new Load(canary);
  }

  /** One round: some hundred requests, a few at a time. Resolves when all are answered. */
  async round(): Promise<void> {
    const { delivery } = this.#canary.proxy;
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        for (let index = 0; index < 25; index += 1) {
          this.#turn += 1;
          const name = `${this.#turn % 50}.jpg`;
          await getRaw(delivery, `/images/${name}`);
          await getRaw(delivery, `/stream/${name}`);
          await getRaw(delivery, `/cold/${name}`, 'Range: bytes=5-99');
          await getRaw(delivery, `/images/missing-${this.#turn % 500}.jpg`);
          await getRaw(delivery, '/images/../x');
          const leaving = await dial(delivery);
          leaving.write(`GET /cold/${name} HTTP/1.1\r\nHost: a\r\n\r\n`);
          leaving.destroy();
        }
      }),
    );
  }

  read(): Reading {
    const { pid } = this.#canary.proxy;
    return { rss: residentBytes(pid), descriptors: openDescriptors(pid) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#canary[Symbol.asyncDispose]();
  }
}
