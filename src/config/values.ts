import { z } from 'zod';

/** What a refused value should have been: the schema's checks say it here, `explain.ts` puts it behind the dash. */
export interface Refusal {
  readonly message: string;
  readonly mend: string;
}

type RefusalContext = Pick<z.core.$RefinementCtx, 'addIssue'>;

export function refuse(context: RefusalContext, refusal: Refusal): never {
  context.addIssue({ code: 'custom', message: refusal.message, params: { mend: refusal.mend } });
  return z.NEVER;
}

/** A string that fits the pattern. */
export function text(pattern: RegExp, refusal: Refusal) {
  return z.string().superRefine((value, context) => {
    if (!pattern.test(value)) refuse(context, refusal);
  });
}

const byteUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A number of bytes: `2000000`, `2MB` (decimal), `2MiB` (binary). */
export const byteSize = z
  .union([z.number(), z.string()])
  .transform((value, context) => {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/i.exec(String(value).trim());
    const bytes = Math.floor(Number(match?.[1]) * (byteUnits[(match?.[2] ?? 'b').toLowerCase()] ?? Number.NaN));
    if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
    return refuse(context, {
      message: 'is not a size',
      mend: 'write a number of bytes, or one with a unit such as 500KB, 20MB or 2GB',
    });
  })
  .meta({ title: 'size' });

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 };

/** The longest delay a timer of Node can wait: a longer one would fire at once. */
const longestDuration = 2 ** 31 - 1;

/** A duration in milliseconds: `1500`, `1500ms`, `30s`, `5m`, `2h`, `1d`. */
export const duration = z
  .union([z.number(), z.string()])
  .transform((value, context) => {
    const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(String(value).trim());
    const milliseconds = Math.round(Number(match?.[1]) * (durationUnits[match?.[2] ?? 'ms'] ?? Number.NaN));
    if (milliseconds > longestDuration) {
      return refuse(context, { message: 'is too long', mend: 'write 24d or less' });
    }
    if (milliseconds > 0) return milliseconds;
    return refuse(context, {
      message: 'is not a duration',
      mend: 'write milliseconds, or a number with ms, s, m, h or d, such as 30s',
    });
  })
  .meta({ title: 'duration' });

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with an IPv6 host in brackets. Port 0 takes a free one. */
export const listenAddress = z
  .string()
  .transform((value, context): ListenAddress => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(value);
    const port = Number(match?.[3]);
    if (match !== null && port <= 65_535) return { host: match[1] ?? match[2] ?? '', port };
    return refuse(context, {
      message: 'is not an address',
      mend: 'write host:port, such as 127.0.0.1:8080 or [::1]:8080',
    });
  })
  .meta({ title: 'host:port' });

/** An absolute http or https URL without credentials: those come from the environment, never from a URL. */
export const webUrl = z
  .string()
  .superRefine((value, context) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      refuse(context, { message: 'is not a URL', mend: 'write an absolute http or https URL' });
    } else if (url.username !== '' || url.password !== '') {
      refuse(context, { message: 'holds a user name or password', mend: 'remove it' });
    }
  })
  .meta({ title: 'URL' });
