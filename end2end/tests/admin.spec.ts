import { openSession, JONAS } from '../support/demo';
import { expect, test } from '../support/test';

// Maren is an administrator; Jonas owns a project.
test.use({ template: 'demo' });

const NAME = 'Starter Integration';

test('an administrator deactivates and deletes a key; the owner sees the reason and cannot undo it', async ({ page, site, browser }) => {
  await site.signIn();
  const owner = await openSession(site, browser, JONAS);
  await expect(owner.row(NAME)).toContainText('Active');

  await site.open('/admin/keys');
  await expect(site.row(NAME).locator('.cell-owner')).not.toBeEmpty();
  await expect(site.row(NAME).locator('.cell-project')).toHaveText('Harbour pilot');
  await site.chooseAction('Deactivate', NAME);
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Reason')).toBeFocused();
  await dialog.getByLabel('Reason').fill('Found in a <public> repository.');
  await dialog.getByRole('button', { name: 'Deactivate key' }).click();
  await expect(site.row(NAME)).toContainText('Inactive');

  await owner.reload();
  await expect(owner.row(NAME)).toContainText('Maren Okafor: Found in a <public> repository.');
  await owner.page.getByRole('button', { name: `Actions for key ${NAME}` }).click();
  await expect(owner.page.getByRole('link', { name: `Delete key ${NAME}` })).toBeVisible();
  await expect(owner.page.getByRole('button', { name: `Activate key ${NAME}` })).toHaveCount(0);
  await owner.page.keyboard.press('Escape');
  await owner.row(NAME).getByRole('link', { name: NAME }).click();
  await expect(owner.page.getByText('Maren Okafor, administrator: Found in a <public> repository.')).toBeVisible();
  await expect(owner.page.getByRole('link', { name: `Activate key ${NAME}` })).toHaveCount(0);
  // The URL of the dialog is denied too.
  const id = owner.page.url().split('/').at(-1);
  await owner.open(`/keys/${id}/activate`);
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Activate key' }).click();
  await expect(owner.page.getByRole('alert')).toContainText(/administrator/);

  await page.getByRole('button', { name: `Actions for key ${NAME}` }).click();
  // By keyboard: at the lower edge, the menu flips while the mouse moves.
  await page.getByRole('link', { name: `Activate key ${NAME}` }).press('Enter');
  await dialog.getByLabel('Reason').fill('It was an example.');
  await dialog.getByRole('button', { name: 'Activate key' }).click();
  await expect(site.row(NAME)).toContainText('Active');
  await owner.open('/keys');
  await expect(owner.row(NAME)).toContainText('Active');

  await site.chooseAction('Delete', NAME);
  await dialog.getByLabel('Reason').fill('It was none after all.');
  await dialog.getByRole('button', { name: 'Delete key' }).click();
  await expect(site.row(NAME)).toHaveCount(0);
  await owner.open('/keys?status=deleted');
  await expect(owner.row(NAME)).toContainText('It was none after all.');
  await expect(owner.page.getByRole('button', { name: `Restore key ${NAME}` })).toHaveCount(0);
  await owner.page.context().close();
});

test('for other users, administrator pages respond with 404', async ({ page, site, browser }) => {
  await site.signIn('/admin/keys');
  const row = await site.row(NAME).getAttribute('id');
  const key = row?.replace('key-', '');
  const other = await openSession(site, browser, JONAS);
  await expect(other.page.getByRole('link', { name: 'All keys' })).toHaveCount(0);
  await expect(other.page.getByRole('link', { name: 'Scopes' })).toHaveCount(0);
  const bodyOf = async (path: string) => {
    const response = await other.page.goto(path);
    expect(response?.status(), path).toBe(404);
    return other.page.locator('main').innerText();
  };
  const missing = await bodyOf('/nowhere');
  for (const path of ['/admin/keys', `/admin/keys/${key}/delete`, `/admin/keys/${key}/deactivate`, '/admin/scopes', '/admin/scopes/new']) {
    expect(await bodyOf(path), path).toBe(missing);
  }
  for (const path of [`/admin/keys/${key}/delete`, '/admin/scopes/new']) {
    const form = { id: key ?? '', reason: 'Because.', name: 'a:b', description: 'Nothing', granted_by: 'operator' };
    const response = await other.page.request.post(path, { form, headers: { origin: site.keyward.url } });
    expect(response.status(), `POST ${path}`).toBe(404);
  }
  await other.page.context().close();
  await page.reload();
  await expect(site.row(NAME)).toContainText('Active');
});

test('a scope is added, changed, and cannot be deleted while a key has it', async ({ page, site, monitor }) => {
  monitor.expectStatus(409, 422);
  await site.signIn('/admin/scopes');
  await page.getByRole('link', { name: 'Add scope' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('not a name');
  await dialog.getByLabel('Description').fill('Reads the reefs');
  await dialog.getByRole('button', { name: 'Add scope' }).click();
  await expect(dialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
  await expect(dialog.getByLabel('Description')).toHaveValue('Reads the reefs');
  await dialog.getByLabel('Name').fill('reefs/read:*');
  await dialog.getByRole('button', { name: 'Add scope' }).click();
  await expect(site.toast).toContainText('Scope added.');

  const row = page.getByRole('row').filter({ hasText: 'reefs/read:*' });
  await page.getByRole('button', { name: 'Actions for scope reefs/read:*' }).click();
  await page.getByRole('link', { name: 'Edit scope reefs/read:*' }).click();
  await dialog.getByLabel('Description').fill('Reads reefs and <wrecks>');
  await dialog.getByLabel('Granted by').selectOption('Owners only');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(row).toContainText('Reads reefs and <wrecks>');
  await expect(row).toContainText('Owners only');

  await page.getByRole('button', { name: 'Actions for scope tides:read' }).click();
  await page.getByRole('link', { name: 'Delete scope tides:read' }).click();
  await expect(dialog).toContainText(/keys? (has|have) this scope/);
  await dialog.getByRole('button', { name: 'Delete scope' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await dialog.getByRole('link', { name: 'Cancel' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'tides:read' })).toBeVisible();
});
