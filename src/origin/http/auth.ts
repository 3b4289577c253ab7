import { isFieldValue } from '../../http/headers.ts';

/** Credentials of one mapping's origin, as the configuration has them. */
export type HttpAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'header'; readonly name: string; readonly value: string };

/** A request that is about to be sent, for the credentials to be worked out from. */
interface OutgoingRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** The headers that admit a request at the origin. Asked only for the origin's own scheme, host and port. */
export type Credentials = (
  request: OutgoingRequest,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

/** @throws {TypeError} when a value cannot stand in a header; the message does not hold it */
export function credentialsOf(auth: HttpAuth): Credentials {
  const [name, value] = authField(auth);
  if (!isFieldValue(value)) {
    throw new TypeError(`the origin's ${auth.kind} credentials hold a character that no header may hold`);
  }
  const headers = { [name]: value };
  return () => headers;
}

function authField(auth: HttpAuth): readonly [name: string, value: string] {
  switch (auth.kind) {
    case 'basic':
      return ['authorization', `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`];
    case 'bearer':
      return ['authorization', `Bearer ${auth.token}`];
    case 'header':
      return [auth.name.toLowerCase(), auth.value];
  }
}
