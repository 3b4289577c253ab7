import type { ResourceType } from '../asset/record.ts';

/**
 * File name extensions of the formats that Cloudinary documents for upload ("Formats supported for transformations"),
 * by the asset type that holds them: the one list that URLs, public IDs and both stores go by
 * (`docs/decisions/0007-one-list-of-formats.md`). `jfif`, `aif`, `m4v`, `mpg`, `oga` and `weba` are other names of
 * documented formats.
 */
const extensions: Readonly<Record<Exclude<ResourceType, 'raw'>, ReadonlySet<string>>> = {
  image: new Set(
    (
      '3ds ai arw avif bmp bw cr2 cr3 djvu dng ept eps eps3 fbx flif gif glb gltf hdp heic heif ico indd jfif jp2 ' +
      'jpe jpeg jpg jxl jxr obj pdf ply png ps psd svg tga tif tiff u3ma usdz wdp webp'
    ).split(' '),
  ),
  // Audio is stored as video.
  video: new Set(
    (
      '3g2 3gp aac aif aiff amr avi flac flv m2ts m3u8 m4a m4v mkv mov mp3 mp4 mpd mpeg mpg mts mxf oga ogg ogv ' +
      'opus ts wav weba webm wmv'
    ).split(' '),
  ),
};

/** Whether the extension (without dot, any case) is a format that an image or video can be delivered in. */
export function isFormat(extension: string): boolean {
  return resourceTypeOfExtension(extension) !== 'raw';
}

/** The asset type that a file of this extension is stored as; raw where Cloudinary documents no such format. */
export function resourceTypeOfExtension(extension: string): ResourceType {
  const lower = extension.toLowerCase();
  if (extensions.image.has(lower)) return 'image';
  return extensions.video.has(lower) ? 'video' : 'raw';
}
