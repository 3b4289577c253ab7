/** Formats that sharp decodes here. The others (psd, heic, ico, …) are stored and delivered as they are. */
const decodable = new Set(['jpg', 'png', 'gif', 'webp', 'avif', 'svg', 'tiff']);

export function isDecodable(format: string): boolean {
  return decodable.has(format);
}
