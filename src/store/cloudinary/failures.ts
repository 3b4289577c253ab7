import { AssetFailure } from '../../asset/failure.ts';
import { errorText, type Meaning, type StoreAnswer } from './answer.ts';
import { loadingFailure } from './loading-failure.ts';
import { redact } from './redact.ts';
import { retryAfterMs } from './retry-after.ts';

export interface FailureContext {
  /** The store was to load a URL by itself: then texts about a URL speak of the origin. */
  readonly remoteUrl: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What must not be in any message. */
  readonly secrets: readonly string[];
}

/** Whatever answered is not Cloudinary, and may go away again. */
const foreign: Meaning = {
  reason: 'store-unreachable',
  hint: 'something other than Cloudinary answered: check upload_prefix and any proxy in between',
};

/** By status (contract §5.2); texts are asked first. What is not listed: 4xx is a refusal, 5xx is trouble of theirs. */
const byStatus: Readonly<Record<number, Meaning>> = {
  401: { reason: 'store-auth', hint: 'check the key, secret and cloud name in CLOUDINARY_URL' },
  403: {
    reason: 'store-auth',
    hint: 'the API key lacks the permission for this: see its role in the Cloudinary console',
  },
  407: { reason: 'store-unreachable', hint: 'a proxy in between wants credentials' },
  408: { reason: 'store-unreachable' },
  409: { reason: 'id-collision', hint: 'another asset holds this public ID' },
  413: { reason: 'too-large', hint: 'lower store.chunkSize, or raise the limit of the Cloudinary plan' },
  420: { reason: 'store-rate-limited', hint: 'uploads slow down by themselves; ask Cloudinary for a higher limit' },
  423: { reason: 'store-unreachable', hint: 'Cloudinary is still processing this asset' },
  429: { reason: 'store-rate-limited', hint: 'uploads slow down by themselves; ask Cloudinary for a higher limit' },
};

const secretHint =
  'the API secret in CLOUDINARY_URL does not belong to the key, or the account wants signature_algorithm=sha256';
const presetHint = 'create the upload preset in the Cloudinary console, or correct upload.preset of the mapping';

/** By the beginning of the text: it is not contractual, so a text that is not listed falls back to the status. */
const byText: readonly (readonly [RegExp, Meaning])[] = [
  [/^Stale request/i, { reason: 'store-auth', hint: 'the clock of this machine is wrong' }],
  [/^Invalid Signature/i, { reason: 'store-auth', hint: secretHint }],
  [/^api_secret mismatch/i, { reason: 'store-auth', hint: secretHint }],
  [/^(?:Invalid|Unknown|Missing) (?:api_key|cloud_name|credentials)/i, byStatus[401] ?? foreign],
  [/^cloud_name .* is disabled/i, { reason: 'store-auth', hint: 'the Cloudinary account is disabled' }],
  [/^Rate limit exceeded/i, byStatus[420] ?? foreign],
  [
    /^(?:Unsupported source URL|Invalid URL for upload)/i,
    {
      reason: 'origin-blocked',
      hint: 'Cloudinary does not load this URL; upload.via: bytes sends it the bytes',
    },
  ],
  [
    /^(?:File size too large|Maximum (?:image|file) size|Image dimensions? .*too|Too many total pixels|Video is too large)/i,
    {
      reason: 'too-large',
      hint: 'it is over a limit of the Cloudinary plan; allow.maxBytes keeps such files from being tried',
    },
  ],
  [
    /^(?:Invalid image file|Unsupported (?:image|video|audio|file)|(?:Image|Video) file is (?:corrupt|invalid))/i,
    {
      reason: 'wrong-type',
      hint: 'the file is not what its name says, or resourceType of the mapping does not fit it',
    },
  ],
  [
    /^(?=.*\bformat\b).*\bnot allowed\b/i,
    { reason: 'wrong-type', hint: 'upload.allowedFormats or the upload preset forbids it' },
  ],
  [/^Upload preset /i, { reason: 'store-rejected', hint: presetHint }],
  [/, Upload preset must be specified/i, { reason: 'store-rejected', hint: presetHint }],
  [
    /^All parts except EOF-chunk must be larger than 5mb/i,
    {
      reason: 'store-rejected',
      hint: 'raise store.chunkSize above 5MB',
    },
  ],
];

/** Why an answer is not the one that was wanted. Also for a 200 whose body is an error, or nothing of Cloudinary's. */
export function answerFailure(answer: StoreAnswer, context: FailureContext): AssetFailure {
  const text = errorText(answer);
  const { reason, hint } = meaning(answer, text, context);
  const said = text === undefined ? 'without a reason that can be read' : redact(text, context.secrets).slice(0, 500);
  const wait = retryAfterMs(answer, text, context.now);
  return new AssetFailure(reason, {
    detail: `the store answered ${answer.status}: ${said}`,
    status: answer.status,
    ...(hint !== undefined && { hint }),
    ...(wait !== undefined &&
      (reason === 'store-rate-limited' || reason === 'store-unreachable') && { retryAfterMs: wait }),
  });
}

function meaning(answer: StoreAnswer, text: string | undefined, context: FailureContext): Meaning {
  const { status } = answer;
  const ofStatus = byStatus[status];
  if (status === 420 || status === 429 || status >= 500) return ofStatus ?? { reason: 'store-unreachable' };
  if (text !== undefined) {
    const ofText = loadingFailure(text, context.remoteUrl) ?? byText.find(([pattern]) => pattern.test(text))?.[1];
    if (ofText !== undefined) return ofText;
    return ofStatus ?? { reason: 'store-rejected' };
  }
  if (ofStatus !== undefined) return ofStatus;
  return status < 400 || status === 404 ? foreign : { reason: 'store-rejected' };
}
