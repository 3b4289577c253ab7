import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumNames, requireExecutable } from './executable.ts';

const screenshots = join(import.meta.dirname, '../../data/screenshots');

/** The system's Chromium with a fresh profile, cut off from every host but this machine. Close it after use. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: requireExecutable(...chromiumNames),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  });
}

/** Saves what the page looks like for a human to judge, and returns the file: `data/screenshots/NAME.png`. */
export async function saveScreenshot(page: Page, name: string): Promise<string> {
  await mkdir(screenshots, { recursive: true });
  const path = join(screenshots, `${name}.png`);
  await page.screenshot({ path, fullPage: true, animations: 'disabled' });
  return path;
}
