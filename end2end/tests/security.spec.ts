import type { Browser, BrowserContext } from '@playwright/test';
import { Site } from '../support/site';
import { expect, test } from '../support/test';
import { Authenticator } from '../support/totp';

const PAGE = '/settings/security';
const SETUP_PAGE = '/settings/security/second-factor';
const RECOVERY = /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/;

/** Opens another browser with its own session. */
async function openBrowser(browser: Browser, site: Site, agent: string): Promise<{ context: BrowserContext; other: Site }> {
  const context = await browser.newContext({ baseURL: site.keyward.url, javaScriptEnabled: site.scripted, userAgent: agent });
  return { context, other: new Site(await context.newPage(), site.keyward, site.scripted) };
}

/** Turns two-factor authentication on, and returns the authenticator and the recovery codes. */
async function enableSecondFactor(site: Site): Promise<{ app: Authenticator; codes: string[] }> {
  const { page } = site;
  const app = new Authenticator(await page.locator('#totp-key').innerText());
  await page.getByLabel('Enter the code from the app').fill(await app.code());
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(page.getByRole('heading', { name: 'Save your recovery codes' })).toBeVisible();
  const listed = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
  await expect(listed).toHaveCount(10);
  const codes = await listed.allInnerTexts();
  for (const code of codes) expect(code).toMatch(RECOVERY);
  return { app, codes };
}

/** Signs in with the password, up to the form for the code. */
async function signInUpToCode(site: Site, next = ''): Promise<void> {
  await site.open(`/login${next}`);
  await site.fillSignIn();
  await expect(site.page.getByRole('heading', { name: 'Two-factor authentication' })).toBeVisible();
}

test('two-factor authentication is set up and used with a code and a recovery code', async ({ page, site, monitor }) => {
  monitor.expectStatus(422);
  await site.signIn();
  await page.getByRole('link', { name: 'Security' }).first().click();
  await site.waitForPath(PAGE);
  await page.getByRole('link', { name: 'Set up' }).click();
  await site.waitForPath(SETUP_PAGE);
  await expect(page.getByRole('img', { name: /QR code/ })).toBeVisible();

  // A wrong code: the page shows the same key and an error at the field.
  const key = await page.locator('#totp-key').innerText();
  const code = page.getByLabel('Enter the code from the app');
  await code.fill('000 00');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(code).toHaveAccessibleDescription(/This code is wrong/);
  await expect(code).toBeFocused();
  await expect(code).toHaveValue('');
  await expect(page.locator('#totp-key')).toHaveText(key);

  const { app, codes } = await enableSecondFactor(site);
  await page.getByRole('link', { name: 'I have saved my recovery codes' }).click();
  await site.waitForPath(PAGE);
  await expect(page.getByText('10 codes left.')).toBeVisible();
  for (const path of [PAGE, SETUP_PAGE, `${PAGE}/recovery-codes`, '/keys']) {
    const response = await page.request.get(path);
    expect(await response.text(), path).not.toContain(codes[0]);
  }

  // Sign-in with the code leads to the requested page.
  await site.signOut();
  await signInUpToCode(site, '?next=%2Fprojects');
  await page.goto('/keys');
  await expect(page).toHaveURL(/\/login/);
  await signInUpToCode(site, '?next=%2Fprojects');
  await page.getByLabel('Code').fill('000000');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByLabel('Code')).toHaveAccessibleDescription(/wrong or was already used/);
  await expect(page.getByLabel('Code')).toBeFocused();
  await page.getByLabel('Code').fill(await app.code());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await site.waitForPath('/projects');

  // With a recovery code, once.
  await site.signOut();
  await signInUpToCode(site);
  await page.getByLabel('Code').fill(codes[4]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await site.waitForPath('/keys');
  await site.signOut();
  await signInUpToCode(site);
  await page.getByLabel('Code').fill(codes[4]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByLabel('Code')).toHaveAccessibleDescription(/already used/);
  await page.getByLabel('Code').fill(codes[5]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await site.waitForPath('/keys');

  // New codes replace the old ones and are shown once.
  await site.open(PAGE);
  await expect(page.getByText('8 codes left.')).toBeVisible();
  await page.getByRole('link', { name: 'Create new codes' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Create new codes' }).click();
  const dialog = page.getByRole('dialog', { name: 'Save your recovery codes' });
  // Wait for the codes before reading them.
  await expect(dialog.getByRole('listitem')).toHaveCount(10);
  const fresh = await dialog.getByRole('listitem').allInnerTexts();
  expect(codes).not.toContain(fresh[0]);
  await dialog.getByRole('link', { name: 'I have saved my recovery codes' }).click();
  await expect(dialog).toBeHidden();
  await site.waitForPath(PAGE);
  await expect(page.getByText('10 codes left.')).toBeVisible();
  await site.expectNotInDocument(fresh[0]);

  // Turned off: the password is sufficient.
  await page.getByRole('link', { name: 'Turn off' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
  await expect(site.toast).toContainText('Two-factor authentication turned off.');
  await site.signOut();
  await site.signInOnPage();
});

test('a session of another browser is listed and ended', async ({ page, site, browser }) => {
  await site.addSession();
  const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';
  const { context, other } = await openBrowser(browser, site, firefox);
  await other.signIn();
  await site.open(PAGE);
  const sessions = page.getByRole('region', { name: 'Sessions' }).getByRole('listitem');
  await expect(sessions).toHaveCount(2);
  await expect(sessions.first()).toContainText('This session');
  await expect(sessions.last()).toContainText('Firefox on Windows');
  await expect(sessions.last()).toContainText('from 127.0.0.1');
  await page.getByRole('button', { name: 'End session: Firefox on Windows' }).click();
  await expect(site.toast).toContainText('Session ended.');
  await expect(sessions).toHaveCount(1);
  await other.page.goto('/keys');
  await expect(other.page).toHaveURL(/\/login/);

  // Ends all other sessions; the current one stays.
  await other.ready();
  await other.signIn();
  await site.open(PAGE);
  await page.getByRole('button', { name: 'End all other sessions' }).click();
  await expect(site.toast).toContainText('All other sessions ended.');
  await expect(sessions).toHaveCount(1);
  await other.page.goto('/keys');
  await expect(other.page).toHaveURL(/\/login/);
  await site.open('/keys');
  await site.waitForPath('/keys');
  await context.close();
});

test('a changed password ends the other sessions', async ({ page, site, browser, keyward, monitor }) => {
  monitor.expectStatus(422);
  await site.addSession();
  const { context, other } = await openBrowser(browser, site, 'curl/8.5.0');
  await other.signIn();
  await site.open(PAGE);
  const [current, fresh] = [page.getByLabel('Current password'), page.getByLabel('New password')];
  const change = page.getByRole('button', { name: 'Change password' });
  await current.fill('not my password at all');
  await fresh.fill('the moon pulls at noon');
  await change.click();
  await expect(current).toHaveAccessibleDescription(/Wrong password/);
  await expect(current).toBeFocused();
  expect(await page.content()).not.toContain('the moon pulls at noon');
  await current.fill(keyward.user.password);
  await fresh.fill('password1234');
  await change.click();
  await expect(fresh).toHaveAccessibleDescription(/too common/);
  await current.fill(keyward.user.password);
  await fresh.fill('the moon pulls at noon');
  await change.click();
  await expect(site.toast).toContainText('Password changed.');
  await other.page.goto('/keys');
  await expect(other.page).toHaveURL(/\/login/);
  await context.close();
  await site.signOut();
  await site.open('/login');
  await site.fillSignIn('the moon pulls at noon');
  await site.waitForPath('/keys');
});

test('the command line turns two-factor authentication off', async ({ page, site, keyward }) => {
  await site.signIn(SETUP_PAGE);
  await enableSecondFactor(site);
  await page.getByRole('link', { name: 'I have saved my recovery codes' }).click();
  await site.waitForPath(PAGE);
  await site.signOut();
  const output = await keyward.run(['admin', 'second-factor-off', '--email', keyward.user.email]);
  expect(output).toContain('signs in with only the password');
  await site.signInOnPage();
});
