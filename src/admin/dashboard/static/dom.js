/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>} Properties
 */

/**
 * Makes an element. `class`, attributes and `onclick`-like listeners as properties; text is always text, never markup.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name.replace(/^on/, ''), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...nodes(children));
  return node;
}

/** @param {readonly Child[]} children */
function nodes(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {string} id @returns {HTMLFormElement} */
export function formById(id) {
  return /** @type {HTMLFormElement} */ (byId(id));
}

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();

/**
 * Shows `make(data)` in `place` when `data` differs from what is shown, so that a poll that brings nothing new moves
 * nothing. Focus stays on the element with the same `data-focus`.
 * @template Data
 * @param {Element} place
 * @param {Data} data
 * @param {(data: Data) => readonly Child[]} make
 */
export function show(place, data, make) {
  const text = JSON.stringify(data);
  if (shown.get(place) === text) return;
  shown.set(place, text);
  const active = document.activeElement;
  const focus = active instanceof HTMLElement && place.contains(active) ? active.dataset.focus : undefined;
  place.replaceChildren(...nodes(make(data)));
  if (focus === undefined) return;
  const again = [...place.querySelectorAll('[data-focus]')].find(
    (node) => node instanceof HTMLElement && node.dataset.focus === focus,
  );
  if (again instanceof HTMLElement) again.focus();
}

/**
 * A link where the address is one a browser may open, else its text.
 * @param {string | undefined} url
 * @param {string} [text]
 */
export function link(url, text) {
  if (url === undefined) return null;
  if (!/^https?:\/\//.test(url)) return element('span', { class: 'path' }, text ?? url);
  return element('a', { href: url, target: '_blank', rel: 'noreferrer', class: 'path' }, text ?? url);
}
