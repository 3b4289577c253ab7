import { expect, test } from 'vitest';
import { clientNetwork } from '../../../src/http/client-network.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['2001:db8:0:1::1', '2001:db8:0:1'],
  ['2001:0DB8:0000:0001:a:b:c:d', '2001:db8:0:1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
  ['unknown', 'unknown'],
  ['x'.repeat(9_000), 'x'.repeat(64)],
])('%s is counted as %s', (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});
