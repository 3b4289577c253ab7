import { retryMany, stopRun } from './actions.js';
import { byId, element, link, show } from './dom.js';
import { ago, count, percent, readable, size } from './format.js';

/** @typedef {import('./api.js').Overview} Overview */

const states = /** @type {const} */ (['verified', 'stored', 'claimed', 'known', 'failed', 'missing', 'tombstoned']);

/** @param {Overview} overview */
export function showOverview({ status, jobs, runs, coverage, failures }) {
  show(byId('trouble'), { status, known: coverage !== null }, trouble);
  show(byId('summary'), { coverage, uploading: jobs.length }, summary);
  show(byId('coverage-rows'), coverage, coverageRows);
  show(byId('upload-rows'), { jobs, second: jobs.length === 0 ? 0 : Math.floor(Date.now() / 1000) }, uploadRows);
  show(byId('failure-rows'), failures, failureRows);
  byId('runs').hidden = runs.length === 0;
  show(byId('run-rows'), runs, runRows);
}

/** @param {{ status: Overview['status'], known: boolean }} facts */
function trouble({ status, known }) {
  const reasons = known
    ? status.reasons
    : [...status.reasons, 'Coverage and assets are shown again when the ledger answers.'];
  if (status.ready && reasons.length === 0) return [];
  return [
    element(
      'div',
      { class: `notice ${status.ready ? 'warn' : 'bad'}` },
      element(
        'div',
        {},
        element('b', {}, status.ready ? 'Serving, with trouble' : 'Not ready'),
        element('ul', {}, ...reasons.map((reason) => element('li', {}, reason))),
      ),
    ),
  ];
}

/** @param {{ coverage: Overview['coverage'], uploading: number }} facts */
function summary({ coverage, uploading }) {
  const sum = (/** @type {(row: import('./api.js').Coverage) => number} */ of) =>
    (coverage ?? []).reduce((total, row) => total + of(row), 0);
  const wanted = sum((row) => row.wanted);
  const stored = sum((row) => row.stored);
  const failed = sum((row) => row.states.failed);
  const unknown = coverage === null;
  return [
    tile(
      'Covered',
      unknown ? '?' : percent(wanted === 0 ? null : stored / wanted),
      `${count(stored)} of ${count(wanted)} known assets`,
    ),
    tile(
      'Stored',
      unknown ? '?' : size(sum((row) => row.storedBytes)),
      `${count(sum((row) => row.states.verified))} verified again`,
    ),
    tile('Uploading now', count(uploading), 'in this process and its workers'),
    tile(
      'Failed',
      unknown ? '?' : count(failed),
      `${count(sum((row) => row.states.missing))} missing at the origin`,
      failed > 0 ? 'bad' : '',
    ),
  ];
}

/** @param {string} label @param {string} value @param {string} note @param {string} [mood] */
function tile(label, value, note, mood = '') {
  return element(
    'div',
    { class: `tile ${mood}` },
    element('span', { class: 'label' }, label),
    element('strong', {}, value),
    element('small', {}, note),
  );
}

/** @param {Overview['coverage']} rows */
function coverageRows(rows) {
  if (rows === null) return [element('p', { class: 'empty' }, 'The ledger does not answer.')];
  return rows.map((row) =>
    element(
      'article',
      { class: 'mapping' },
      element(
        'div',
        { class: 'mapping-head' },
        element('h3', { class: 'path' }, row.mapping),
        element('strong', {}, percent(row.share)),
      ),
      element(
        'p',
        { class: 'muted' },
        row.configured ? link(row.origin) : 'No longer in the configuration',
        ` · ${count(row.stored)} of ${count(row.wanted)} · ${size(row.storedBytes)}`,
      ),
      bar(row),
      legend(row),
      row.states.failed > 0 &&
        element(
          'button',
          {
            type: 'button',
            class: 'quiet operate',
            'data-focus': `retry ${row.mapping}`,
            onclick: () => void retryMany({ mapping: row.mapping }, `the failures of ${row.mapping}`),
          },
          'Retry its failures',
        ),
    ),
  );
}

/** @param {import('./api.js').Coverage} row */
function bar(row) {
  const present = states.filter((state) => row.states[state] > 0);
  const spoken = present.map((state) => `${count(row.states[state])} ${state}`).join(', ');
  const node = element('div', { class: 'share', role: 'img', 'aria-label': spoken || 'nothing asked for yet' });
  for (const state of present) {
    const part = element('span', { class: `state-${state}` });
    part.style.flexGrow = String(row.states[state]);
    node.append(part);
  }
  return node;
}

/** @param {import('./api.js').Coverage} row */
function legend(row) {
  const present = states.filter((state) => row.states[state] > 0);
  if (present.length === 0) return element('p', { class: 'muted' }, 'Nobody has asked for anything yet.');
  return element(
    'ul',
    { class: 'legend' },
    ...present.map((state) =>
      element(
        'li',
        {},
        element('span', { class: `dot state-${state}` }),
        element(
          'a',
          { href: `?${new URLSearchParams({ mapping: row.mapping, state })}#assets`, class: 'search-link' },
          `${count(row.states[state])} ${state}`,
        ),
      ),
    ),
  );
}

/** @param {{ jobs: Overview['jobs'] }} facts */
function uploadRows({ jobs }) {
  if (jobs.length === 0)
    return [element('p', { class: 'empty' }, 'Nothing is being uploaded. It starts when somebody asks for an asset.')];
  return [
    element(
      'ul',
      { class: 'rows' },
      ...jobs.map((job) =>
        element(
          'li',
          {},
          element('span', { class: 'path', title: job.path }, readable(job.path)),
          element('small', { class: 'muted' }, `${progress(job)} · started ${ago(job.startedAt)}`),
          job.via === 'bytes' && job.totalBytes
            ? element('progress', { max: job.totalBytes, value: job.bytes, 'aria-label': `Upload of ${job.path}` })
            : null,
        ),
      ),
    ),
  ];
}

/** @param {import('./api.js').Job} job */
function progress({ bytes, totalBytes, via }) {
  const total = totalBytes === undefined ? '' : ` of ${size(totalBytes)}`;
  if (via === 'bytes') return `${size(bytes)}${total} through lazyferry`;
  return via === 'remote-url' ? `fetched by the store${total}` : 'looking at the origin';
}

/** @param {Overview['failures']} failures */
function failureRows(failures) {
  if (failures === null) return [element('p', { class: 'empty' }, 'The ledger does not answer.')];
  if (failures.length === 0) return [element('p', { class: 'empty' }, 'Nothing has failed.')];
  return [
    element(
      'ul',
      { class: 'rows' },
      ...failures.map(({ reason, count: number, hint }) =>
        element(
          'li',
          {},
          element('div', { class: 'row-head' }, element('code', {}, reason), element('strong', {}, count(number))),
          element('p', { class: 'muted' }, hint),
          element(
            'div',
            { class: 'buttons' },
            element(
              'a',
              {
                href: `?${new URLSearchParams({ reason })}#assets`,
                class: 'button quiet search-link',
                'data-focus': `show ${reason}`,
              },
              'Show',
            ),
            element(
              'button',
              {
                type: 'button',
                class: 'quiet operate',
                'data-focus': `retry ${reason}`,
                onclick: () => void retryMany({ reason: [reason] }, `what failed by ${reason}`),
              },
              'Retry all',
            ),
          ),
        ),
      ),
    ),
  ];
}

/** @param {Overview['runs']} runs */
function runRows(runs) {
  return [
    element(
      'ul',
      { class: 'rows' },
      ...runs.map((run) =>
        element(
          'li',
          {},
          element(
            'div',
            { class: 'row-head' },
            element('span', {}, element('b', {}, run.action), ` ${filterWords(run.filter)}`),
            run.state === 'running'
              ? element(
                  'button',
                  { type: 'button', class: 'quiet operate', 'data-focus': run.id, onclick: () => void stopRun(run.id) },
                  'Stop',
                )
              : element('span', { class: 'pill' }, run.state),
          ),
          element(
            'small',
            { class: 'muted' },
            `${count(run.seen)} looked at · ${count(run.changed)} ${run.action === 'retry' ? 'stored' : 'purged'}${run.failed > 0 ? ` · ${count(run.failed)} went wrong` : ''} · started ${ago(run.startedAt)}`,
          ),
          run.problem !== undefined && element('small', { class: 'problem' }, run.problem),
        ),
      ),
    ),
  ];
}

/** @param {Overview['runs'][number]['filter']} filter */
function filterWords({ mapping, pathPrefix, reasons, states: wanted }) {
  const words = [mapping === undefined ? 'all mappings' : `${mapping}${pathPrefix ?? ''}`];
  if (wanted !== undefined) words.push(wanted.join(', '));
  if (reasons !== undefined) words.push(reasons.join(', '));
  return words.join(' · ');
}
