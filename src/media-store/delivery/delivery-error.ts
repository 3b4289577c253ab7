import type { ServerResponse } from 'node:http';
import { headerText } from '../error-response.ts';
import type { StoreError } from '../store-error.ts';

/** A transparent picture of one pixel: an error body is an image, whatever was asked for (contract §7). */
const transparentPixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

/** The status says what is wrong, `X-Cld-Error` why. */
export function answerDeliveryError(response: ServerResponse, error: StoreError): void {
  response.writeHead(error.status, {
    'content-type': 'image/gif',
    'content-length': transparentPixel.length,
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
    'x-cld-error': headerText(error.message),
    ...error.headers,
  });
  response.end(transparentPixel);
}
