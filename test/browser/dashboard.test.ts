import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Readiness } from '../../src/admin/health.ts';
import {
  type AdminFixture,
  failed,
  keyOf,
  missing,
  operateToken,
  put,
  readToken,
  startAdmin,
  stored,
} from '../support/admin.ts';
import { launchBrowser, saveScreenshot } from '../support/browser.ts';
import { namelessControls, overflow, weakTexts } from './page-checks.ts';

let browser: Browser;
let admin: AdminFixture;
let page: Page;
/** What went wrong in the page: script errors and violations of the content security policy. */
let complaints: string[];
let readiness: Readiness;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

beforeEach(async () => {
  readiness = { ready: true, ledger: 'up', store: 'up', reasons: [] };
  admin = await startAdmin({
    readiness: () => readiness,
    jobs: () => [
      {
        key: keyOf('/videos/launch.mp4'),
        startedAt: Date.now() - 40_000,
        bytes: 180_000_000,
        totalBytes: 600_000_000,
        via: 'bytes',
      },
    ],
  });
  await fill(admin);
  await open({ width: 1280 });
});

afterEach(async () => {
  await page.close();
  await admin.close();
  expect(complaints).toEqual([]);
});

async function fill({ ledger }: AdminFixture) {
  for (let number = 10; number < 70; number += 1) {
    const path = `/images/2019/picture-${number}.jpg`;
    await put(ledger, path, stored(path, number * 7_001, number % 2 === 0 ? Date.now() : undefined));
  }
  await put(ledger, '/images/press/a.jpg', failed('origin-denied', 'the origin answered 403'));
  await put(ledger, '/images/press/b.jpg', failed('origin-denied', 'the origin answered 403'));
  await put(ledger, '/images/a%20name%20with%20spaces%20that%20is%20rather%20long.jpg', 'known');
  await put(ledger, '/images/gone.jpg', missing);
  await put(ledger, '/videos/launch.mp4', 'claimed');
}

async function open({ width, dark = false }: { width: number; dark?: boolean }) {
  page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: dark ? 'dark' : 'light' });
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const expected = /status of (401|403|409|503)|ERR_CONNECTION_REFUSED/.test(message.text());
    if (message.type() === 'error' && !expected) complaints.push(message.text());
  });
  await page.goto(admin.url);
}

async function logIn(token = operateToken) {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('live', { exact: true }).waitFor();
}

function region(name: string) {
  return page.getByRole('region', { name });
}

async function search(path: string) {
  await page.getByLabel('Path begins with').fill(path);
  await page.getByRole('button', { name: 'Search' }).click();
}

function found(path: string) {
  return region('Assets').getByRole('button', { name: path, exact: true });
}

describe('logging in', () => {
  test('a wrong token is refused, the right one opens the dashboard, logging out closes it', async () => {
    await page.getByLabel('Token').fill('not-the-token-0123456789');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('This token is not known here.').waitFor();
    expect(await region('Coverage').isVisible()).toBe(false);
    await logIn();
    await region('Coverage').waitFor();
    expect(await page.getByLabel('Token').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await region('Coverage').isVisible()).toBe(false);
  });

  test('a session that ends while the dashboard is open leads back to the login', async () => {
    await logIn();
    await page.context().clearCookies();
    await page.getByLabel('Token').waitFor();
    expect(await region('Coverage').isVisible()).toBe(false);
    await logIn();
  });

  test('who may only read sees everything and is offered no change', async () => {
    await logIn(readToken);
    await search('/images/press/');
    await found('/images/press/a.jpg').click();
    await page.getByRole('dialog').getByText('the origin answered 403').waitFor();
    expect(await page.getByRole('button', { name: /Retry|Purge|Tombstone/ }).count()).toBe(0);
  });
});

describe('the dashboard shows', () => {
  beforeEach(() => logIn());

  test('how far each mapping is, what is uploaded now, and why assets fail', async () => {
    const images = region('Coverage').getByRole('article').filter({ hasText: '/images/' });
    await images.getByText('95.2 %').waitFor();
    await images.getByText('60 of 63').waitFor();
    for (const count of ['30 verified', '30 stored', '1 known', '2 failed', '1 missing']) {
      await images.getByRole('link', { name: count, exact: true }).waitFor();
    }
    await region('Uploading now').getByText('180 MB of 600 MB').waitFor();
    const denied = region('Failures by reason').getByRole('listitem').filter({ hasText: 'origin-denied' });
    await denied.getByText('2', { exact: true }).waitFor();
    await denied.getByText('The origin refuses us.').waitFor();
    await saveScreenshot(page, 'dashboard-wide-light');
  });

  test('changes by any process without being loaded again', async () => {
    await put(admin.ledger, '/images/brand-new.jpg', stored('/images/brand-new.jpg', 5));
    await region('Changed last').getByRole('button', { name: '/images/brand-new.jpg' }).waitFor();
  });

  test('what is wrong, while it is wrong', async () => {
    readiness = { ...readiness, ready: false, ledger: 'down', reasons: ['The ledger does not answer.'] };
    await page.getByText('Not ready').waitFor();
    await page.getByText('The ledger does not answer.').waitFor();
    readiness = { ready: true, ledger: 'up', store: 'up', reasons: [] };
    await page.getByText('Not ready').waitFor({ state: 'detached' });
  });

  test('that the server does not answer, and when it is asked again', async () => {
    await page.route('**/api/**', (route) => route.abort('connectionrefused'));
    await page.getByText('no answer, trying again in 4 s').waitFor();
    await page.unroute('**/api/**');
    await page.getByText('live', { exact: true }).waitFor();
  });
});

describe('an operator', () => {
  beforeEach(() => logIn());

  test('finds assets by what their path begins with, page by page, at an address that can be shared', async () => {
    await search('/images/2019/');
    await page.getByText('The first 50 are shown.').waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('60 found.').waitFor();
    await page.goto(page.url());
    await found('/images/2019/picture-10.jpg').waitFor();
    expect(await page.getByLabel('Path begins with').inputValue()).toBe('/images/2019/');
  });

  test('opens an asset and follows it to its origin and its stored copy', async () => {
    await search('/images/2019/picture-12');
    await found('/images/2019/picture-12.jpg').click();
    const links = await page.getByRole('dialog').getByRole('link').all();
    expect(await Promise.all(links.map((link) => link.getAttribute('href')))).toEqual([
      'https://www.example.com/static/images/2019/picture-12.jpg',
      'https://res.cloudinary.com/demo/image/upload/v1700000000/site/images/2019/picture-12.jpg',
    ]);
  });

  test('sees what an origin says as text, never as markup', async () => {
    const said = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    await put(admin.ledger, '/images/odd.jpg', failed('wrong-type', said));
    await search('/images/odd');
    await region('Assets').getByText(said).waitFor();
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  test('retries one failure and sees that it is stored now', async () => {
    await search('/images/press/');
    await found('/images/press/a.jpg').click();
    await page.getByRole('button', { name: 'Retry now' }).click();
    await page.getByText('/images/press/a.jpg is stored.').waitFor();
    await region('Assets').getByRole('row', { name: '/images/press/a.jpg' }).getByText('stored').waitFor();
    expect((await admin.ledger.lookup(keyOf('/images/press/a.jpg')))?.state).toBe('stored');
  });

  test('retries all of one reason and sees the run end', async () => {
    const failures = region('Failures by reason').getByRole('listitem').filter({ hasText: 'origin-denied' });
    await failures.getByRole('button', { name: 'Retry all' }).click();
    const runs = region('Runs over many assets');
    await runs.getByText('done').waitFor();
    await runs.getByText('2 looked at · 2 stored').waitFor();
    await failures.waitFor({ state: 'detached' });
  });

  test('goes from a reason to its assets', async () => {
    await region('Failures by reason')
      .getByRole('listitem')
      .filter({ hasText: 'origin-not-found' })
      .getByText('Show')
      .click();
    await page.getByText('1 found.').waitFor();
    await found('/images/gone.jpg').waitFor();
  });

  test('is asked before a purge, and may think better of it', async () => {
    await search('/images/press/a');
    await found('/images/press/a.jpg').click();
    await page.getByRole('button', { name: 'Purge…' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await admin.ledger.lookup(keyOf('/images/press/a.jpg'))).toBeDefined();
    await page.getByRole('button', { name: 'Purge…' }).click();
    await page.getByRole('button', { name: 'Purge', exact: true }).click();
    await page.getByText('Purged /images/press/a.jpg.').waitFor();
    await page.getByText('No asset fits.').waitFor();
    expect(await admin.ledger.lookup(keyOf('/images/press/a.jpg'))).toBeUndefined();
  });

  test('purges a folder after being told how much that is', async () => {
    await search('/images/2019/');
    await page.getByRole('button', { name: 'Purge all found…' }).click();
    await page.getByText('Choose the mapping to purge first.').waitFor();
    await page.getByLabel('Mapping').selectOption('/images/');
    await page.getByRole('button', { name: 'Purge all found…' }).click();
    await page.getByRole('heading', { name: 'Purge 60 assets?' }).waitFor();
    await page.getByRole('button', { name: 'Purge 60' }).click();
    await region('Runs over many assets').getByText('60 looked at · 60 purged').waitFor();
    expect((await admin.ledger.query({ mapping: '/images/' })).records).toHaveLength(4);
  });

  test('has a whole URL explained', async () => {
    await page.getByLabel('Delivery path').fill('https://cdn.example.com/images/2019/picture-12.jpg?x=1');
    await page.getByRole('button', { name: 'Explain' }).click();
    const answer = region('Explain a URL');
    await answer.getByText('Stored and proven whole: requests get a 302 redirect to the stored copy.').waitFor();
    await page.getByLabel('Delivery path').fill('/favicon.ico');
    await page.getByRole('button', { name: 'Explain' }).click();
    await answer.getByText('no mapping fits /favicon.ico').waitFor();
  });
});

describe('everybody can use it:', () => {
  test.each([
    { width: 360, dark: false },
    { width: 360, dark: true },
    { width: 1280, dark: true },
  ])(
    'at $width pixels, dark: $dark, it fits, every text has contrast and every control a name',
    async ({ width, dark }) => {
      await page.close();
      await open({ width, dark });
      expect(await weakTexts(page)).toEqual([]);
      await logIn();
      await search('/images/press/');
      await found('/images/press/a.jpg').waitFor();
      await page.getByLabel('Delivery path').fill('/images/2019/picture-12.jpg');
      await page.getByRole('button', { name: 'Explain' }).click();
      await page.getByText('Stored and proven whole').waitFor();
      await saveScreenshot(page, `dashboard-${width}-${dark ? 'dark' : 'light'}`);
      expect(await overflow(page)).toBe(0);
      expect(await weakTexts(page)).toEqual([]);
      expect(await namelessControls(page)).toEqual([]);
      await found('/images/press/a.jpg').click();
      expect(await weakTexts(page)).toEqual([]);
      expect(await namelessControls(page)).toEqual([]);
    },
  );

  test('the keyboard reaches the content first, and comes back where it was after a dialog', async () => {
    await logIn();
    await page.goto(admin.url);
    await page.getByText('live', { exact: true }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await search('/images/press/');
    await found('/images/press/a.jpg').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('/images/press/a.jpg');
  });

  test('a poll that brings news does not take the focus away', async () => {
    await logIn();
    const button = region('Coverage').getByRole('button', { name: 'Retry its failures' });
    await button.focus();
    await put(admin.ledger, '/images/press/c.jpg', failed('origin-denied', 'the origin answered 403'));
    await region('Coverage').getByText('3 failed').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Retry its failures');
  });
});
