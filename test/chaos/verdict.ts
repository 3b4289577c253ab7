import { expect } from 'vitest';
import type { ChaosReport } from './chaos.ts';

/** What must hold whatever happened. */
export function expectUnharmed({ assets, wrong, uploads, storeDiffers, ledger, leaks, exits }: ChaosReport): void {
  expect(wrong, 'answers with other bytes, or an error of ours').toEqual([]);
  expect(uploads.twice, 'assets made more than once').toEqual([]);
  expect(storeDiffers, 'copies that are not the origin’s bytes').toEqual([]);
  expect(ledger, 'ledger and store agree').toMatchObject({ stored: assets, claimed: 0, failed: 0, missing: 0 });
  expect(leaks).toEqual([]);
  expect(exits.every((code) => code === 0)).toBe(true);
}

/** Uploads for 400 assets that a prototype which never asked the store made under the same kinds of failure. */
const prototype = { uploads: 1_448, assets: 400 };

export function describeReport(ground: string, report: ChaosReport): string {
  const { assets, clients, disasters, uploads } = report;
  const per = (value: number) => (value / assets).toFixed(2);
  return [
    `chaos on ${ground}: ${assets} assets, ${clients.requests} requests (${clients.fromOrigin} from the origin, ${clients.fromStore} from the store, ${clients.cutOff} cut off with their process, ${report.wrong.length} wrong)`,
    `  disasters: ${Object.entries(disasters)
      .map(([name, times]) => `${name} ×${times}`)
      .join(', ')}`,
    `  upload requests: ${uploads.requests} (${per(uploads.requests)} an asset): ${uploads.created} made an asset, ${uploads.existing} found it, ${uploads.failed} failed by the store’s mood; extra ${uploads.extra}; ${uploads.mostAtATime} at most at a time for one asset`,
    `  a prototype that never asked the store: ${prototype.uploads} uploads for ${prototype.assets} assets (${(prototype.uploads / prototype.assets).toFixed(2)} an asset)`,
  ].join('\n');
}
