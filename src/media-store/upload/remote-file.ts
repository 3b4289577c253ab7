import type { Readable } from 'node:stream';
import { errors } from 'undici';
import { AddressBlocked } from '../../origin/guarded-dispatcher.ts';
import { LimitExceeded, type StagedFile, type Staging } from '../files/staging.ts';
import { type Outbound, withoutCredentials } from '../outbound.ts';
import { StoreError } from '../store-error.ts';
import { fileTooLarge } from './file-limits.ts';

const MAX_REDIRECTS = 5;

export interface RemoteFetch {
  readonly outbound: Outbound;
  readonly staging: Staging;
  readonly maxBytes: number;
  readonly timeout: number;
}

/**
 * Fetches a remote file to a staged one, following redirects; each hop's address is judged.
 *
 * @throws {StoreError} in Cloudinary's words (contract §5.2): 404 `Resource not found`, 400 `Error in loading …`
 */
export async function fetchRemoteFile(text: string, fetch: RemoteFetch): Promise<StagedFile> {
  const first = parseRemoteUrl(text);
  const signal = AbortSignal.timeout(fetch.timeout);
  let url = first;
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const answer = await fetch.outbound.send({
        url,
        method: 'GET',
        headers: { 'accept-encoding': 'identity' },
        signal,
      });
      if (answer.status === 200) return await stageBody(answer.body, fetch, signal, first);
      await answer.drop();
      if (answer.location === undefined || answer.status < 300 || answer.status > 399) {
        throw answer.status === 404
          ? new StoreError(404, `Resource not found - ${withoutCredentials(first)}`)
          : loadingError(first, `${answer.status} ${answer.statusText}`.trim());
      }
      url = nextHop(url, answer.location, first);
    }
    throw loadingError(first, 'Too many redirects');
  } catch (error) {
    throw describe(error, first);
  }
}

async function stageBody(body: Readable, fetch: RemoteFetch, signal: AbortSignal, url: URL): Promise<StagedFile> {
  try {
    return await fetch.staging.write(body, fetch.maxBytes, signal);
  } catch (error) {
    // The body ended before its framing said so.
    if (error instanceof errors.SocketError || error instanceof errors.HTTPParserError) {
      throw loadingError(url, 'partial download');
    }
    throw error;
  }
}

function parseRemoteUrl(text: string): URL {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'ftp' || scheme === 's3' || scheme === 'gs' || scheme === 'azure') {
    throw new StoreError(400, `Unsupported source URL: ${scheme} is not supported by the embedded store`);
  }
  if ((scheme === 'http' || scheme === 'https') && URL.canParse(text)) return new URL(text);
  throw new StoreError(400, `Unsupported source URL: ${text.slice(0, 1000)}`);
}

function nextHop(from: URL, location: string, first: URL): URL {
  if (!URL.canParse(location, from.href)) throw loadingError(first, 'Invalid redirect');
  const next = new URL(location, from);
  if (next.protocol !== 'http:' && next.protocol !== 'https:') throw loadingError(first, 'Invalid redirect');
  if (from.protocol === 'https:' && next.protocol === 'http:') throw loadingError(first, 'Redirect from https to http');
  return next;
}

function loadingError(url: URL, what: string): StoreError {
  return new StoreError(400, `Error in loading ${withoutCredentials(url)} - ${what}`);
}

function describe(error: unknown, url: URL): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof LimitExceeded) return fileTooLarge(`more than ${error.limit}`, error.limit);
  return loadingError(url, whatHappened(error));
}

function whatHappened(error: unknown): string {
  if (error instanceof AddressBlocked) return `Address not allowed: ${error.message}`;
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) return timedOut;
  if (!(error instanceof Error)) return brokeConnection;
  if (error.name === 'TimeoutError' || error.name === 'AbortError' || error instanceof errors.ConnectTimeoutError) {
    return timedOut;
  }
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'ERR_DNS_FAIL 0';
  return brokeConnection;
}

const timedOut = 'Timed out reading data from server';
const brokeConnection = 'Server broke connection';
