import { Router } from 'express';
import type { AssetIndex } from '../index/asset-index.ts';
import type { Settings } from '../options.ts';

/** `ping` and `usage`. Mounted under `/v1_1/{cloud}`. */
export function accountRoutes({ index, settings }: { index: AssetIndex; settings: Settings }): Router {
  const router = Router();
  router.get('/ping', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/usage', (_request, response) => {
    const { assets, bytes } = index.totals();
    const { limits } = settings;
    response.json({
      plan: 'Embedded',
      last_updated: new Date(settings.clock()).toISOString().slice(0, 10),
      objects: { usage: assets },
      storage: { usage: bytes },
      resources: assets,
      media_limits: {
        image_max_size_bytes: limits.imageBytes,
        video_max_size_bytes: limits.videoBytes,
        raw_max_size_bytes: limits.rawBytes,
        image_max_px: limits.imagePixels,
        asset_max_total_px: limits.assetPixels,
      },
    });
  });
  return router;
}
