import { expect, test } from '../support/test';

test.use({ template: 'empty' });

const WEAK = 'password1234';

test('before setup, every page redirects to setup', async ({ site }) => {
  for (const path of ['/', '/keys', '/keys/new', '/login']) {
    await site.page.goto(path);
    await site.waitForPath('/setup');
  }
});

test('setup: wrong code, weak password, success, and closed', async ({ page, site, keyward, monitor, scripted }) => {
  const { name, email, password } = keyward.user;
  await site.open('/setup');
  const submit = page.getByRole('button', { name: 'Create administrator' });
  const code = page.getByLabel('Setup code');

  // A wrong code.
  monitor.expectStatus(422);
  await code.fill('0'.repeat(26));
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('First project').fill('Pelagic');
  await submit.click();
  await expect(code).toHaveAttribute('aria-invalid', 'true');
  await expect(code).toHaveAccessibleDescription(/Wrong setup code/);
  await expect(code).toBeFocused();
  await expect(page.getByLabel('Your name')).toHaveValue(name);

  // A common password.
  await code.fill(keyward.setupCode);
  await page.getByLabel('Password').fill(WEAK);
  await submit.click();
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Password')).toHaveAccessibleDescription(/too common/);
  await expect(page.getByLabel('Password')).toBeFocused();
  await expect(page.getByLabel('Your name')).toHaveValue(name);
  await expect(page.getByLabel('Email')).toHaveValue(email);
  await expect(page.getByLabel('First project')).toHaveValue('Pelagic');
  await expect(code).toHaveValue(keyward.setupCode);
  if (!scripted) await expect(page.getByLabel('Password')).toHaveValue('');
  expect(await page.content()).not.toContain(WEAK);

  // Success signs the user in.
  await page.getByLabel('Password').fill(password);
  await submit.click();
  await site.waitForPath('/keys');
  await expect(page.getByText('No API keys yet')).toBeVisible();
  await expect(page.getByRole('button', { name })).toBeVisible();

  // Setup is closed, with and without a session.
  await page.goto(`/setup?code=${keyward.setupCode}`);
  await site.waitForPath('/keys');
  await site.signOut();
  await page.goto('/setup');
  await site.waitForPath('/login');
});

test('the printed link contains the code', async ({ page, site, keyward }) => {
  const { name, email, password } = keyward.user;
  await site.open(keyward.setupLink);
  await expect(page.getByLabel('Setup code')).toHaveValue(keyward.setupCode);
  await expect(page.getByLabel('Your name')).toBeFocused();
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('First project').fill('Pelagic');
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await site.waitForPath('/keys');
});
