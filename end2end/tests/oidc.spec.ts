import type { Page } from '@playwright/test';
import { Provider } from '../support/provider';
import { expect, test as base } from '../support/test';

const test = base.extend<{ provider: Provider }>({
  provider: async ({}, use) => {
    const provider = await Provider.open();
    await use(provider);
    provider.close();
  },
  settings: async ({ provider }, use) => use(provider.settings),
  keyward: async ({ keyward, provider }, use) => {
    provider.serve(keyward.url);
    await use(keyward);
  },
});

const providerLink = (page: Page) => page.getByRole('link', { name: 'Sign in with Pelagic ID' });

async function continueAs(page: Page, account: string): Promise<void> {
  await page.getByLabel('Account').fill(account);
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** Signs out of Keyward. The session of the provider stays. */
async function signOut(page: Page): Promise<void> {
  await page.goto('/logout');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(providerLink(page)).toBeVisible();
}

/** The email address of the user who is signed in, as their account page shows it. */
const signedInEmail = async (page: Page): Promise<string | undefined> => {
  const response = await page.request.get('/settings/account', { headers: { accept: 'text/html' }, maxRedirects: 0 });
  return response.status() === 200 ? (await response.text()).match(/[\w.]+@[\w.]+\.example/)?.[0] : undefined;
};

test('the first sign-in creates the user, and the second finds the user', async ({ page, site }) => {
  await site.open('/keys/new');
  await providerLink(page).click();
  await continueAs(page, 'jonas');
  await site.waitForPath('/keys/new');
  await expect(site.createDialog).toBeVisible();
  expect(await signedInEmail(page)).toBe('jonas@pelagic.example');
  await page.goto('/projects');
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await signOut(page);
  await providerLink(page).click();
  // The provider has a session and shows no form.
  await site.waitForPath('/keys');
  expect(await signedInEmail(page)).toBe('jonas@pelagic.example');
  await expect(page.getByText('jonas').first()).toBeVisible();
  await page.goto('/projects');
  await expect(page.locator('tbody tr')).toHaveCount(1);
});

test('a denial of the provider leads back with an error', async ({ page, site }) => {
  await site.open('/login');
  await providerLink(page).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await site.waitForPath('/login?refused=denied');
  await expect(page.getByRole('alert')).toContainText('You are not signed in');
  await site.fillSignIn();
  await site.waitForPath('/keys');
});

test('an email address of an existing user does not link accounts', async ({ page, site }) => {
  await site.open('/login');
  await providerLink(page).click();
  await continueAs(page, 'maren');
  await site.waitForPath('/login?refused=taken');
  await expect(page.getByRole('alert')).toContainText('An account with your email address already exists.');
});

test('an unconfirmed email address creates no account', async ({ page, site }) => {
  await site.open('/login');
  await providerLink(page).click();
  await continueAs(page, 'unconfirmed-eve');
  await site.waitForPath('/login?refused=unconfirmed');
  await expect(page.getByRole('alert')).toContainText('not confirmed at the identity provider');
});

for (const [what, name, refused] of [
  ['a state that is another’s', 'state', 'again'],
  ['a nonce that is another’s', 'nonce', 'provider'],
  ['a challenge that is another’s', 'code_challenge', 'provider'],
]) {
  test(`${what} is denied`, async ({ page, site }) => {
    await site.open('/login');
    const response = await page.request.get('/login/oidc', { maxRedirects: 0 });
    expect(response.status()).toBe(303);
    const location = new URL(response.headers().location);
    location.searchParams.set(name, 'A'.repeat(43));
    await page.goto(location.href);
    await continueAs(page, 'jonas');
    await site.waitForPath(`/login?refused=${refused}`);
    await expect(page.getByRole('alert')).toBeVisible();
    expect(await signedInEmail(page)).toBeUndefined();
  });
}

test('a response of the provider is accepted once', async ({ page, site, context }) => {
  const callbacks: string[] = [];
  page.on('request', request => request.url().includes('/callback?') && callbacks.push(request.url()));
  await site.open('/login');
  await providerLink(page).click();
  await expect(page.getByLabel('Account')).toBeVisible();
  const cookie = (await context.cookies()).find(it => it.name === 'keyward-oidc');
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
  await continueAs(page, 'jonas');
  await site.waitForPath('/keys');
  expect(callbacks).toHaveLength(1);
  expect((await context.cookies()).map(it => it.name)).not.toContain('keyward-oidc');
  await signOut(page);
  await page.goto(callbacks[0]);
  await site.waitForPath('/login?refused=again');
  if (cookie) await context.addCookies([cookie]);
  await page.goto(callbacks[0]);
  await site.waitForPath('/login?refused=again');
  expect(await signedInEmail(page)).toBeUndefined();
});

test('with passwords off, the provider is the only sign-in method', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(404);
  keyward.variables.KEYWARD_PASSWORDS = 'off';
  await keyward.stop();
  await keyward.start();
  await site.open('/login');
  await expect(page.getByLabel('Password')).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Forgot your password?' })).toHaveCount(0);
  await site.open('/reset');
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
  const { email, password } = keyward.user;
  const refused = await page.request.post('/login', { form: { email, password }, headers: { origin: keyward.url, accept: 'text/html' } });
  expect(refused.status()).toBe(403);
  await site.open('/login');
  await providerLink(page).click();
  await continueAs(page, 'jonas');
  await site.waitForPath('/keys');
  // The first administrator is created at the command line.
  expect(await keyward.run(['admin', 'make-admin', '--email', 'jonas@pelagic.example'])).toContain('is now an administrator');
  await site.open('/admin/keys');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
});

test('an unreachable provider shows an error', async ({ page, site, provider, keyward }) => {
  provider.close();
  await site.open('/login');
  await providerLink(page).click();
  await site.waitForPath('/login?refused=provider');
  await expect(page.getByRole('alert')).toContainText('Try again in a moment');
  await site.fillSignIn();
  await site.waitForPath('/keys');
  expect(keyward.output).toContain('provider.failed');
  expect(keyward.output).not.toContain(String(keyward.variables.KEYWARD_OIDC_CLIENT_SECRET));
});
