export interface EagerItem {
  readonly transformation: string;
  readonly format?: string;
}

/** `c_fill,w_100/jpg`: a last part without underscore is the format. */
export function parseEagerItem(text: string): EagerItem {
  const parts = text.split('/');
  const last = parts.at(-1) ?? '';
  if (parts.length < 2 || !/^[a-z0-9]+$/i.test(last)) return { transformation: text };
  return { transformation: parts.slice(0, -1).join('/'), format: last.toLowerCase() };
}
