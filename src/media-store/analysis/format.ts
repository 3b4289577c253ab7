import { open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import type { ResourceType } from '../../asset/record.ts';
import { resourceTypeOfExtension } from '../../cloudinary/format.ts';

export interface DetectedFormat {
  /** Cloudinary's name of the format: `jpg`, `mp4`; empty where the content is no format we know. */
  readonly format: string;
  readonly resourceType: ResourceType;
}

/** What other tools call these formats. */
const cloudinaryNames: Readonly<Record<string, string>> = {
  apng: 'png',
  asf: 'wmv',
  f4v: 'mp4',
  jpeg: 'jpg',
  m4b: 'm4a',
  mp1: 'mp3',
  mp2: 'mp3',
  oga: 'ogg',
  ogm: 'ogv',
  spx: 'ogg',
  tif: 'tiff',
};

const SNIFFED_BYTES = 4096;

/** Tells the format by the content; the file's name has no say. */
export async function detectFormat(path: string): Promise<DetectedFormat> {
  const detected = await fileTypeFromFile(path);
  const extension = detected === undefined || detected.ext === 'xml' ? await sniffText(path) : detected.ext;
  const format = cloudinaryNames[extension] ?? extension;
  return { format, resourceType: format === '' ? 'raw' : resourceTypeOfExtension(format) };
}

/** What may stand before the root element: declarations, comments, a doctype. */
const prolog = /^\s*(?:<(?:\?[^>]*|!--(?:[^-]|-(?!->))*--|!doctype[^>[]*(?:\[[^\]]*\]\s*)?)>\s*)*/i;

/** SVG is text: the first element decides. */
async function sniffText(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
    const text = buffer.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '');
    const root = text.replace(prolog, '');
    return /^<(?:[a-z]+:)?svg[\s>]/i.test(root) ? 'svg' : '';
  } finally {
    await file.close();
  }
}
