import { change } from './api.js';
import { count } from './format.js';
import { ask, attempt } from './notice.js';

/** What an operator can do; each tells how it went, and resolves true when it was done. */

/** @param {import('./api.js').Asset['key']} key @param {string} path @param {'retry' | 'refresh'} redo */
export function retryOne(key, path, redo) {
  return attempt(async () => {
    const { outcome, record } = await change('/api/retry', { key, redo, wait: true });
    if (outcome === 'failed') throw new Error(`${path} failed again: ${record.failure.detail}`);
    return outcome === 'held' ? `Another process uploads ${path} now.` : `${path} is ${record.state}.`;
  });
}

/** @param {{ mapping?: string, reason?: string[] }} filter @param {string} what */
export function retryMany(filter, what) {
  return attempt(async () => {
    await change('/api/retry', { filter });
    return `Trying ${what} again.`;
  });
}

/** @param {import('./api.js').Asset['key']} key @param {string} path */
export async function purgeOne(key, path) {
  const sure = await ask({
    title: 'Purge this asset?',
    text: `lazyferry forgets what it knows of ${path}. The copy in the store stays; the next request starts from nothing.`,
    action: 'Purge',
  });
  if (!sure) return false;
  return await attempt(async () => {
    await change('/api/purge', { key });
    return `Purged ${path}.`;
  });
}

/** @param {Record<string, string>} filter with a mapping */
export function purgeMany(filter) {
  return attempt(async () => {
    const found = await change('/api/purge', { filter, dryRun: true });
    const number = `${found.complete ? '' : 'at least '}${count(found.count)}`;
    const sure = await ask({
      title: `Purge ${number} assets?`,
      text: 'lazyferry forgets what it knows of them. Copies in the store stay; the next request of each starts from nothing.',
      action: `Purge ${number}`,
    });
    if (!sure) return 'Nothing was purged.';
    await change('/api/purge', { filter });
    return 'The purge has started: see “Runs over many assets”.';
  });
}

/** @param {import('./api.js').Asset['key']} key @param {string} path */
export async function tombstone(key, path) {
  const sure = await ask({
    title: 'Never upload this asset again?',
    text: `${path} counts as deleted on purpose until it is purged. The copy in the store is not touched.`,
    action: 'Tombstone',
  });
  if (!sure) return false;
  return await attempt(async () => {
    await change('/api/tombstone', { key });
    return `${path} is tombstoned.`;
  });
}

/** @param {string} id */
export function stopRun(id) {
  return attempt(async () => {
    await change(`/api/runs/${id}/stop`, {});
    return 'The run stops after the assets it is working on.';
  });
}
