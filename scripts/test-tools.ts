import { chromiumNames } from '../test/support/executable.ts';

/** A program that tests run, and the packages that bring it. */
export interface TestTool {
  /** The names it is known by; any of them will do. */
  readonly programs: readonly string[];
  readonly apt: string;
  readonly brew: string;
}

export const testTools: readonly TestTool[] = [
  { programs: ['redis-server'], apt: 'redis-server', brew: 'redis' },
  { programs: ['redis-sentinel'], apt: 'redis-sentinel', brew: 'redis' },
  { programs: chromiumNames, apt: 'chromium', brew: 'google-chrome' },
  { programs: ['nginx'], apt: 'nginx', brew: 'nginx' },
  { programs: ['haproxy'], apt: 'haproxy', brew: 'haproxy' },
  { programs: ['varnishd'], apt: 'varnish', brew: 'varnish' },
  { programs: ['varnishtest'], apt: 'varnish', brew: 'varnish' },
  { programs: ['curl'], apt: 'curl', brew: 'curl' },
  { programs: ['wget'], apt: 'wget', brew: 'wget' },
  { programs: ['spin'], apt: 'spin', brew: 'spin' },
  { programs: ['gcc', 'cc', 'clang'], apt: 'gcc libc6-dev', brew: 'gcc' },
  { programs: ['slowhttptest'], apt: 'slowhttptest', brew: 'slowhttptest' },
];

/** What is known of the machine; every path undefined that is not there. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly root: boolean;
  readonly aptGet: string | undefined;
  readonly sudo: string | undefined;
}

/** The command that installs these tools in one go, or undefined where this machine's owner has to do it. */
export function installCommand(missing: readonly TestTool[], machine: Machine): readonly string[] | undefined {
  if (machine.platform !== 'linux' || machine.aptGet === undefined) return undefined;
  const install = ['sh', '-c', installScript, 'install', machine.aptGet, ...packages(missing, 'apt')];
  if (machine.root) return install;
  // -n: where sudo would ask for a password it fails instead.
  return machine.sudo === undefined ? undefined : [machine.sudo, '-n', ...install];
}

// A package must not start its server: tests start their own, on ports of their own. policy-rc.d is Debian's way to say
// so. A stale list of some third party's repository is no reason to stop, hence `|| true`.
const installScript = `set -eu
apt_get=$1; shift
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
options="-q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300"
"$apt_get" $options update || true
"$apt_get" $options install --no-install-recommends "$@"
`;

/** One line for somebody who has to install the tools by hand. */
export function adviceFor(missing: readonly TestTool[], platform: NodeJS.Platform): string {
  const names = missing.map((tool) => tool.programs[0]).join(', ');
  const command =
    platform === 'darwin'
      ? `brew install ${packages(missing, 'brew').join(' ')}`
      : `apt-get install --no-install-recommends ${packages(missing, 'apt').join(' ')}`;
  return `The tests need ${names}: install with ${command} (or what your system calls them), then run npm test again.`;
}

function packages(tools: readonly TestTool[], manager: 'apt' | 'brew'): string[] {
  return [...new Set(tools.flatMap((tool) => tool[manager].split(' ')))];
}
