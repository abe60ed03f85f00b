import { expect, test } from '../support/test';

test('an action on a key that another tab deleted shows an error', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(409);
  await keyward.createKey('Gateway');
  await site.signIn();
  const other = await site.tab('/keys');
  await site.chooseAction('Deactivate', 'Gateway');
  const dialog = page.getByRole('dialog', { name: 'Deactivate “Gateway”?' });
  await expect(dialog).toBeVisible();
  await other.confirm('Delete', 'Gateway');

  await page.bringToFront();
  await dialog.getByRole('button', { name: 'Deactivate key' }).click();
  await expect(page.getByRole('alert')).toContainText('This key is deleted. Restore it first.');
  await page.getByRole('dialog').getByRole('link', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(site.row('Gateway')).toBeHidden();
});

test('after sign-out in another tab, the next action leads to sign-in', async ({ page, site }) => {
  await site.signIn();
  await site.openCreate();
  await site.createDialog.getByLabel('Name').fill('Gateway');
  const other = await site.tab('/keys');
  await other.signOut();
  await page.bringToFront();
  await site.submitCreate();
  await expect(page).toHaveURL(/\/login/);
});

test('a form keeps its values while the server is unreachable', { tag: '@scripts' }, async ({ page, site, keyward, monitor }) => {
  await site.signIn();
  await site.openCreate();
  const form = site.createDialog;
  await form.getByLabel('Name').fill('Gateway');
  await form.getByLabel('Expiration').selectOption('180 days');
  await form.getByLabel('data:write').check();

  monitor.expectReachableeachable();
  await keyward.stop('SIGKILL');
  await site.submitCreate();
  await expect(form.getByRole('alert')).toContainText('Keyward did not respond. Check your connection and try again');
  await expect(form.getByLabel('Name')).toHaveValue('Gateway');
  await expect(form.getByLabel('Expiration')).toHaveValue('180d');
  await expect(form.getByLabel('data:write')).toBeChecked();

  await keyward.start();
  monitor.reachable();
  await site.submitCreate();
  await expect(site.secret).toBeVisible();
  await site.closeReveal();
  await expect(site.row('Gateway')).toContainText('data:write');
  expect(page.url()).toMatch(/\/keys$/);
});
