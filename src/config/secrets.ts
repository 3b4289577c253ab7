import { hasReference, literalPart } from './environment.ts';
import type { ConfigPath } from './problem.ts';
import type { Refusal } from './values.ts';

/** Options whose whole value is a secret, by their section. */
const secretOptions = new Map([
  ['auth', ['password', 'token', 'value', 'secretAccessKey']],
  ['admin', ['token', 'readToken']],
]);

/** A list of secrets, by its section. */
const secretList = { section: 'signedDelivery', option: 'keys' };

/** Whether the value is never to be shown. */
export function isSecret(path: ConfigPath): boolean {
  if (path.at(-3) === secretList.section && path.at(-2) === secretList.option) return true;
  const [section = '', option = ''] = path.slice(-2).map(String);
  return secretOptions.get(section)?.includes(option) ?? false;
}

/** The value of a header may have literal text around the secret: `Token ${API_TOKEN}`. */
function isHeaderValue(path: ConfigPath): boolean {
  return path.at(-2) === 'auth' && path.at(-1) === 'value';
}

/** Keys whose value is a URL that may hold credentials. */
export function mayHoldCredentials(path: ConfigPath): boolean {
  return /^(?:store|ledger)$/.test(String(path.at(-2))) && path.at(-1) === 'url';
}

const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;
const secretParameter = /secret|passw|token|auth/i;

/** The secret parts of a URL as they are written: the password, and what parameters such as `password=` hold. */
export function secretsInUrl(url: string): string[] {
  const found: string[] = [];
  const match = authority.exec(url);
  if (match === null) return found;
  const [, host = ''] = match;
  const credentials = host.slice(0, Math.max(host.lastIndexOf('@'), 0));
  // `https://TOKEN@host`: the only credential is the secret.
  found.push(credentials.slice(credentials.indexOf(':') + 1));
  for (const parameter of url.slice(match[0].length).split(/[?&#]/)) {
    const [name = '', ...value] = parameter.split('=');
    if (secretParameter.test(name)) found.push(value.join('='));
  }
  return found.filter((secret) => secret !== '');
}

/** Finds secrets typed into the file. Secrets come from the environment only: files get copied, committed and shown. */
export function literalSecrets(tree: unknown): { readonly path: ConfigPath; readonly refusal: Refusal }[] {
  const found: { path: ConfigPath; refusal: Refusal }[] = [];
  const visit = (value: unknown, path: ConfigPath): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value))
        visit(member, [...path, Array.isArray(value) ? Number(key) : key]);
    } else if (value !== null && isLiteralSecret(value, path)) {
      found.push({ path, refusal: { message: 'a secret is never written into the file', mend: mendFor(path) } });
    }
  };
  visit(tree, []);
  return found;
}

function isLiteralSecret(value: unknown, path: ConfigPath): boolean {
  const text = String(value);
  if (isHeaderValue(path)) return !hasReference(text);
  if (isSecret(path)) return literalPart(text) !== '';
  return secretsInUrl(text).some((secret) => literalPart(secret) !== '');
}

function mendFor(path: ConfigPath): string {
  if (path[0] === 'store' && path[1] === 'url') return 'write ${CLOUDINARY_URL} and set that variable';
  if (path[0] === 'ledger' && path[1] === 'url') return 'write ${REDIS_URL} and set that variable';
  if (path.at(-1) === 'origin') return 'put the credentials under auth, from the environment';
  return 'write ${NAME}, and set the variable NAME, or NAME_FILE to a file that holds the secret';
}
