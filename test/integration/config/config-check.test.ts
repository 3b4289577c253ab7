import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { withMapping, writeConfig } from '../../support/config-file.ts';

const script = fileURLToPath(new URL('config-command.ts', import.meta.url));

function lazyferry(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const env = { PATH: process.env.PATH, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('lazyferry config check', () => {
  it('says that a file is valid, and exits with 0', () => {
    const file = writeConfig(withMapping(''));
    expect(lazyferry(['config', 'check', '--config', file])).toEqual({
      status: 0,
      stdout: `${file} is valid: 1 mapping\n`,
      stderr: '',
    });
  });

  it('says everything that is wrong on standard error, and exits with 1', () => {
    const file = writeConfig(
      'mappings:\n  - prefix: /images/\n    origin: https://a.example/\n    cold: passthru\n    warm: strem\n',
    );
    expect(lazyferry(['config', 'check'], { LAZYFERRY_CONFIG: file })).toEqual({
      status: 1,
      stdout: '',
      stderr: [
        `${file}:4:5 mappings[0].cold: "passthru" is not one of passthrough, wait, redirect — did you mean passthrough?`,
        `${file}:5:5 mappings[0].warm: "strem" is not one of redirect, stream — did you mean stream?`,
        '',
      ].join('\n'),
    });
  });

  it('warns of what is doubtful, and exits with 0', () => {
    const file = writeConfig(withMapping('redirectStatus: 301'));
    const { status, stderr } = lazyferry(['config', 'check', '-c', file]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^warning: .*:5:5 mappings\[0\]\.redirectStatus: browsers keep a permanent redirect/);
  });

  it('checks --map without any file', () => {
    expect(lazyferry(['config', 'check', '--map', '/a/=https://a.example/', '-m', '/b/=https://b.example/'])).toEqual({
      status: 0,
      stdout: 'the configuration is valid: 2 mappings\n',
      stderr: '',
    });
  });
});

describe('lazyferry config print', () => {
  const environment = { CLOUDINARY_URL: 'cloudinary://key:canary-1@demo', TOKEN: 'canary-2' };
  const file = () => writeConfig(withMapping('auth: { kind: bearer, token: "${TOKEN}" }'));

  it('shows every default in place as YAML, and no secret', () => {
    const { status, stdout, stderr } = lazyferry(['config', 'print', '-c', file()], environment);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).not.toContain('canary');
    expect(parse(stdout)).toMatchObject({
      store: { url: 'cloudinary://key:[redacted]@demo', timeout: 120_000 },
      mappings: [{ prefix: '/images/', folder: 'images', auth: { kind: 'bearer', token: '[redacted]' } }],
    });
  });

  it('shows nothing of a broken configuration but its problems', () => {
    const { status, stdout, stderr } = lazyferry(['config', 'print', '-c', writeConfig('mappings: 1')], environment);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('mappings: 1 is not a list');
    expect(stderr).not.toContain('canary');
  });
});
