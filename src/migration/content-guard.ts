import { fileTypeFromBuffer } from 'file-type';
import { AssetFailure } from '../asset/failure.ts';

/** Bytes of a body's beginning that are enough to tell what it is. */
export const sniffBytes = 4100;

/**
 * How HTML begins (MIME Sniffing §7.1); what a login page or a soft 404 is made of.
 * A comment ends at its first `-->`: were the pattern free to try later ones, a few dozen would take it for ever.
 */
const html =
  /^\s*(?:<!--(?:[^-]|-(?!->))*-->\s*)*<(?:!doctype\s+html|html|head|body|script|title|iframe|div|table|meta|h1|p|br|a)[\s>]/i;
/** An SVG may begin with a prolog longer than what we look at; it is XML in any case. */
const xml = /^(?:\xef\xbb\xbf)?\s*</;

/**
 * Judges the beginning of a body against the type it is declared to be. Login pages, soft 404s and placeholders come
 * with status 200 and an image's name; what they are shows in their bytes. A type that differs within its class (a
 * JPEG called PNG) is the origin's habit and is let through; the store looks at the bytes itself.
 *
 * @param declared lower case, without parameters
 * @returns the type that the bytes show, where they show one
 * @throws {AssetFailure} `wrong-type`
 */
export async function guardContent(head: Uint8Array, declared: string): Promise<string | undefined> {
  if (head.length === 0) throw wrongType(`the origin sends an empty body as ${declared}`);
  const text = Buffer.from(head).toString('latin1');
  if (html.test(text) && !declared.includes('html'))
    throw wrongType(`the origin sends HTML as ${declared}: a login page or an error page with status 200`);
  const [declaredClass = ''] = declared.split('/');
  if (declaredClass !== 'image' && declaredClass !== 'video' && declaredClass !== 'audio') return undefined;
  if (declared === 'image/svg+xml') {
    if (!xml.test(text)) throw wrongType('the origin sends something that is no XML as image/svg+xml');
    return undefined;
  }
  const sniffed = await fileTypeFromBuffer(head);
  if (sniffed === undefined) {
    // Formats without a signature exist, so only what is plainly text is refused.
    if (isText(head)) throw wrongType(`the origin sends text as ${declared}`);
    return undefined;
  }
  if (!sameClass(sniffed.mime, declaredClass)) throw wrongType(`the origin sends ${sniffed.mime} as ${declared}`);
  return sniffed.mime;
}

function sameClass(sniffed: string, declaredClass: string): boolean {
  const [sniffedClass] = sniffed.split('/');
  if (sniffedClass === declaredClass) return true;
  // Containers hold either: an MP4 or WebM may be sound alone, and Ogg names itself application/ogg.
  const timed = ['video', 'audio'];
  return timed.includes(declaredClass) && (timed.includes(sniffedClass ?? '') || sniffed === 'application/ogg');
}

/** No control characters but white space: nothing that an image, a video or a sound could be. */
function isText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d);
}

function wrongType(detail: string): AssetFailure {
  return new AssetFailure('wrong-type', { detail, hint: 'look at the URL in a browser; it is tried again later' });
}
