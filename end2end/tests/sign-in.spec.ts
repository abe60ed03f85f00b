import { expect, test } from '../support/test';

test('a wrong password shows an error and keeps the email address', async ({ page, site, keyward, monitor, scripted }) => {
  monitor.expectStatus(422);
  await site.open('/login');
  await expect(page.getByLabel('Email')).toBeFocused();
  await site.fillSignIn('not my password');
  await expect(page.getByRole('alert')).toContainText('Wrong email or password.');
  await expect(page.getByLabel('Email')).toHaveValue(keyward.user.email);
  await expect(page.getByLabel('Password')).toBeFocused();
  if (!scripted) await expect(page.getByLabel('Password')).toHaveValue('');
  await site.fillSignIn();
  await site.waitForPath('/keys');
});

test('an unknown email address shows the same error', async ({ page, site, monitor }) => {
  monitor.expectStatus(422);
  await site.open('/login');
  await page.getByLabel('Email').fill('nobody@pelagic.example');
  await page.getByLabel('Password').fill('not a password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('Wrong email or password.');
});

test('after sign-out, Back shows no account data', async ({ page, site, keyward }) => {
  await keyward.createKey('Gateway');
  await site.signInOnPage();
  await expect(site.row('Gateway')).toBeVisible();
  await site.signOut();
  await page.goBack().catch(() => undefined);
  await expect(page.getByText('Gateway')).toBeHidden();
  await expect(page.getByText(keyward.user.name)).toBeHidden();
  await page.goto('/keys');
  await site.waitForPath('/login');
});

test('a deep link leads to its page after sign-in', async ({ page, site }) => {
  await page.goto('/keys/new');
  await site.waitForPath('/login?next=%2Fkeys%2Fnew');
  await site.fillSignIn();
  await site.waitForPath('/keys/new');
  await expect(site.createDialog).toBeVisible();
});

test('sign-in does not redirect to another site', async ({ page, site }) => {
  for (const target of ['https://example.com/', '//example.com/', '/\\example.com/']) {
    await page.goto(`/login?next=${encodeURIComponent(target)}`);
    await site.ready();
    await site.fillSignIn();
    await site.waitForPath('/keys');
    await site.signOut();
  }
});

test('missing pages and keys show an error', async ({ page, site, monitor }) => {
  monitor.expectStatus(404);
  await site.signIn('/nowhere');
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
  await site.open('/keys/0199c0de-0000-7000-8000-000000000000/delete');
  await expect(page.getByRole('dialog')).toContainText('does not exist, or you do not have access to it');
});
