import type { ResourceType } from '../../asset/record.ts';
import type { StagedFile, Staging } from '../files/staging.ts';
import type { Settings } from '../options.ts';
import type { Outbound } from '../outbound.ts';
import { StoreError } from '../store-error.ts';
import { isDataUri, readDataUri } from './data-uri.ts';
import { maxBytesOf } from './file-limits.ts';
import type { SubmittedFile } from './intake/submission.ts';
import { fetchRemoteFile } from './remote-file.ts';

export interface ReceivedFile {
  readonly staged: StagedFile;
  readonly filename: string;
}

/** Brings a submitted file to disk, whatever its source: bytes are there already, URLs and data URIs are read now. */
export async function receiveFile(
  file: SubmittedFile | undefined,
  resourceType: ResourceType | 'auto',
  { staging, outbound, settings }: { staging: Staging; outbound: Outbound; settings: Settings },
): Promise<ReceivedFile> {
  if (file === undefined) throw new StoreError(400, 'Missing required parameter - file');
  if (file.kind === 'bytes') return { staged: file.staged, filename: file.filename };
  const maxBytes = maxBytesOf(resourceType, settings.limits);
  if (isDataUri(file.text)) return { staged: await staging.write(readDataUri(file.text), maxBytes), filename: 'file' };
  const staged = await fetchRemoteFile(file.text, { outbound, staging, maxBytes, timeout: settings.fetchTimeout });
  return { staged, filename: remoteFilename(file.text) };
}

/** The last part of the URL's path, decoded. */
function remoteFilename(url: string): string {
  const part = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
