import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

// Servers live in sbin on Debian, which is not on the PATH of plain users; Homebrew's folder not on that of CI jobs.
const usualPlaces = [
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/opt/homebrew/bin',
];

/** What Chromium is called on Debian, Ubuntu, Fedora and macOS. */
export const chromiumNames = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
] as const;

/** Full path of the first of these programs that is installed; a name may be a full path itself. */
export function findExecutable(...names: readonly string[]): string | undefined {
  const places = [...(process.env.PATH ?? '').split(delimiter).filter((place) => place !== ''), ...usualPlaces];
  for (const name of names) {
    const candidates = name.startsWith('/') ? [name] : places.map((place) => join(place, name));
    const found = candidates.find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** As {@link findExecutable}, but the program is needed: `npm test` has installed it, so its absence is a failure. */
export function requireExecutable(...names: readonly string[]): string {
  const found = findExecutable(...names);
  if (found === undefined) {
    throw new Error(`${names[0]} is not installed: run node scripts/set-up-test-tools.ts`);
  }
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
