import { openSession, JONAS, TOMAS } from '../support/demo';
import { expect, test } from '../support/test';

// Maren is an administrator; the keys are in projects of several users.
test.use({ template: 'demo' });

test('bulk actions count the keys, name them in the dialog, and share one reason', async ({ page, site, browser, monitor }) => {
  monitor.expectStatus(422);
  await site.signIn('/admin/keys?status=active');
  const names = await site.names().allInnerTexts();
  const [one, two] = names;
  const bar = page.locator('.bulk');
  await expect(bar).toBeHidden();
  await page.getByLabel(`Select key ${one}`, { exact: true }).check();
  await expect(bar).toBeVisible();
  await page.getByLabel(`Select key ${two}`, { exact: true }).check();
  await expect(page.locator('.pager')).toBeHidden();
  await bar.getByRole('button', { name: 'Deactivate…' }).click();

  const dialog = page.getByRole('dialog');
  await expect(page.getByRole('dialog', { name: 'Deactivate 2 keys?' })).toBeVisible();
  await expect(page).toHaveURL(/\/admin\/keys\/chosen\?.*status=active/);
  await expect(dialog).toContainText(one);
  await expect(dialog).toContainText(two);
  await expect(dialog.getByLabel('Reason')).toBeFocused();
  await dialog.getByLabel('Reason').fill('   ');
  await dialog.getByRole('button', { name: 'Deactivate keys' }).click();
  await expect(dialog.getByLabel('Reason')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByRole('dialog', { name: 'Deactivate 2 keys?' })).toBeVisible();
  await dialog.getByLabel('Reason').fill('Found in a public repository.');
  await dialog.getByRole('button', { name: 'Deactivate keys' }).click();
  await expect(page.getByRole('dialog', { name: '2 keys deactivated' })).toBeVisible();
  await dialog.getByRole('link', { name: 'Back to the list' }).click();
  await site.waitForPath('/admin/keys?status=active');
  await expect(site.names().filter({ hasText: one })).toHaveCount(0);

  await site.open('/admin/keys?status=inactive');
  const stopped = page.getByRole('row').filter({ hasText: 'Maren Okafor: Found in a public repository.' });
  await expect(stopped).toHaveCount(2);
  // Deactivated keys can be deleted together.
  for (const name of [one, two]) await page.getByLabel(`Select key ${name}`, { exact: true }).check();
  await bar.getByRole('button', { name: 'Delete…' }).click();
  await dialog.getByLabel('Reason').fill('Not needed.');
  await dialog.getByRole('button', { name: 'Delete keys' }).click();
  await expect(page.getByRole('dialog', { name: '2 keys deleted' })).toBeVisible();
  await site.open('/admin/keys?status=deleted');
  await expect(page.getByRole('row').filter({ hasText: 'Maren Okafor: Not needed.' })).toHaveCount(2);
  await expect(page.getByRole('checkbox')).toHaveCount(0);

  // Other users have no checkboxes and no dialog.
  const other = await openSession(site, browser, JONAS);
  await expect(other.page.getByRole('checkbox')).toHaveCount(0);
  await other.page.context().close();
});

test('a bulk action lists the keys that it could not change, with the reason', async ({ page, site, keyward }) => {
  await site.signIn('/admin/keys?status=active');
  const [one, two] = await site.names().allInnerTexts();
  for (const name of [one, two]) await page.getByLabel(`Select key ${name}`, { exact: true }).check();
  await page.locator('.bulk').getByRole('button', { name: 'Deactivate…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('Leaked.');
  // Another tab deletes one of the keys.
  const tab = await site.tab('/admin/keys');
  await tab.chooseAction('Delete', one);
  await tab.page.getByRole('dialog').getByLabel('Reason').fill('Faster.');
  await tab.page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
  await expect(tab.page.getByRole('dialog')).toBeHidden();
  await tab.page.close();
  await dialog.getByRole('button', { name: 'Deactivate keys' }).click();
  await expect(page.getByRole('dialog', { name: '1 key deactivated' })).toBeVisible();
  await expect(dialog).toContainText('1 key could not be deactivated:');
  await expect(dialog).toContainText(`${one}: This key is deleted. Restore it first.`);
  const listed = await keyward.keys();
  expect(listed.find(key => key.name === two)?.status).toBe('inactive');
});

test('views and the owner filter are part of the URL', async ({ page, site, keyward }) => {
  await keyward.run(['keys', 'create', '--project', 'Harbour pilot', '--name', 'For ever', '--expires', 'never', '--json']);
  await site.signIn('/admin/keys');
  const all = await site.names().count();
  const views = page.getByRole('navigation', { name: 'Views' });
  await expect(views.getByRole('link', { name: 'All' })).toHaveAttribute('aria-current', 'page');
  await views.getByRole('link', { name: 'Never expires' }).click();
  await site.waitForPath('/admin/keys?view=endless');
  await expect(site.row('For ever')).toBeVisible();
  await expect(views.getByRole('link', { name: 'Never expires' })).toHaveAttribute('aria-current', 'page');
  for (const cell of await page.locator('tbody .cell-expires').allInnerTexts()) expect(cell).toContain('Never');

  const bar = page.getByRole('search');
  await bar.getByLabel('Owner').selectOption({ label: JONAS.name });
  if (!site.scripted) await bar.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/owner=/);
  await expect(page).toHaveURL(/view=endless/);
  await expect(site.row('For ever')).toBeVisible();
  await bar.getByLabel('Owner').selectOption({ label: TOMAS.name });
  if (!site.scripted) await bar.getByRole('button', { name: 'Apply' }).click();
  await expect(site.row('For ever')).toHaveCount(0);
  await site.open('/admin/keys?view=left');
  await expect(page.locator('tbody tr, .empty').first()).toBeVisible();
  await views.getByRole('link', { name: 'All' }).click();
  await site.waitForPath('/admin/keys');
  await expect(site.names()).toHaveCount(all);

  // A disabled user counts as a creator who has left.
  await keyward.run(['admin', 'disable-user', '--email', TOMAS.email]);
  await views.getByRole('link', { name: 'Creator has left' }).click();
  await expect(page.locator('tbody .cell-created').first()).toContainText('Tomás');
});
