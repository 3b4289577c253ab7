import { reasons } from '../../asset/reason.ts';
import { assetStates } from '../../asset/record.ts';

/** The page without any data: the modules fill it. Everything in it comes from this file, but for the version. */
export function pageHtml({ version, guarded }: { readonly version: string; readonly guarded: boolean }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>lazyferry</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/base.css">
<link rel="stylesheet" href="/static/parts.css">
<script type="module" src="/static/main.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="bar">
  <div class="brand"><img src="/static/icon.svg" alt="" width="28" height="28"><b>lazyferry</b><small>${escapeHtml(version)}</small></div>
  <nav aria-label="Sections" id="sections" hidden>
    <a href="#coverage">Coverage</a><a href="#failures">Failures</a><a href="#assets">Assets</a><a href="#explain">Explain</a>
  </nav>
  <div class="bar-end">
    <span id="live" class="live" role="status" hidden></span>
    ${guarded ? '<button type="button" id="logout" class="quiet" hidden>Log out</button>' : ''}
  </div>
</header>
<noscript><p class="notice bad">The dashboard needs JavaScript. The same facts are at /api and /metrics.</p></noscript>
<main id="main" tabindex="-1">
${login}
<div id="dashboard" hidden>
  <div id="trouble" role="status"></div>
  <section aria-label="Summary" id="summary" class="tiles"></section>
  <section aria-labelledby="coverage-title" id="coverage" class="card">
    <h2 id="coverage-title">Coverage</h2>
    <div id="coverage-rows"></div>
  </section>
  <div class="columns">
    <section aria-labelledby="uploads-title" id="uploads" class="card">
      <h2 id="uploads-title">Uploading now</h2>
      <div id="upload-rows"></div>
    </section>
    <section aria-labelledby="failures-title" id="failures" class="card">
      <h2 id="failures-title">Failures by reason</h2>
      <div id="failure-rows"></div>
    </section>
  </div>
  <section aria-labelledby="runs-title" id="runs" class="card" hidden>
    <h2 id="runs-title">Runs over many assets</h2>
    <div id="run-rows"></div>
  </section>
  <section aria-labelledby="recent-title" id="recent" class="card">
    <h2 id="recent-title">Changed last</h2>
    <div id="recent-rows"></div>
  </section>
  <section aria-labelledby="explain-title" id="explain" class="card">
    <h2 id="explain-title">Explain a URL</h2>
    <form id="explain-form" class="fields">
      <label class="wide">Delivery path <input name="path" required maxlength="8192" placeholder="/images/a.jpg" autocomplete="off" spellcheck="false"></label>
      <button>Explain</button>
    </form>
    <div id="explain-result" role="status"></div>
  </section>
  <section aria-labelledby="assets-title" id="assets" class="card">
    <h2 id="assets-title">Assets</h2>
    ${search}
    <div id="search-summary" role="status" tabindex="-1"></div>
    <div id="search-rows"></div>
  </section>
</div>
</main>
<dialog id="details" aria-labelledby="details-title"></dialog>
<dialog id="question" aria-labelledby="question-title"></dialog>
<div id="notices" role="status"></div>
</body>
</html>
`;
}

const login = `<section id="login" class="card login" aria-labelledby="login-title" hidden>
  <h1 id="login-title">Log in</h1>
  <p>Use an admin token of this lazyferry: <code>LAZYFERRY_ADMIN_TOKEN</code> to read and change, <code>LAZYFERRY_ADMIN_READ_TOKEN</code> to read.</p>
  <form id="login-form">
    <input name="username" autocomplete="username" value="lazyferry" hidden>
    <label>Token <input name="token" type="password" required autocomplete="current-password" spellcheck="false"></label>
    <p id="login-problem" class="problem" role="alert"></p>
    <button>Log in</button>
  </form>
</section>`;

const search = `<form id="search-form" class="fields" role="search" aria-label="Assets">
      <label class="wide">Path begins with <input name="path" maxlength="8192" placeholder="/images/2019/" autocomplete="off" spellcheck="false"></label>
      <label>Mapping <select name="mapping"><option value="">any</option></select></label>
      <label>State <select name="state">${options(assetStates)}</select></label>
      <label>Reason <select name="reason">${options(reasons)}</select></label>
      <button>Search</button>
      <button type="button" class="quiet danger operate" id="purge-found">Purge all found…</button>
    </form>`;

function options(words: readonly string[]): string {
  return ['<option value="">any</option>', ...words.map((word) => `<option>${word}</option>`)].join('');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
