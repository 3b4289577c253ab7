import { describe, expect, it } from 'vitest';
import { adviceFor, installCommand, testTools } from '../../../scripts/test-tools.ts';

const debian = { platform: 'linux', root: false, aptGet: '/usr/bin/apt-get', sudo: undefined } as const;

describe('the set-up of a fresh machine', () => {
  it('installs everything in one go as root on Debian, without asking', () => {
    const command = installCommand(testTools, { ...debian, root: true }) ?? [];
    expect(command[0]).toBe('sh');
    expect(command.slice(5)).toEqual([
      ...['redis-server', 'redis-sentinel', 'chromium', 'nginx', 'haproxy', 'varnish', 'curl', 'wget', 'spin', 'gcc'],
      ...['libc6-dev', 'slowhttptest'],
    ]);
    expect(command[2]).toContain('DEBIAN_FRONTEND=noninteractive');
    expect(command[2]).toContain('--no-install-recommends');
    expect(command[2]).toContain('policy-rc.d');
  });

  it('installs only what is missing', () => {
    const missing = testTools.filter((tool) => tool.programs.includes('wget'));
    expect(installCommand(missing, { ...debian, root: true })?.slice(5)).toEqual(['wget']);
  });

  it('uses sudo only where it asks for no password', () => {
    const command = installCommand(testTools, { ...debian, sudo: '/usr/bin/sudo' });
    expect(command?.slice(0, 3)).toEqual(['/usr/bin/sudo', '-n', 'sh']);
  });

  it.each([
    ['a plain user without sudo', debian],
    ['a Linux without apt', { ...debian, root: true, aptGet: undefined }],
    ['macOS', { ...debian, platform: 'darwin', sudo: '/usr/bin/sudo' }],
  ] as const)('leaves the installation to %s', (_, machine) => {
    expect(installCommand(testTools, machine)).toBeUndefined();
  });

  it('says in one line what to install, in the words of the system', () => {
    const missing = testTools.filter((tool) => /redis|chromium|wget/.test(tool.programs[0] ?? ''));
    expect(adviceFor(missing, 'linux')).toContain('apt-get install --no-install-recommends redis-server');
    expect(adviceFor(missing, 'darwin')).toContain('brew install redis google-chrome wget (or');
    expect(adviceFor(missing, 'darwin')).not.toContain('\n');
  });
});
