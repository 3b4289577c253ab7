import { Readable } from 'node:stream';
import type { OriginFacts } from '../../src/asset/record.ts';
import type { Origin, OriginBody, OriginRequest, OriginResponse } from '../../src/origin/origin.ts';

/** What a scripted origin answers: the bytes it has, and what it says of them. */
export interface OriginScript {
  readonly status?: number;
  readonly content: Uint8Array;
  readonly facts?: OriginFacts;
  /** Undefined: the content's own; 'none': chunked, so not stated. */
  readonly length?: number | 'none';
  readonly framed?: boolean;
  readonly md5?: string;
  /** Answers 200 to a range, as simple servers do. */
  readonly ignoresRanges?: boolean;
  /** The body fails with this after the content. */
  readonly breaks?: Error;
  /** There is no answer but this. */
  readonly fails?: Error;
  /** The body goes no further than the content until this resolves. */
  readonly stalls?: Promise<unknown>;
}

/** An `Origin` in memory that answers every request by its script, ranges of the whole included. */
export class ScriptedOrigin implements Origin {
  script: OriginScript;
  readonly opened: OriginRequest[] = [];

  constructor(script: OriginScript) {
    this.script = script;
  }

  /** Reads of the whole object. */
  get wholeReads(): number {
    return this.opened.filter(({ range }) => range === undefined).length;
  }

  async open(request: OriginRequest): Promise<OriginBody> {
    this.opened.push(request);
    const { content, breaks, stalls, ignoresRanges } = this.script;
    const response = this.#answer();
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.range ?? '');
    if (match !== null && response.status === 200 && !ignoresRanges) {
      const part = content.subarray(Number(match[1]), Number(match[2]) + 1);
      const { md5: _, ...head } = response;
      const facts = { ...head.facts, ...(head.length === undefined ? {} : { bytes: head.length }) };
      return { ...head, facts, status: 206, length: part.length, body: Readable.from([Buffer.from(part)]) };
    }
    async function* bytes() {
      yield Buffer.from(content);
      await stalls;
      if (breaks !== undefined) throw breaks;
    }
    const body = Readable.from(bytes());
    request.signal?.addEventListener('abort', () => body.on('error', () => {}).destroy(request.signal?.reason));
    return { ...response, body };
  }

  async describe(): Promise<OriginResponse> {
    return this.#answer();
  }

  async close(): Promise<void> {}

  #answer(): OriginResponse {
    const { fails, status = 200, content, facts = {}, length, framed = true, md5 } = this.script;
    if (fails !== undefined) throw fails;
    const stated = length === 'none' ? undefined : (length ?? content.length);
    return {
      status,
      facts: { contentType: 'image/jpeg', ...facts },
      headers: {},
      framed,
      ...(stated === undefined ? {} : { length: stated }),
      ...(md5 === undefined ? {} : { md5 }),
    };
  }
}
