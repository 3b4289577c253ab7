import { isPrivateHost } from './private-host.ts';
import { ConfigError } from './problem.ts';
import type { ConfigInput } from './schema.ts';

/** Where the URL begins: a prefix may hold an equals sign itself. */
const separator = /=(?=[a-z][a-z0-9]*:\/\/)/i;

/**
 * Each `--map PREFIX=URL`, such as `/images/=https://www.example.com/images/`. A missing slash at either end of the
 * prefix is put there. Whoever types a private or loopback address here means it: `network.allowPrivate` is on for it.
 *
 * @throws {ConfigError} naming every argument without `=URL`
 */
export function parseCommandLineMappings(maps: readonly string[]): ConfigInput['mappings'] {
  const wrong = maps.filter((map) => !separator.test(map));
  if (wrong.length > 0) {
    const mend = 'write PREFIX=URL, such as /images/=https://www.example.com/images/';
    throw new ConfigError(wrong.map((map) => ({ file: sourceOf(map), key: '', message: 'is not a mapping', mend })));
  }
  return maps.map(parseOne);
}

function parseOne(map: string): ConfigInput['mappings'][number] {
  const equals = map.search(separator);
  const prefix = map.slice(0, equals).replace(/^\/?/, '/').replace(/\/?$/, '/');
  const origin = map.slice(equals + 1);
  const allowPrivate = URL.canParse(origin) && isPrivateHost(new URL(origin).hostname);
  return allowPrivate ? { prefix, origin, network: { allowPrivate } } : { prefix, origin };
}

/** What stands for the file where such a mapping is wrong. A URL may hold a password, so it is left out. */
export function sourceOf(map: string): string {
  return `--map ${map.replace(/:\/\/[^/@]*@/, '://[redacted]@')}`;
}
