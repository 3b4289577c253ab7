import { purgeOne, retryOne, tombstone } from './actions.js';
import { byId, element, link } from './dom.js';
import { count, moment, readable, size } from './format.js';
import { statePill } from './state-pill.js';

const proofs = {
  read: 'every byte was read and compared',
  digest: 'the origin’s digest equals the store’s',
  length: 'the origin’s length equals the store’s',
};

/** @param {import('./api.js').Asset} asset */
export function showDetails(asset) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('details'));
  const close = () => dialog.close();
  dialog.replaceChildren(
    element(
      'div',
      { class: 'row-head' },
      element('h2', { id: 'details-title', class: 'path', title: asset.path }, readable(asset.path)),
      element(
        'button',
        { type: 'button', class: 'quiet', 'aria-label': 'Close', onclick: close, autofocus: true },
        '×',
      ),
    ),
    facts(asset),
    buttons(asset, close),
  );
  dialog.showModal();
}

/**
 * Everything that is known of an asset.
 * @param {import('./api.js').Asset} asset
 */
export function facts(asset) {
  const { copy, failure, origin, claim } = asset;
  /** @type {[string, import('./dom.js').Child][]} */
  const rows = [
    ['State', statePill(asset)],
    ['Origin', link(asset.originUrl)],
    ['Stored copy', copy && (copy.url === undefined ? 'its mapping is gone' : link(copy.url))],
    ['Public ID', copy && element('code', {}, `${copy.resourceType}/${copy.deliveryType}/${copy.publicId}`)],
    ['Size', copy && `${size(copy.bytes)} (${count(copy.bytes)} bytes)`],
    ['Proof', copy && proofs[copy.proof]],
    ['MD5', copy && element('code', {}, copy.md5)],
    ['Stored', copy && moment(copy.storedAt)],
    ['Verified', copy?.verifiedAt !== undefined && moment(String(copy.verifiedAt))],
    ['Type', origin?.contentType],
    ['Origin ETag', origin?.etag && element('code', {}, origin.etag)],
    ['Last modified', origin?.lastModified],
    ['What was seen', failure?.detail],
    ['What helps', failure?.hint],
    ['Attempts', failure && count(failure.attempts)],
    [asset.state === 'missing' ? 'Asked again after' : 'Next attempt after', failure && moment(failure.retryAt)],
    ['Uploaded by', claim?.owner],
    ['Lease until', claim && moment(claim.leaseUntil)],
    ['First seen', moment(asset.createdAt)],
    ['Changed', moment(asset.updatedAt)],
  ];
  return element(
    'dl',
    {},
    ...rows
      .filter(([, value]) => value)
      .map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

/**
 * What can be done with an asset in its state.
 * @param {import('./api.js').Asset} asset
 * @param {() => void} done called when something was done
 */
function buttons({ key, path, state }, done) {
  /** @param {string} text @param {() => Promise<boolean>} act @param {string} [mood] */
  const button = (text, act, mood = '') =>
    element(
      'button',
      { type: 'button', class: `quiet operate ${mood}`, onclick: async () => void ((await act()) && done()) },
      text,
    );
  const stored = state === 'stored' || state === 'verified';
  const retriable = state === 'failed' || state === 'missing' || state === 'known';
  return element(
    'div',
    { class: 'buttons' },
    retriable && button('Retry now', () => retryOne(key, path, 'retry')),
    stored && button('Read the origin again', () => retryOne(key, path, 'refresh')),
    button('Purge…', () => purgeOne(key, path), 'danger'),
    state !== 'tombstoned' && button('Tombstone…', () => tombstone(key, path), 'danger'),
  );
}
