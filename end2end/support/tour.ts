import { expect } from '@playwright/test';
import type { Site } from './site';
import { auditTour } from './tour-audit';
import { tourSecurity } from './tour-security';
import { tourEntry } from './tour-entry';
import { tourAdmin } from './tour-admin';
import { projects } from './tour-projects';

/** Goes through every page and dialog of a server that nobody has set up, and stops at each. Its name says what is to be seen. */
export async function* tour(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  const { name, email, password } = keyward.person;

  await site.open(keyward.setupLink);
  yield 'setup';
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill('password1234');
  await page.getByLabel('First project').fill('Pelagic');
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  yield 'setup-errors';
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await site.at('/keys');
  await expect(page.getByText('No API keys yet')).toBeVisible();
  yield 'empty';

  await site.openCreate();
  yield 'create';
  await site.createDialog.getByLabel('Name').fill('  ');
  await site.createDialog.getByLabel('Expiration').selectOption('On a date…');
  await site.createDialog.getByLabel('Expires on').fill('2020-02-29');
  await site.createDialog.getByText('More', { exact: true }).click();
  await site.submitCreate();
  await expect(site.createDialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
  yield 'create-errors';
  await site.createDialog.getByLabel('Name').fill('Starter Integration');
  await site.createDialog.getByLabel('Expiration').selectOption('Never');
  yield 'create-never';
  await site.createDialog.getByLabel('data:read').check();
  await site.submitCreate();
  await expect(site.secret).toBeVisible();
  yield 'reveal';
  await site.reveal.getByLabel('curl').check();
  yield 'reveal-curl';
  await site.reveal.getByLabel('.env').check();
  yield 'reveal-env';
  await site.reveal.getByRole('link', { name: 'Done' }).click();
  await expect(site.reveal.getByText('You have not copied this key')).toBeVisible();
  yield 'reveal-guard';
  await site.reveal.getByRole('button', { name: 'Leave without it' }).click();
  await expect(site.reveal).toBeHidden();

  await keyward.createKey('Nightly export', '--scope', 'data:read', '--scope', 'data:write', '--scope', 'usage:read', '--expires', '5d');
  await keyward.createKey('A key with a rather long name that has to go somewhere, on a narrow screen too', '--environment', 'test');
  const paused = await keyward.createKey('Old gateway', '--expires', '365d');
  await keyward.run(['keys', 'deactivate', paused.key_id]);
  await site.open('/keys');
  yield 'list';
  await page.getByRole('button', { name: 'Actions for key Nightly export' }).click();
  yield 'list-menu';
  await page.keyboard.press('Escape');
  const menu = page.getByRole('button', { name: 'Menu' });
  if (await menu.isVisible()) {
    await menu.click();
    yield 'navigation';
    await page.keyboard.press('Escape');
  }

  await site.choose('Deactivate', 'Nightly export');
  await expect(page.getByRole('dialog')).toBeVisible();
  yield 'deactivate';
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await site.choose('Delete', 'Nightly export');
  await expect(page.getByRole('dialog')).toBeVisible();
  yield 'delete';
  await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
  await expect(site.toast).toContainText('deleted');
  yield 'list-toast';
  await site.show('Deleted');
  await expect(site.row('Nightly export')).toBeVisible();
  yield 'deleted';

  await site.open('/keys?status=scheduled');
  await expect(page.getByText('Nothing matches')).toBeVisible();
  yield 'nothing-matches';
  await site.open('/keys');
  await site.choose('Edit', 'Starter Integration');
  await page.getByRole('dialog').getByLabel('data:read').uncheck();
  yield 'edit';
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('?');
  yield 'shortcuts';
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Starter Integration' }).click();
  await expect(page.getByText('About this key')).toBeVisible();
  yield 'key';
  await site.open('/projects');
  yield 'projects';
  await page.locator('tbody .key-name').first().click();
  await page.getByRole('textbox', { name: 'Config' }).fill('{"a": 1,}');
  await expect(page.locator('#config-state')).toContainText('Line 1');
  yield 'project';
  yield* projects(site);
  await site.open('/settings/account');
  yield 'account';
  await site.open('/settings/developer/api-keys');
  yield 'developer';
  yield* tourSecurity(site);
  await site.open('/admin/keys');
  yield 'all-keys';
  await site.choose('Deactivate', 'Starter Integration');
  await expect(page.getByRole('dialog').getByLabel('Reason')).toBeFocused();
  yield 'all-keys-deactivate';
  await site.open('/admin/scopes');
  yield 'scopes';
  await page.getByRole('link', { name: 'Add scope' }).click();
  await expect(page.getByRole('dialog').getByLabel('Name')).toBeFocused();
  yield 'scopes-add';

  yield* auditTour(site);
  yield* tourAdmin(site);

  await site.open('/nowhere');
  yield 'missing';
  await site.open('/logout');
  yield 'logout';
  await page.getByRole('button', { name: 'Sign out' }).click();
  await site.at('/login');
  yield 'login';
  await site.fillSignIn('not my password');
  await expect(page.getByRole('alert')).toBeVisible();
  yield 'login-error';
  yield* tourEntry(site);
}

/** The widths at which pages are looked at: a small telephone, and a common window. */
export const WIDTHS = [360, 1280];
