import { byId, element } from './dom.js';

const shownFor = 8_000;

/**
 * Tells the outcome of something the user did; read out by screen readers.
 * @param {string} text
 * @param {'good' | 'bad'} [mood]
 */
export function notice(text, mood = 'good') {
  const close = element(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', onclick: () => node.remove() },
    '×',
  );
  const node = element('div', { class: `notice ${mood}` }, element('span', {}, text), close);
  byId('notices').append(node);
  // What went wrong stays until it is dismissed.
  if (mood === 'good') setTimeout(() => node.remove(), shownFor);
}

/**
 * Does something for the user and tells how it went; what is shown is then read again (`acted`).
 * @param {() => Promise<string>} work resolves with the sentence to show
 * @returns {Promise<boolean>}
 */
export async function attempt(work) {
  try {
    notice(await work());
    return true;
  } catch (error) {
    notice(error instanceof Error ? error.message : String(error), 'bad');
    return false;
  } finally {
    document.dispatchEvent(new CustomEvent('acted'));
  }
}

/**
 * Asks before something that cannot be undone.
 * @param {{ title: string, text: string, action: string }} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, action }) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('question'));
  dialog.replaceChildren(
    element(
      'form',
      { method: 'dialog' },
      element('h2', { id: 'question-title' }, title),
      element('p', {}, text),
      element(
        'div',
        { class: 'buttons' },
        element('button', { value: '', class: 'quiet', autofocus: true }, 'Cancel'),
        element('button', { value: 'yes', class: 'danger' }, action),
      ),
    ),
  );
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
