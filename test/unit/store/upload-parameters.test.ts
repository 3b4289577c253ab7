import { v2 as sdk } from 'cloudinary';
import { describe, expect, it } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { parameterText } from '../../../src/cloudinary/signature.ts';
import type { UploadOptions } from '../../../src/store/asset-store.ts';
import { unsignedParameters, uploadParameters } from '../../../src/store/cloudinary/upload-parameters.ts';

const target = { publicId: 'site/a', resourceType: 'image', deliveryType: 'private' } as const;

const everything: Required<UploadOptions> = {
  overwrite: false,
  preset: 'site',
  tags: ['a', 'b'],
  context: { alt: 'x=1|y', caption: 'ü & co' },
  metadata: { id1: 'v', id2: ['a', 'b=c'] },
  assetFolder: 'Site/Images',
  displayName: 'A picture',
  allowedFormats: ['jpg', 'png'],
  eager: ['c_fill,w_300', 'c_fit,w_90/webp'],
  eagerAsync: true,
  notificationUrl: 'https://example.com/hook?a=1&b=2',
  moderation: 'manual',
  backup: true,
  invalidate: true,
  async: false,
};

/** As they go out: blanks dropped, everything text. */
function texts(parameters: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([key, value]) => {
      const text = parameterText(value);
      return text === undefined ? [] : [[key, text]];
    }),
  );
}

describe('the parameters of an upload', () => {
  it('are what the official SDK sends for the same options', () => {
    const build = Reflect.get(sdk.utils, 'build_upload_params') as (options: object) => object;
    const { timestamp: _, ...expected } = texts(
      build({
        public_id: 'site/a',
        type: 'private',
        overwrite: false,
        upload_preset: 'site',
        tags: everything.tags,
        context: everything.context,
        metadata: everything.metadata,
        asset_folder: everything.assetFolder,
        display_name: everything.displayName,
        allowed_formats: everything.allowedFormats,
        eager: [
          { crop: 'fill', width: 300 },
          { crop: 'fit', width: 90, format: 'webp' },
        ],
        eager_async: true,
        notification_url: everything.notificationUrl,
        moderation: 'manual',
        backup: true,
        invalidate: true,
        async: false,
      }),
    );
    expect(texts(uploadParameters(target, everything))).toEqual(expected);
  });

  it('are few where nothing is asked for', () => {
    expect(texts(uploadParameters({ ...target, deliveryType: 'upload' }, { overwrite: true }))).toEqual({
      public_id: 'site/a',
      type: 'upload',
      overwrite: '1',
    });
  });
});

describe('the parameters of an unsigned upload', () => {
  const upload = { ...target, deliveryType: 'upload' } as const;

  it('leave out what unsigned uploads do anyway', () => {
    const { preset, tags, context, metadata, assetFolder } = everything;
    const options = { overwrite: false, preset, tags, context, metadata, assetFolder };
    expect(Object.keys(unsignedParameters(upload, options)).sort()).toEqual([
      'asset_folder',
      'context',
      'metadata',
      'public_id',
      'tags',
      'upload_preset',
    ]);
  });

  it('are refused before a byte is sent where they would need a signature, all in one message', () => {
    const refused = () => unsignedParameters(target, { overwrite: true, preset: 'site', backup: true, eager: ['w_1'] });
    expect(refused).toThrow(AssetFailure);
    expect(refused).toThrow('type, overwrite, eager, backup');
  });

  it('are refused without a preset', () => {
    expect(() => unsignedParameters(upload, { overwrite: false })).toThrow('need an upload preset');
  });
});
