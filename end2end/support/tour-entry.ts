import { expect } from '@playwright/test';
import { linkIn, Post, signUp } from './post';
import { Provider } from './provider';
import type { Site } from './site';

/** Signing out and in, the pages of a new password and of an account of one's own, and the sign-in page with all it can have. */
export async function* tourEntry(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  await site.signIn('/logout');
  yield 'logout';
  await page.getByRole('button', { name: 'Sign out' }).click();
  await site.at('/login');
  yield 'login';
  await site.fillSignIn('not my password');
  await expect(page.getByRole('alert')).toBeVisible();
  yield 'login-error';
  await site.open('/reset');
  yield 'reset-without-mail';
  const [post, provider] = [await Post.open(), await Provider.open()];
  try {
    Object.assign(keyward.variables, post.settings, provider.settings);
    provider.serve(keyward.url);
    await keyward.stop();
    await keyward.start();
    await signUp(keyward, 'open');
    await site.open('/login?refused=taken');
    yield 'login-provider';
    await site.open('/reset');
    yield 'reset';
    await page.getByLabel('Email').fill(keyward.person.email);
    await page.getByRole('button', { name: 'Send link' }).click();
    await site.at('/reset?asked=yes');
    yield 'reset-asked';
    await site.open(linkIn(await post.letter(keyward.person.email), '/reset/new'));
    yield 'reset-new';
    await page.getByLabel('New password').fill('password1234');
    await page.getByRole('button', { name: 'Save password' }).click();
    await expect(page.getByLabel('New password')).toHaveAttribute('aria-invalid', 'true');
    yield 'reset-new-errors';
    await site.open('/login?done=reset');
    yield 'login-done';
    await site.open('/signup');
    yield 'sign-up';
    await page.getByLabel('Email').fill('jonas@pelagic.example');
    await page.getByRole('button', { name: 'Send link' }).click();
    await site.at('/signup?asked=yes');
    yield 'sign-up-asked';
    await site.open(linkIn(await post.letter('jonas@pelagic.example'), '/signup/new'));
    yield 'sign-up-new';
    await site.open('/signup/new?code=none');
    yield 'link-gone';
    keyward.variables.KEYWARD_PASSWORDS = 'off';
    await keyward.stop();
    await keyward.start();
    await site.open('/login');
    yield 'login-passwords-off';
    delete keyward.variables.KEYWARD_PASSWORDS;
    await keyward.stop();
    await keyward.start();
  } finally {
    post.close();
    provider.close();
  }
}
