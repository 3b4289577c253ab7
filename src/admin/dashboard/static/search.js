import { purgeMany } from './actions.js';
import { read } from './api.js';
import { assetRow, assetTable } from './asset-table.js';
import { byId, element, formById } from './dom.js';
import { count } from './format.js';
import { notice } from './notice.js';

const fields = /** @type {const} */ (['path', 'mapping', 'state', 'reason']);
const pageSize = '50';

/** The search over the ledger. What is searched for stands in the page's address, so that it can be shared. */
export async function startSearch() {
  const form = formById('search-form');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    history.replaceState(null, '', `?${new URLSearchParams(filled(form))}#assets`);
    search(form);
  });
  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target.closest('a.search-link') : null;
    if (!(target instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    history.replaceState(null, '', target.href);
    fill(form);
    search(form);
    byId('assets').scrollIntoView();
    byId('search-summary').focus();
  });
  document.addEventListener('acted', () => void search(form));
  byId('purge-found').addEventListener('click', () => purgeFound(form));
  await offerMappings(form);
  fill(form);
  await search(form);
}

/** @param {HTMLFormElement} form */
async function offerMappings(form) {
  const { mappings } = await read('/api/mappings');
  const select = form.elements.namedItem('mapping');
  if (!(select instanceof HTMLSelectElement)) return;
  select.replaceChildren(
    element('option', { value: '' }, 'any'),
    ...mappings.map((/** @type {{ prefix: string }} */ { prefix }) => element('option', {}, prefix)),
  );
}

/** @param {HTMLFormElement} form */
function fill(form) {
  const wanted = new URLSearchParams(location.search);
  for (const name of fields) {
    const field = form.elements.namedItem(name);
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue;
    const value = wanted.get(name) ?? '';
    // Assets may belong to a mapping that is no longer configured.
    if (field instanceof HTMLSelectElement && ![...field.options].some((option) => option.value === value)) {
      field.append(element('option', {}, value));
    }
    field.value = value;
  }
}

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
function filled(form) {
  const data = new FormData(form);
  const values = fields.map((name) => [name, String(data.get(name) ?? '').trim()]);
  const filter = Object.fromEntries(values.filter(([, value]) => value !== ''));
  // With a mapping chosen, the API reads the path within it; people type the whole one.
  const { mapping, path } = filter;
  if (mapping !== undefined && path?.startsWith('/')) {
    filter.path = path.startsWith(mapping) ? path.slice(mapping.length) : path.slice(1);
    if (filter.path === '') delete filter.path;
  }
  return filter;
}

/** @param {HTMLFormElement} form */
async function search(form) {
  const filter = filled(form);
  const summary = byId('search-summary');
  const rows = byId('search-rows');
  try {
    const page = await read('/api/assets', { ...filter, limit: pageSize });
    summary.textContent = page.assets.length === 0 ? 'No asset fits.' : '';
    rows.replaceChildren();
    if (page.assets.length === 0) return;
    const table = assetTable(page.assets, 'Assets found');
    rows.append(table);
    offerMore(rows, table, filter, page.next);
  } catch (error) {
    rows.replaceChildren();
    summary.textContent = error instanceof Error ? error.message : String(error);
  }
}

/** @param {HTMLElement} rows @param {HTMLTableElement} table @param {Record<string, string>} filter @param {string | null} next */
function offerMore(rows, table, filter, next) {
  const shown = table.tBodies[0]?.rows.length ?? 0;
  byId('search-summary').textContent =
    next === null ? `${count(shown)} found.` : `The first ${count(shown)} are shown.`;
  if (next === null) return;
  const more = element('button', { type: 'button', class: 'quiet', onclick: () => void load() }, 'Show more');
  rows.append(more);

  async function load() {
    try {
      const page = await read('/api/assets', { ...filter, limit: pageSize, after: String(next) });
      const added = page.assets.map(assetRow);
      table.tBodies[0]?.append(...added);
      more.remove();
      offerMore(rows, table, filter, page.next);
      added[0]?.querySelector('button')?.focus();
    } catch (error) {
      notice(error instanceof Error ? error.message : String(error), 'bad');
    }
  }
}

/** @param {HTMLFormElement} form */
async function purgeFound(form) {
  const { mapping, ...filter } = filled(form);
  if (mapping === undefined) return notice('Choose the mapping to purge first.', 'bad');
  await purgeMany({ mapping, ...filter });
}
