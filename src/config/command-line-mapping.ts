import { isPrivateHost } from './private-host.ts';
import { ConfigError } from './problem.ts';
import type { ConfigInput } from './schema.ts';

/**
 * `--map PREFIX=URL`, such as `/images/=https://www.example.com/images/`. A missing slash at either end of the prefix
 * is put there. Whoever types a private or loopback address here means it: `network.allowPrivate` is on for it.
 *
 * @throws {ConfigError} when the argument has no `=`
 */
export function parseCommandLineMapping(argument: string): ConfigInput['mappings'][number] {
  const equals = argument.search(/=[a-z][a-z0-9]*:\/\//i);
  if (equals < 0) {
    const mend = 'write PREFIX=URL, such as /images/=https://www.example.com/images/';
    throw new ConfigError([{ file: sourceOf(argument), key: '', message: 'is not a mapping', mend }]);
  }
  const prefix = argument.slice(0, equals).replace(/^\/?/, '/').replace(/\/?$/, '/');
  const origin = argument.slice(equals + 1);
  const allowPrivate = URL.canParse(origin) && isPrivateHost(new URL(origin).hostname);
  return allowPrivate ? { prefix, origin, network: { allowPrivate } } : { prefix, origin };
}

/** What stands for the file where such a mapping is wrong. A URL may hold a password, so it is left out. */
export function sourceOf(argument: string): string {
  return `--map ${argument.replace(/:\/\/[^/@]*@/, '://[redacted]@')}`;
}
