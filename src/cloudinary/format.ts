import type { ResourceType } from '../asset/record.ts';

/** File name extensions that Cloudinary takes for a format, by the asset type that holds it. */
const formats: Readonly<Record<Exclude<ResourceType, 'raw'>, ReadonlySet<string>>> = {
  image: new Set(
    (
      'ai arw avif bmp bw cr2 cr3 djvu dng ept eps eps3 fbx flif gif glb gltf hdp heic heif ico indd jfif jp2 jpe ' +
      'jpeg jpg jxl jxr obj pdf ply png ps psd svg tga tif tiff u3ma usdz wdp webp'
    ).split(' '),
  ),
  // Audio is stored as video.
  video: new Set(
    (
      '3g2 3gp aac aif aiff amr avi flac flv m2ts m3u8 m4a m4v mkv mov mp3 mp4 mpd mpeg mpg mts mxf ogg ogv opus ' +
      'ts wav webm wma wmv'
    ).split(' '),
  ),
};

/** Whether the extension (without dot, any case) is a format that an image or video can be delivered in. */
export function isFormat(extension: string): boolean {
  return resourceTypeOf(extension) !== 'raw';
}

/** The asset type that a file of this extension is stored as; raw where Cloudinary knows no such format. */
export function resourceTypeOf(extension: string): ResourceType {
  const lower = extension.toLowerCase();
  if (formats.image.has(lower)) return 'image';
  return formats.video.has(lower) ? 'video' : 'raw';
}
