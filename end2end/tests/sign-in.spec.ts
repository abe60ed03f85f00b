import { expect, test } from '../support/test';

test('a wrong password says so, and loses nothing but the password', async ({ page, site, keyward, watch, scripted }) => {
  watch.expectStatus(422);
  await site.open('/login');
  await expect(page.getByLabel('Email')).toBeFocused();
  await site.fillSignIn('not my password');
  await expect(page.getByRole('alert')).toContainText('Wrong email or password.');
  await expect(page.getByLabel('Email')).toHaveValue(keyward.person.email);
  await expect(page.getByLabel('Password')).toBeFocused();
  if (!scripted) await expect(page.getByLabel('Password')).toHaveValue('');
  await site.fillSignIn();
  await site.at('/keys');
});

test('an unknown address gets the same answer', async ({ page, site, watch }) => {
  watch.expectStatus(422);
  await site.open('/login');
  await page.getByLabel('Email').fill('nobody@pelagic.example');
  await page.getByLabel('Password').fill('not a password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('Wrong email or password.');
});

test('after signing out, Back shows nothing of the account', async ({ page, site, keyward }) => {
  await keyward.createKey('Gateway');
  await site.signInOnPage();
  await expect(site.row('Gateway')).toBeVisible();
  await site.signOut();
  await page.goBack().catch(() => undefined);
  await expect(page.getByText('Gateway')).toBeHidden();
  await expect(page.getByText(keyward.person.name)).toBeHidden();
  await page.goto('/keys');
  await site.at('/login');
});

test('a deep link leads through sign-in to where it pointed', async ({ page, site }) => {
  await page.goto('/keys/new');
  await site.at('/login?next=%2Fkeys%2Fnew');
  await site.fillSignIn();
  await site.at('/keys/new');
  await expect(site.createDialog).toBeVisible();
});

test('nobody is led elsewhere after signing in', async ({ page, site }) => {
  for (const elsewhere of ['https://example.com/', '//example.com/', '/\\example.com/']) {
    await page.goto(`/login?next=${encodeURIComponent(elsewhere)}`);
    await site.ready();
    await site.fillSignIn();
    await site.at('/keys');
    await site.signOut();
  }
});

test('what is not there says so', async ({ page, site, watch }) => {
  watch.expectStatus(404);
  await site.signIn('/nowhere');
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
  await site.open('/keys/0199c0de-0000-7000-8000-000000000000/delete');
  await expect(page.getByRole('dialog')).toContainText('does not exist, or you do not have access to it');
});
