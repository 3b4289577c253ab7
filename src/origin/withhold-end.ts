/**
 * Passes a body's bytes on, but keeps the last one that its head states back until the body has ended. An origin that
 * sends more than it states shows only then, and a client who had got that byte would take what it has for the whole.
 *
 * @param length undefined: the body's framing tells its end by itself
 */
export async function* withholdEnd(body: AsyncIterable<Buffer>, length: number | undefined): AsyncGenerator<Buffer> {
  const free = length === undefined ? Number.POSITIVE_INFINITY : length - 1;
  const withheld: Buffer[] = [];
  let passed = 0;
  for await (const piece of body) {
    const part = piece.subarray(0, free - passed);
    passed += part.length;
    if (part.length > 0) yield part;
    if (part.length < piece.length) withheld.push(piece.subarray(part.length));
  }
  yield* withheld;
}
