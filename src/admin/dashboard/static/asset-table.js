import { showDetails } from './details.js';
import { element } from './dom.js';
import { ago, readable, size } from './format.js';
import { statePill } from './state-pill.js';

/**
 * A table of assets; each path opens its details.
 * @param {readonly import('./api.js').Asset[]} assets
 * @param {string} caption
 */
export function assetTable(assets, caption) {
  return element(
    'table',
    {},
    element('caption', { class: 'hidden' }, caption),
    element(
      'thead',
      {},
      element('tr', {}, ...['Path', 'State', 'Size', 'Changed'].map((title) => element('th', { scope: 'col' }, title))),
    ),
    element('tbody', {}, ...assets.map(assetRow)),
  );
}

/** @param {import('./api.js').Asset} asset */
export function assetRow(asset) {
  const open = element(
    'button',
    {
      type: 'button',
      class: 'link path',
      'data-focus': asset.path,
      title: asset.path,
      onclick: () => showDetails(asset),
    },
    readable(asset.path),
  );
  return element(
    'tr',
    {},
    element('td', {}, open, asset.failure && element('small', { class: 'problem' }, asset.failure.detail)),
    element('td', {}, statePill(asset)),
    element('td', { class: 'number' }, asset.copy === undefined ? '–' : size(asset.copy.bytes)),
    element(
      'td',
      { class: 'number' },
      element('time', { datetime: asset.updatedAt, title: asset.updatedAt }, ago(asset.updatedAt)),
    ),
  );
}
