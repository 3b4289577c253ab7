/**
 * Asks again only when the last answer is older than `ms`; callers in the meantime share one question. An error is
 * shared by those who wait for it and then forgotten.
 */
export function memoize<Answer>(
  ms: number,
  ask: () => Promise<Answer>,
  now = () => performance.now(),
): () => Promise<Answer> {
  let last: { readonly at: number; readonly answer: Promise<Answer> } | undefined;
  return () => {
    if (last !== undefined && now() - last.at < ms) return last.answer;
    const asked = { at: now(), answer: ask() };
    last = asked;
    asked.answer.catch(() => {
      if (last === asked) last = undefined;
    });
    return asked.answer;
  };
}
