import type { Locator } from '@playwright/test';
import type { Site } from '../support/site';
import { expect, test } from '../support/test';

const openEdit = async (site: Site, name: string): Promise<Locator> => {
  await site.chooseAction('Edit', name);
  const dialog = site.page.getByRole('dialog', { name: `Edit “${name}”` });
  await expect(dialog.getByLabel('Name')).toBeFocused();
  return dialog;
};
const save = (dialog: Locator) => dialog.getByRole('button', { name: 'Save changes' }).click();

test('an edit keeps unchanged fields: the exact expiry and the scopes', async ({ site, keyward }) => {
  await keyward.createKey('Gateway', '--expires', '30d', '--scope', 'data:read', '--issued-to', 'Ada');
  await site.signIn();
  const expiry = site.row('Gateway').locator('.cell-expires time');
  const before = await expiry.getAttribute('datetime');
  const dialog = await openEdit(site, 'Gateway');
  await expect(dialog.getByLabel('Expiration')).toHaveValue('keep');
  await dialog.getByLabel('Issued to').fill('');
  await save(dialog);
  await expect(site.toast).toContainText('“Gateway” saved.');
  await expect(expiry).toHaveAttribute('datetime', before ?? '');
  await expect(site.row('Gateway')).toContainText('data:read');
  await expect(site.row('Gateway')).not.toContainText('for Ada');
});

test('all errors appear at once, and the form keeps its values', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await keyward.createKey('Gateway');
  await site.signIn();
  const dialog = await openEdit(site, 'Gateway');
  await dialog.getByLabel('Name').fill('   ');
  await dialog.getByLabel('Expiration').selectOption('On a date');
  await dialog.getByLabel('Expires on').fill('2020-02-29');
  await dialog.getByLabel('data:write').check();
  await save(dialog);
  const again = page.getByRole('dialog');
  await expect(again.getByLabel('Name')).toHaveAccessibleDescription(/Enter a name for the key/);
  await expect(again.getByLabel('Name')).toBeFocused();
  await expect(again.getByLabel('Expires on')).toHaveAccessibleDescription(/has passed/);
  await expect(again.getByLabel('data:write')).toBeChecked();
  await again.getByLabel('Name').fill('Gate');
  await again.getByLabel('Expiration').selectOption('Never');
  await save(again);
  await expect(site.row('Gate')).toContainText('data:write');
  await expect(site.row('Gate').locator('.cell-expires')).toHaveText('Never');
});

test('after a conflict, saving again succeeds', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(409);
  const { key_id } = await keyward.createKey('Gateway');
  await site.signIn(`/keys/${key_id}/edit`);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Mine');
  await dialog.getByLabel('usage:read').check();
  const other = await site.tab(`/keys/${key_id}/edit`);
  await other.page.getByRole('dialog').getByLabel('Name').fill('Theirs');
  await save(other.page.getByRole('dialog'));
  await expect(other.row('Theirs')).toBeVisible();
  await page.bringToFront();
  await save(dialog);
  await expect(page.getByRole('alert')).toContainText('This key was changed elsewhere');
  await expect(dialog.getByLabel('Name')).toHaveValue('Mine');
  await expect(dialog.getByLabel('usage:read')).toBeChecked();
  await save(dialog);
  await expect(site.row('Mine')).toContainText('usage:read');
});

test.describe('with demo data', () => {
  test.use({ template: 'demo' });

  test('an expired key works again after a later expiry is set', async ({ page, site }) => {
    await site.signIn('/keys?status=expired');
    const row = page.getByRole('row').filter({ has: page.getByRole('button', { name: /^Actions for key/ }) }).first();
    const name = await row.locator('.key-name').innerText();
    await expect(row).toContainText('Expired');
    const dialog = await openEdit(site, name);
    await dialog.getByLabel('Expiration').selectOption('30 days');
    await save(dialog);
    await expect(site.toast).toContainText(`“${name}” saved.`);
    await expect(site.row(name)).toHaveCount(0);
    await site.open('/keys?status=active&sort=name');
    await expect(site.row(name)).toContainText('in 30 days');
  });
});

test('effects on running integrations are shown before saving', { tag: '@scripts' }, async ({ site, keyward }) => {
  await keyward.createKey('Gateway', '--scope', 'data:read', '--scope', 'data:write');
  await site.signIn();
  const dialog = await openEdit(site, 'Gateway');
  const effects = dialog.getByRole('status').filter({ hasText: /affects|will fail|new expiry|never used/ });
  await dialog.getByLabel('Name').fill('A name is noticed by nobody');
  await expect(effects).toHaveCount(0);
  await dialog.getByLabel('data:write').uncheck();
  await expect(effects).toContainText('Requests that need data:write will fail immediately.');
  await dialog.getByLabel('data:write').check();
  await expect(effects).toHaveCount(0);
  await dialog.getByLabel('Expiration').selectOption('7 days');
  await expect(effects).toContainText('The new expiry also applies to access tokens issued from the key.');
});
