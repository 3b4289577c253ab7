import { element } from './dom.js';

/** @param {import('./api.js').Asset} asset */
export function statePill({ state, failure }) {
  const text =
    failure === undefined || (state !== 'failed' && state !== 'missing') ? state : `${state}: ${failure.reason}`;
  return element('span', { class: 'pill' }, element('span', { class: `dot state-${state}` }), text);
}
