import { expect } from '@playwright/test';
import type { Site } from './site';
import { Authenticator } from './totp';

/** The security pages and dialogs of a user, without two-factor authentication at the start and at the end. */
export async function* tourSecurity(site: Site): AsyncGenerator<string> {
  const { page } = site;
  await site.signIn('/settings/security');
  await expect(page.getByText('This session')).toBeVisible();
  yield 'security';
  await page.getByLabel('Current password').fill('not my password');
  await page.getByLabel('New password').fill('the moon pulls at noon');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByLabel('Current password')).toHaveAttribute('aria-invalid', 'true');
  yield 'security-errors';

  await site.open('/settings/security/second-factor');
  yield 'second-factor';
  const app = new Authenticator(await page.locator('#totp-key').innerText());
  await page.getByLabel('Enter the code from the app').fill(await app.code());
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(page.getByRole('heading', { name: 'Save your recovery codes' })).toBeVisible();
  yield 'recovery-codes';
  const code = await page.getByRole('listitem').first().innerText();
  await page.getByRole('link', { name: 'I have saved my recovery codes' }).click();
  await site.waitForPath('/settings/security');
  await expect(page.getByText('10 codes left.')).toBeVisible();
  yield 'security-on';

  await site.open('/logout');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await site.waitForPath('/login');
  await site.fillSignIn();
  await expect(page.getByRole('heading', { name: 'Two-factor authentication' })).toBeVisible();
  yield 'login-code';
  await page.getByLabel('Code').fill(code);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await site.waitForPath('/keys');
  await site.open('/confirm?next=%2Fprojects');
  yield 'confirm';
  await page.getByLabel('Code').fill('000000');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByLabel('Code')).toHaveAttribute('aria-invalid', 'true');
  yield 'confirm-wrong';

  await site.open('/settings/security');
  await page.getByRole('link', { name: 'Create new codes' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  yield 'new-codes';
  await page.getByRole('dialog').getByRole('button', { name: 'Create new codes' }).click();
  await expect(page.getByRole('dialog', { name: 'Save your recovery codes' })).toBeVisible();
  yield 'new-codes-shown';
  await page.getByRole('dialog').getByRole('link', { name: 'I have saved my recovery codes' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.getByRole('link', { name: 'Turn off' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  // A wrong password renders the dialog like an old reauthentication.
  await page.getByRole('dialog').locator('form').evaluate(form => {
    const proof = document.createElement('input');
    [proof.type, proof.name, proof.value] = ['hidden', 'proof', '000000'];
    form.append(proof);
  });
  await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
  await expect(page.getByLabel('Confirm with a code from your authenticator app')).toBeVisible();
  yield 'turn-off-proof';
  await site.open('/settings/security/second-factor/off');
  yield 'turn-off';
  await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
  await expect(site.toast).toContainText('Two-factor authentication turned off.');
}
