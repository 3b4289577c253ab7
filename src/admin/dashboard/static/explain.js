import { read } from './api.js';
import { facts } from './details.js';
import { byId, element, formById, link } from './dom.js';

/** The box that tells what a delivery path leads to. */
export function startExplain() {
  const form = formById('explain-form');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const path = pathOf(String(new FormData(form).get('path')).trim());
    const place = byId('explain-result');
    try {
      place.replaceChildren(...explanation(await read('/api/explain', { path })));
    } catch (error) {
      place.replaceChildren(element('p', { class: 'problem' }, error instanceof Error ? error.message : String(error)));
    }
  });
}

/** People paste whole URLs. @param {string} typed */
function pathOf(typed) {
  if (!/^https?:\/\//.test(typed) || !URL.canParse(typed)) return typed;
  const url = new URL(typed);
  return `${url.pathname}${url.search}`;
}

/** @param {Record<string, any>} answer */
function explanation({ kind, verdict, key, originUrl, publicId, resourceType, record }) {
  const head = element('p', { class: 'verdict' }, verdict);
  if (kind !== 'mapped') return [head];
  /** @type {[string, import('./dom.js').Child][]} */
  const rows = [
    ['Mapping', element('code', {}, key.mapping)],
    ['Origin', link(originUrl)],
    ['Public ID', element('code', {}, publicId)],
    ['Resource type', resourceType],
  ];
  return [
    head,
    record === null
      ? element(
          'dl',
          {},
          ...rows.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
        )
      : facts(record),
  ];
}
