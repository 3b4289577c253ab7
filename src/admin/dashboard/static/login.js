import { byId, formById } from './dom.js';

let started = false;

/** Shows the login. After it the page starts anew, with the session's cookie. */
export function startLogin() {
  byId('login').hidden = false;
  const form = formById('login-form');
  const field = form.elements.namedItem('token');
  if (field instanceof HTMLInputElement) field.focus();
  if (started) return;
  started = true;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    byId('login-problem').textContent = '';
    const token = String(new FormData(form).get('token')).trim();
    const problem = await logIn(token);
    if (problem === undefined) location.reload();
    else byId('login-problem').textContent = problem;
  });
}

/** @param {string} token @returns {Promise<string | undefined>} why it was refused */
async function logIn(token) {
  try {
    const response = await fetch('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-lazyferry-request': '1' },
      body: JSON.stringify({ token }),
    });
    if (response.ok) return undefined;
    const { error } = await response.json();
    return response.status === 401 ? 'This token is not known here.' : error.message;
  } catch {
    return 'The server does not answer.';
  }
}
