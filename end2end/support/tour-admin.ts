import { expect } from '@playwright/test';
import type { Site } from './site';

/** Administrator pages: bulk actions, users, and the policy. Creates another user with a key. */
export async function* tourAdmin(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  const dialog = page.getByRole('dialog');
  await keyward.createKey('Starter Integration', '--scope', 'data:read', '--expires', 'never');
  await site.signIn('/admin/keys');
  yield 'all-keys';
  await site.chooseAction('Deactivate', 'Starter Integration');
  await expect(dialog.getByLabel('Reason')).toBeFocused();
  yield 'all-keys-deactivate';
  await site.open('/admin/scopes');
  yield 'scopes';
  await page.getByRole('link', { name: 'Add scope' }).click();
  await expect(dialog.getByLabel('Name')).toBeFocused();
  yield 'scopes-add';

  await site.open('/admin/keys');
  await page.getByLabel('Select key Starter Integration').check();
  yield 'all-keys-chosen';
  await page.getByRole('button', { name: 'Deactivate…' }).click();
  await expect(dialog.getByLabel('Reason')).toBeFocused();
  yield 'all-keys-chosen-deactivate';
  await site.open('/admin/keys?view=endless');
  await expect(site.row('Starter Integration')).toBeVisible();
  yield 'all-keys-endless';

  await keyward.run(['admin', 'create-user', '--name', 'Tove Ærø-Lindqvist', '--email', 'tove@drift.example', '--password-stdin'], keyward.user.password);
  await site.open('/admin/users');
  yield 'users';
  await page.getByRole('link', { name: 'Tove Ærø-Lindqvist' }).click();
  await expect(page.getByRole('heading', { name: 'Details' })).toBeVisible();
  yield 'user';
  for (const [link, stop] of [['Disable user: ', 'disable'], ['Add administrator role: ', 'make-administrator'], ['Transfer ', 'transfer'], ['Delete user: ', 'delete']]) {
    await page.getByRole('main').getByRole('link', { name: link }).click();
    await expect(dialog).toBeVisible();
    yield `user-${stop}`;
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
  }

  await site.open('/admin/policy');
  yield 'policy';
  await page.getByLabel('Maximum key lifetime (days)').fill('a year');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByLabel('Maximum key lifetime (days)')).toHaveAttribute('aria-invalid', 'true');
  yield 'policy-errors';
  await page.getByLabel('Maximum key lifetime (days)').fill('30');
  await page.getByLabel('Sign-up').selectOption('By invitation only');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.locator('#touches')).toContainText('never expire');
  yield 'policy-touches';
  await page.getByRole('button', { name: 'Save policy anyway' }).click();
  await expect(site.toast).toContainText('Policy saved.');

  await site.open('/admin/users/invite');
  await expect(dialog.getByLabel('Email')).toBeFocused();
  yield 'invite';
  await dialog.getByLabel('Email').fill('new@drift.example');
  await dialog.getByRole('button', { name: 'Invite user' }).click();
  await expect(page.locator('#invitation')).toBeVisible();
  yield 'invite-link';
}
