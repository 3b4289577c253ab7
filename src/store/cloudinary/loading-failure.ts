import type { Reason } from '../../asset/reason.ts';
import type { Meaning } from './answer.ts';

const viaBytes = 'the origin may treat Cloudinary unlike us: upload.via: bytes (or auto) lets lazyferry read it';

/**
 * What Cloudinary's texts about a URL it was to load say of the origin (contract §5.2). It reports them as 400, trouble
 * that passes included; only the text tells. Undefined for any other text.
 */
export function loadingFailure(text: string, remoteUrl: boolean): Meaning | undefined {
  if (!remoteUrl) return undefined;
  if (/^Resource not found\b/i.test(text)) {
    return /HTML response/i.test(text) ? html : { reason: 'origin-not-found', hint: viaBytes };
  }
  const outcome = /^Error in loading\b.* - (.*)$/is.exec(text)?.[1];
  return outcome === undefined ? undefined : meaningOf(outcome);
}

/** A page instead of the file: most often a bot check or a log-in, which we may not be asked for. */
const html: Meaning = { reason: 'origin-denied', hint: `the origin gave Cloudinary an HTML page; ${viaBytes}` };

function meaningOf(outcome: string): Meaning {
  const status = /(?:^|HTTP status |\()(\d{3})\b/i.exec(outcome)?.[1];
  if (status !== undefined) return { reason: reasonOfStatus(Number(status)), hint: viaBytes };
  const found = outcomes.find(([pattern]) => pattern.test(outcome));
  return found?.[1] ?? { reason: 'origin-error', hint: viaBytes };
}

const outcomes: readonly (readonly [RegExp, Meaning])[] = [
  [/HTML response/i, html],
  [/not found/i, { reason: 'origin-not-found', hint: viaBytes }],
  [/forbidden|unauthorized|denied/i, { reason: 'origin-denied', hint: viaBytes }],
  [
    /DNS/i,
    {
      reason: 'origin-error',
      hint: 'Cloudinary cannot resolve the origin’s name; upload.via: bytes does not need it to',
    },
  ],
  [/timed? ?out/i, { reason: 'origin-timeout', hint: viaBytes }],
  [/broke connection|partial download/i, { reason: 'origin-truncated', hint: viaBytes }],
];

function reasonOfStatus(status: number): Reason {
  if (status === 404) return 'origin-not-found';
  if (status === 410) return 'origin-gone';
  if (status === 401 || status === 403 || status === 407 || status === 451) return 'origin-denied';
  return status === 408 || status === 504 ? 'origin-timeout' : 'origin-error';
}
