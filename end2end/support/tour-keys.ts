import { expect } from '@playwright/test';
import type { Keyward } from './keyward';
import type { Site } from './site';

/** Creates keys of each kind, and returns the id of the key with restrictions. */
async function fill(keyward: Keyward): Promise<string> {
  await keyward.createKey('Starter Integration', '--scope', 'data:read', '--expires', 'never', '--rate', '100/minute');
  await keyward.createKey('Nightly export', '--scope', 'data:read', '--scope', 'data:write', '--scope', 'usage:read', '--expires', '5d');
  await keyward.createKey('A key with a rather long name that has to go somewhere, on a narrow screen too', '--environment', 'test');
  const networks = ['10.0.0.0/8', '2001:db8:40::/48', '192.0.2.7'].flatMap(it => ['--network', it]);
  const ruled = await keyward.createKey('Buoy collector', '--expires', 'never', ...networks, '--description', 'Collects what the buoys measure.\nAsk the harbour office before you stop it.', '--not-before', '2099-12-01T09:00Z', '--rate', '100/minute,burst=20');
  const paused = await keyward.createKey('Old gateway', '--expires', '365d');
  await keyward.deactivate(paused.key_id);
  return ruled.key_id;
}

/** The form for a new key, and the dialog with the secret. */
export async function* tourCreate(site: Site): AsyncGenerator<string> {
  await site.signIn();
  await site.openCreate();
  yield 'create';
  await site.createDialog.getByLabel('Name').fill('  ');
  await site.createDialog.getByLabel('Expiration').selectOption('On a date');
  await site.createDialog.getByLabel('Expires on').fill('2020-02-29');
  await site.createDialog.getByText('More', { exact: true }).click();
  await site.createDialog.getByLabel('Allowed networks').fill('10.0.0.5/8');
  await site.createDialog.getByLabel('Not before').fill('2020-02-29T09:00');
  await site.createDialog.getByLabel('Burst').fill('20');
  await site.submitCreate();
  await expect(site.createDialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
  yield 'create-errors';
  await site.createDialog.getByLabel('Burst').scrollIntoViewIfNeeded();
  yield 'create-errors-more';
  await site.createDialog.getByLabel('Allowed networks').fill('');
  await site.createDialog.getByLabel('Not before').fill('');
  await site.createDialog.getByLabel('Requests').fill('100');
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
  await site.reveal.getByRole('button', { name: 'Close without copying' }).click();
  await expect(site.reveal).toBeHidden();
}

/** The list, its menu, and its dialogs. */
export async function* tourList(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  await fill(keyward);
  await site.signIn();
  yield 'list';
  await page.getByRole('button', { name: 'Actions for key Nightly export' }).click();
  await expect(page.getByRole('link', { name: 'Edit key Nightly export' })).toBeVisible();
  yield 'list-menu';
  await page.keyboard.press('Escape');
  const menu = page.getByRole('button', { name: 'Menu' });
  if (await menu.isVisible()) {
    await menu.click();
    await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).first()).toBeVisible();
    yield 'navigation';
    await page.keyboard.press('Escape');
  }

  await site.chooseAction('Deactivate', 'Nightly export');
  await expect(page.getByRole('dialog')).toBeVisible();
  yield 'deactivate';
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await site.chooseAction('Delete', 'Nightly export');
  await expect(page.getByRole('dialog')).toBeVisible();
  yield 'delete';
  await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
  await expect(site.toast).toContainText('deleted');
  yield 'list-toast';
  await site.showStatus('Deleted');
  await expect(site.row('Nightly export')).toBeVisible();
  yield 'deleted';

  await site.open('/keys?status=expired&environment=test');
  await expect(page.getByText('No matching keys')).toBeVisible();
  yield 'nothing-matches';
}

/** The form and the page of a key. */
export async function* tourKey(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  const ruled = await fill(keyward);
  await site.signIn();
  await site.chooseAction('Edit', 'Starter Integration');
  await page.getByRole('dialog').getByLabel('data:read').uncheck();
  yield 'edit';
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Discard changes' })).toBeVisible();
  yield 'discard';
  await page.getByRole('button', { name: 'Discard changes' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('?');
  const shortcuts = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(shortcuts).toBeVisible();
  yield 'shortcuts';
  await page.keyboard.press('Escape');
  await expect(shortcuts).toBeHidden();
  await page.getByRole('link', { name: 'Starter Integration' }).click();
  await expect(page.getByText('About this key')).toBeVisible();
  yield 'key';
  await site.open(`/keys/${ruled}`);
  await page.getByText('and 2 more').click();
  yield 'key-rules';
  await page.getByRole('link', { name: 'Edit key Buoy collector' }).click();
  await page.getByRole('dialog').getByLabel('Allowed networks').fill('192.0.2.7');
  await page.getByRole('dialog').getByLabel('Requests').fill('50');
  await page.getByRole('dialog').getByLabel('Burst').scrollIntoViewIfNeeded();
  yield 'edit-rules';
  await page.getByRole('dialog').getByRole('link', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
}
