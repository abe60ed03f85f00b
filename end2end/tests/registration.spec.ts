import { linkIn, MailServer, setSignUp } from '../support/mail-server';
import { expect, test } from '../support/test';

const withMail = test.extend<{ mail: MailServer }>({
  mail: async ({}, use) => {
    const mail = await MailServer.open();
    await use(mail);
    mail.close();
  },
  settings: async ({ mail }, use) => use({ ...mail.settings, KEYWARD_NAME: 'Pelagic' }),
});

const NEW = 'a calm sea at dawn, mostly';

withMail('a password is reset by email', async ({ page, site, keyward, mail, monitor }) => {
  const { email } = keyward.user;
  await site.open('/login');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await expect(page.getByLabel('Email')).toBeFocused();
  await page.getByLabel('Email').fill(email);
  await page.getByRole('button', { name: 'Send link' }).click();
  await site.waitForPath('/reset?asked=yes');
  await expect(page.getByRole('heading', { name: 'Check your email' })).toBeVisible();
  const received = await mail.receive(email);
  expect(received.subject).toBe('Reset your Pelagic password');
  const link = linkIn(received, '/reset/new?code=');

  await site.open(link);
  await page.getByLabel('New password').fill('password1234');
  monitor.expectStatus(422, 404);
  await page.getByRole('button', { name: 'Save password' }).click();
  await expect(page.getByLabel('New password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('New password')).toHaveValue('');
  await page.getByLabel('New password').fill(NEW);
  await page.getByRole('button', { name: 'Save password' }).click();
  await expect(page.getByText('Password changed. Sign in with your new password.')).toBeVisible();
  await site.fillSignIn();
  await expect(page.getByRole('alert')).toContainText('Wrong email or password.');
  await site.fillSignIn(NEW);
  await site.waitForPath('/keys');
  await site.open(link);
  await expect(page.getByRole('heading', { name: 'This link is no longer valid' })).toBeVisible();
  expect(keyward.output).not.toContain(link.split('=')[1]);
  expect(keyward.output).not.toContain(NEW);
});

test('without email, the administrator creates the reset link', async ({ page, site, keyward }) => {
  await site.open('/reset');
  await expect(page.getByText('Ask an administrator for a link')).toBeVisible();
  await expect(page.getByRole('button')).toHaveCount(0);
  const link = await keyward.run(['admin', 'reset-link', '--email', keyward.user.email, '--public-url', keyward.url]);
  await page.goto(link.trim());
  await page.getByLabel('New password').fill(NEW);
  await page.getByRole('button', { name: 'Save password' }).click();
  await expect(page.getByText('Password changed. Sign in with your new password.')).toBeVisible();
  await site.fillSignIn(NEW);
  await site.waitForPath('/keys');
});

test('a new password ends the sessions of other browsers', async ({ page, site, keyward, browser }) => {
  await site.signIn();
  const { javaScriptEnabled } = test.info().project.use;
  const context = await browser.newContext({ baseURL: keyward.url, javaScriptEnabled });
  const other = await context.newPage();
  const link = await keyward.run(['admin', 'reset-link', '--email', keyward.user.email, '--public-url', keyward.url]);
  await other.goto(link.trim());
  await other.getByLabel('New password').fill(NEW);
  await other.getByRole('button', { name: 'Save password' }).click();
  await expect(other.getByText('Password changed. Sign in with your new password.')).toBeVisible();
  await page.goto('/keys');
  await site.waitForPath('/login');
  await context.close();
});

withMail('a user signs up with a confirmed email address', async ({ page, site, keyward, mail, monitor }) => {
  await setSignUp(keyward, 'open');
  await site.open('/login');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await expect(page.getByRole('heading', { name: 'Create your Pelagic account' })).toBeVisible();
  await page.getByLabel('Email').fill('jonas@pelagic.example');
  await page.getByRole('button', { name: 'Send link' }).click();
  await site.waitForPath('/signup?asked=yes');
  const received = await mail.receive('jonas@pelagic.example');
  expect(received.subject).toBe('Your Pelagic account');
  const link = linkIn(received, '/signup/new?code=');
  await site.open(link);
  await expect(page.getByText('You will sign in with jonas@pelagic.example.')).toBeVisible();
  await page.getByLabel('Your name').fill('Jonas Lindqvist');
  await page.getByLabel('Password').fill('password1234');
  monitor.expectStatus(422, 404);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Your name')).toHaveValue('Jonas Lindqvist');
  await page.getByLabel('Password').fill(NEW);
  await page.getByRole('button', { name: 'Create account' }).click();
  await site.waitForPath('/keys');
  await expect(page.getByText('No API keys yet')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Jonas Lindqvist' })).toBeVisible();
  await page.context().clearCookies();
  await site.open(link);
  await expect(page.getByRole('heading', { name: 'This link is no longer valid' })).toBeVisible();
  expect(keyward.output).not.toContain(link.split('=')[1]);
});

withMail('an existing account is disclosed only by email', async ({ page, site, keyward, mail }) => {
  await setSignUp(keyward, 'open');
  await site.open('/signup');
  await page.getByLabel('Email').fill(keyward.user.email);
  await page.getByRole('button', { name: 'Send link' }).click();
  await site.waitForPath('/signup?asked=yes');
  const received = await mail.receive(keyward.user.email);
  expect(received.text).toContain('You already have an account.');
  await site.open(linkIn(received, '/reset'));
  await expect(page.getByRole('heading', { name: 'Forgot your password?' })).toBeVisible();
});

test('while sign-up is closed, its page responds with 404', async ({ page, site, monitor }) => {
  monitor.expectStatus(404);
  await site.open('/login');
  await expect(page.getByRole('link', { name: 'Create an account' })).toHaveCount(0);
  await site.open('/signup');
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
});
