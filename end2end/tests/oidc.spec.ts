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

const into = (page: Page) => page.getByRole('link', { name: 'Sign in with Pelagic ID' });

async function continueAs(page: Page, account: string): Promise<void> {
  await page.getByLabel('Account').fill(account);
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** Signs out here; the provider still knows the browser, until its cookies go. */
async function signOut(page: Page): Promise<void> {
  await page.goto('/logout');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(into(page)).toBeVisible();
}

/** The email address of the user who is signed in, as their account page shows it. */
const people = async (page: Page): Promise<string | undefined> => {
  const response = await page.request.get('/settings/account', { headers: { accept: 'text/html' }, maxRedirects: 0 });
  return response.status() === 200 ? (await response.text()).match(/[\w.]+@[\w.]+\.example/)?.[0] : undefined;
};

test('the first sign-in makes the person, the second finds them', async ({ page, site }) => {
  await site.open('/keys/new');
  await into(page).click();
  await continueAs(page, 'jonas');
  await site.at('/keys/new');
  await expect(site.createDialog).toBeVisible();
  expect(await people(page)).toBe('jonas@pelagic.example');
  await page.goto('/projects');
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await signOut(page);
  await into(page).click();
  // The provider remembers: nothing is typed.
  await site.at('/keys');
  expect(await people(page)).toBe('jonas@pelagic.example');
  await expect(page.getByText('jonas').first()).toBeVisible();
  await page.goto('/projects');
  await expect(page.locator('tbody tr')).toHaveCount(1);
});

test('no, at the provider, leads back with a sentence', async ({ page, site }) => {
  await site.open('/login');
  await into(page).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await site.at('/login?refused=denied');
  await expect(page.getByRole('alert')).toContainText('You are not signed in');
  await site.fillSignIn();
  await site.at('/keys');
});

test('an address that is somebody’s joins nothing', async ({ page, site }) => {
  await site.open('/login');
  await into(page).click();
  await continueAs(page, 'maren');
  await site.at('/login?refused=taken');
  await expect(page.getByRole('alert')).toContainText('An account with your email address already exists.');
});

test('an address that is not confirmed makes no account', async ({ page, site }) => {
  await site.open('/login');
  await into(page).click();
  await continueAs(page, 'unconfirmed-eve');
  await site.at('/login?refused=unconfirmed');
  await expect(page.getByRole('alert')).toContainText('not confirmed at the identity provider');
});

for (const [what, name, refused] of [
  ['a state that is another’s', 'state', 'again'],
  ['a nonce that is another’s', 'nonce', 'provider'],
  ['a challenge that is another’s', 'code_challenge', 'provider'],
]) {
  test(`${what} is refused`, async ({ page, site }) => {
    await site.open('/login');
    const answer = await page.request.get('/login/oidc', { maxRedirects: 0 });
    expect(answer.status()).toBe(303);
    const location = new URL(answer.headers().location);
    location.searchParams.set(name, 'A'.repeat(43));
    await page.goto(location.href);
    await continueAs(page, 'jonas');
    await site.at(`/login?refused=${refused}`);
    await expect(page.getByRole('alert')).toBeVisible();
    expect(await people(page)).toBeUndefined();
  });
}

test('an answer of the provider is used once', async ({ page, site, context }) => {
  const asked: string[] = [];
  page.on('request', request => request.url().includes('/callback?') && asked.push(request.url()));
  await site.open('/login');
  await into(page).click();
  await expect(page.getByLabel('Account')).toBeVisible();
  const cookie = (await context.cookies()).find(it => it.name === 'keyward-oidc');
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
  await continueAs(page, 'jonas');
  await site.at('/keys');
  expect(asked).toHaveLength(1);
  expect((await context.cookies()).map(it => it.name)).not.toContain('keyward-oidc');
  await signOut(page);
  await page.goto(asked[0]);
  await site.at('/login?refused=again');
  if (cookie) await context.addCookies([cookie]);
  await page.goto(asked[0]);
  await site.at('/login?refused=again');
  expect(await people(page)).toBeUndefined();
});

test('with passwords off the provider is the one way in', async ({ page, site, keyward, watch }) => {
  watch.expectStatus(404);
  keyward.variables.KEYWARD_PASSWORDS = 'off';
  await keyward.stop();
  await keyward.start();
  await site.open('/login');
  await expect(page.getByLabel('Password')).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Forgot your password?' })).toHaveCount(0);
  await site.open('/reset');
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
  const { email, password } = keyward.person;
  const refused = await page.request.post('/login', { form: { email, password }, headers: { origin: keyward.url, accept: 'text/html' } });
  expect(refused.status()).toBe(403);
  await site.open('/login');
  await into(page).click();
  await continueAs(page, 'jonas');
  await site.at('/keys');
  // The first administrator is made where Keyward runs.
  expect(await keyward.run(['admin', 'make-admin', '--email', 'jonas@pelagic.example'])).toContain('is now an administrator');
  await site.open('/admin/keys');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
});

test('a provider that is not there is said so', async ({ page, site, provider, keyward }) => {
  provider.close();
  await site.open('/login');
  await into(page).click();
  await site.at('/login?refused=provider');
  await expect(page.getByRole('alert')).toContainText('Try again in a moment');
  await site.fillSignIn();
  await site.at('/keys');
  expect(keyward.output).toContain('provider.failed');
  expect(keyward.output).not.toContain(String(keyward.variables.KEYWARD_OIDC_CLIENT_SECRET));
});
