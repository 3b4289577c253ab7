import { readdirSync, readlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** Everything a stream gives; rejects with its error. */
export async function readAll(stream: Readable | undefined): Promise<Buffer> {
  if (stream === undefined) throw new Error('there is no stream');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads exactly so many bytes and stays attached, as a client does that then stops reading. */
export async function readBytes(stream: Readable, count: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let missing = count; missing > 0; ) {
    const part = stream.read(Math.min(missing, stream.readableLength || missing)) as Buffer | null;
    if (part !== null) {
      parts.push(part);
      missing -= part.length;
    } else {
      await new Promise<void>((resolve, reject) => {
        const settle = (error?: Error) => {
          stream.off('readable', settle).off('error', settle).off('end', settle);
          if (error === undefined && !stream.readableEnded) resolve();
          else reject(error ?? new Error(`the stream ended ${missing} bytes early`));
        };
        stream.on('readable', settle).on('error', settle).on('end', settle);
      });
    }
  }
  return Buffer.concat(parts);
}

/** The files in `directory`, deleted ones included, that this process has open. */
export function openFilesIn(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${descriptor}`);
      return file.startsWith(directory) ? [file] : [];
    } catch {
      return [];
    }
  });
}
