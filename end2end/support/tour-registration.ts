import { expect } from '@playwright/test';
import { linkIn, MailServer, setSignUp } from './mail-server';
import { Provider } from './provider';
import type { Site } from './site';

/** Sign-out, sign-in, password reset, and sign-up, with all options of the sign-in page. */
export async function* tourRegistration(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  await site.signIn('/logout');
  yield 'logout';
  await page.getByRole('button', { name: 'Sign out' }).click();
  await site.waitForPath('/login');
  yield 'login';
  await site.fillSignIn('not my password');
  await expect(page.getByRole('alert')).toBeVisible();
  yield 'login-error';
  await site.open('/reset');
  yield 'reset-without-mail';
  const [mail, provider] = [await MailServer.open(), await Provider.open()];
  try {
    Object.assign(keyward.variables, mail.settings, provider.settings);
    provider.serve(keyward.url);
    await keyward.stop();
    await keyward.start();
    await setSignUp(keyward, 'open');
    await site.open('/login?refused=taken');
    yield 'login-provider';
    await site.open('/reset');
    yield 'reset';
    await page.getByLabel('Email').fill(keyward.user.email);
    await page.getByRole('button', { name: 'Send link' }).click();
    await site.waitForPath('/reset?asked=yes');
    yield 'reset-requested';
    await site.open(linkIn(await mail.receive(keyward.user.email), '/reset/new'));
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
    await site.waitForPath('/signup?asked=yes');
    yield 'sign-up-requested';
    await site.open(linkIn(await mail.receive('jonas@pelagic.example'), '/signup/new'));
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
    mail.close();
    provider.close();
  }
}
