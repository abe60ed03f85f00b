import { linkIn, Post, signUp } from '../support/post';
import { expect, test } from '../support/test';

const withMail = test.extend<{ post: Post }>({
  post: async ({}, use) => {
    const post = await Post.open();
    await use(post);
    post.close();
  },
  settings: async ({ post }, use) => use({ ...post.settings, KEYWARD_NAME: 'Pelagic' }),
});

const NEW = 'a calm sea at dawn, mostly';

withMail('a forgotten password is chosen anew by mail', async ({ page, site, keyward, post, watch }) => {
  const { email } = keyward.person;
  await site.open('/login');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await expect(page.getByLabel('Email')).toBeFocused();
  await page.getByLabel('Email').fill(email);
  await page.getByRole('button', { name: 'Send link' }).click();
  await site.at('/reset?asked=yes');
  await expect(page.getByRole('heading', { name: 'Check your email' })).toBeVisible();
  const letter = await post.letter(email);
  expect(letter.subject).toBe('Reset your Pelagic password');
  const link = linkIn(letter, '/reset/new?code=');

  await site.open(link);
  await page.getByLabel('New password').fill('password1234');
  watch.expectStatus(422, 404);
  await page.getByRole('button', { name: 'Save password' }).click();
  await expect(page.getByLabel('New password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('New password')).toHaveValue('');
  await page.getByLabel('New password').fill(NEW);
  await page.getByRole('button', { name: 'Save password' }).click();
  await expect(page.getByText('Password changed. Sign in with your new password.')).toBeVisible();
  await site.fillSignIn();
  await expect(page.getByRole('alert')).toContainText('Wrong email or password.');
  await site.fillSignIn(NEW);
  await site.at('/keys');
  await site.open(link);
  await expect(page.getByRole('heading', { name: 'This link is no longer valid' })).toBeVisible();
  expect(keyward.output).not.toContain(link.split('=')[1]);
  expect(keyward.output).not.toContain(NEW);
});

test('without mail the administrator makes the link', async ({ page, site, keyward }) => {
  await site.open('/reset');
  await expect(page.getByText('Ask an administrator for a link')).toBeVisible();
  await expect(page.getByRole('button')).toHaveCount(0);
  const said = await keyward.run(['admin', 'reset-link', '--email', keyward.person.email, '--public-url', keyward.url]);
  await page.goto(said.trim());
  await page.getByLabel('New password').fill(NEW);
  await page.getByRole('button', { name: 'Save password' }).click();
  await expect(page.getByText('Password changed. Sign in with your new password.')).toBeVisible();
  await site.fillSignIn(NEW);
  await site.at('/keys');
});

test('a new password ends the sessions in other browsers', async ({ page, site, keyward, browser }) => {
  await site.signIn();
  const { javaScriptEnabled } = test.info().project.use;
  const context = await browser.newContext({ baseURL: keyward.url, javaScriptEnabled });
  const other = await context.newPage();
  const said = await keyward.run(['admin', 'reset-link', '--email', keyward.person.email, '--public-url', keyward.url]);
  await other.goto(said.trim());
  await other.getByLabel('New password').fill(NEW);
  await other.getByRole('button', { name: 'Save password' }).click();
  await expect(other.getByText('Password changed. Sign in with your new password.')).toBeVisible();
  await page.goto('/keys');
  await site.at('/login');
  await context.close();
});

withMail('an account of one’s own, once the address is confirmed', async ({ page, site, keyward, post, watch }) => {
  await signUp(keyward, 'open');
  await site.open('/login');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await expect(page.getByRole('heading', { name: 'Create your Pelagic account' })).toBeVisible();
  await page.getByLabel('Email').fill('jonas@pelagic.example');
  await page.getByRole('button', { name: 'Send link' }).click();
  await site.at('/signup?asked=yes');
  const letter = await post.letter('jonas@pelagic.example');
  expect(letter.subject).toBe('Your Pelagic account');
  const link = linkIn(letter, '/signup/new?code=');
  await site.open(link);
  await expect(page.getByText('You will sign in with jonas@pelagic.example.')).toBeVisible();
  await page.getByLabel('Your name').fill('Jonas Lindqvist');
  await page.getByLabel('Password').fill('password1234');
  watch.expectStatus(422, 404);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Your name')).toHaveValue('Jonas Lindqvist');
  await page.getByLabel('Password').fill(NEW);
  await page.getByRole('button', { name: 'Create account' }).click();
  await site.at('/keys');
  await expect(page.getByText('No API keys yet')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Jonas Lindqvist' })).toBeVisible();
  await page.context().clearCookies();
  await site.open(link);
  await expect(page.getByRole('heading', { name: 'This link is no longer valid' })).toBeVisible();
  expect(keyward.output).not.toContain(link.split('=')[1]);
});

withMail('whoever has an account gets that answer by mail alone', async ({ page, site, keyward, post }) => {
  await signUp(keyward, 'open');
  await site.open('/signup');
  await page.getByLabel('Email').fill(keyward.person.email);
  await page.getByRole('button', { name: 'Send link' }).click();
  await site.at('/signup?asked=yes');
  const letter = await post.letter(keyward.person.email);
  expect(letter.text).toContain('You already have an account.');
  await site.open(linkIn(letter, '/reset'));
  await expect(page.getByRole('heading', { name: 'Forgot your password?' })).toBeVisible();
});

test('while sign-up is closed there is no page for it', async ({ page, site, watch }) => {
  watch.expectStatus(404);
  await site.open('/login');
  await expect(page.getByRole('link', { name: 'Create an account' })).toHaveCount(0);
  await site.open('/signup');
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
});
