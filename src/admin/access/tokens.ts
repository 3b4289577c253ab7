import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** `operate` includes `read`. */
export type Role = 'read' | 'operate';

export interface Tokens {
  readonly token?: string | undefined;
  readonly readToken?: string | undefined;
}

/**
 * Tells the role of a presented token. Both comparisons are made each time and in constant time: digests under a key
 * that nobody knows have equal length and say nothing of the tokens.
 */
export function createTokenCheck({ token, readToken }: Tokens): (presented: string) => Role | undefined {
  const key = randomBytes(32);
  const digest = (text: string) => createHmac('sha256', key).update(text).digest();
  const operate = token === undefined ? undefined : digest(token);
  const read = readToken === undefined ? undefined : digest(readToken);
  return (presented) => {
    const candidate = digest(presented);
    const mayOperate = operate !== undefined && timingSafeEqual(candidate, operate);
    const mayRead = read !== undefined && timingSafeEqual(candidate, read);
    if (mayOperate) return 'operate';
    return mayRead ? 'read' : undefined;
  };
}
