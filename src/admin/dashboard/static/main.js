import { logOut, read } from './api.js';
import { assetTable } from './asset-table.js';
import { byId, element, show } from './dom.js';
import { startExplain } from './explain.js';
import { ago } from './format.js';
import { keepFresh } from './live.js';
import { startLogin } from './login.js';
import { attempt } from './notice.js';
import { showOverview } from './overview.js';
import { startSearch } from './search.js';

const mostRecent = 8;

/** @type {ReturnType<typeof keepFresh> | undefined} */
let freshness;

async function start() {
  /** @type {import('./api.js').Session} */
  const session = await read('/api/session');
  document.body.dataset.role = session.role;
  for (const id of ['sections', 'live', 'dashboard']) byId(id).hidden = false;
  byId('login').hidden = true;
  const logout = document.getElementById('logout');
  if (logout !== null) logout.hidden = session.via !== 'session';
  freshness = keepFresh(refresh, tellLive);
  startExplain();
  await startSearch();
}

async function refresh() {
  /** @type {import('./api.js').Overview} */
  const overview = await read('/api/overview');
  showOverview(overview);
  show(byId('recent-rows'), overview.recent, (assets) =>
    assets === null || assets.length === 0
      ? [element('p', { class: 'empty' }, 'No asset has changed since this process started.')]
      : [assetTable(assets.slice(0, mostRecent), 'Assets that changed last')],
  );
  for (const time of document.querySelectorAll('time')) time.textContent = ago(time.dateTime);
}

/** @param {'live' | 'paused' | 'retrying'} state @param {number} [seconds] */
function tellLive(state, seconds) {
  const node = byId('live');
  node.dataset.state = state;
  const text = state === 'retrying' ? `no answer, trying again in ${seconds} s` : state;
  if (node.textContent !== text) node.textContent = text;
}

document.addEventListener('acted', () => void freshness?.now());
document.addEventListener('logged-out', () => {
  freshness?.stop();
  byId('dashboard').hidden = true;
  startLogin();
});
document.getElementById('logout')?.addEventListener('click', async () => {
  const left = await attempt(async () => {
    await logOut();
    return 'Logged out.';
  });
  if (left) location.replace('/');
});
start().catch((error) => {
  // A refusal for want of a token has shown the login already.
  if (error?.status !== 401)
    byId('trouble').replaceChildren(element('p', { class: 'notice bad' }, String(error?.message)));
});
