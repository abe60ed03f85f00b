import { expect, test } from '../support/test';

// The steps of Ownchat's guide: Settings, Developer, API Keys; a dashboard with these columns; create, edit, status, delete.
test('Ownchat', async ({ page, site, keyward }) => {
  await site.signInOnPage();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Developer' }).click();
  await page.getByRole('main').getByRole('link', { name: 'API Keys', exact: true }).click();
  await site.waitForPath('/keys');

  await site.openCreate();
  await site.createDialog.getByLabel('Name').fill('Chat bot');
  await site.createDialog.getByLabel('data:read').check();
  await site.submitCreate();
  const secret = await site.secret.innerText();
  await site.closeReveal();
  for (const column of ['Name', 'Access scope', 'Status', 'Created', 'Actions']) {
    await expect(page.getByRole('columnheader', { name: column })).toBeVisible();
  }
  await expect(site.row('Chat bot')).toContainText('data:read');
  await expect(site.row('Chat bot')).toContainText('Active');

  await site.chooseAction('Edit', 'Chat bot');
  const edit = page.getByRole('dialog', { name: 'Edit “Chat bot”' });
  await edit.getByLabel('Name').fill('Chat bot, reworked');
  await edit.getByLabel('data:read').uncheck();
  if (site.scripted) await expect(edit.getByRole('status')).toContainText('data:read');
  await edit.getByLabel('data:write').check();
  await edit.getByLabel('Issued to').fill('Support team');
  await edit.getByLabel('Expiration').selectOption('Never');
  await edit.getByRole('button', { name: 'Save changes' }).click();
  await expect(edit).toBeHidden();
  await expect(site.toast).toContainText('“Chat bot, reworked” saved.');
  const row = site.row('Chat bot, reworked');
  await expect(row).toContainText('data:write');
  await expect(row).not.toContainText('data:read');
  await expect(row).toContainText('for Support team');
  await expect(row.locator('.cell-expires')).toHaveText('Never');

  // The secret is the same.
  const response = await fetch(`${keyward.url}/v1/keys/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: secret }),
  });
  expect(await response.json()).toMatchObject({ valid: true, name: 'Chat bot, reworked', scopes: ['data:write'] });

  // The page of the key shows the other fields.
  await row.getByRole('link', { name: 'Chat bot, reworked' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Chat bot, reworked');
  await expect(page.getByRole('region', { name: 'About this key' }).getByText('Support team')).toBeVisible();
  await page.getByRole('link', { name: 'Delete key Chat bot, reworked' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
  await expect(site.toast).toContainText('deleted');
});

test('a conflicting edit shows an error and keeps its values', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(409);
  const { key_id } = await keyward.createKey('Gateway');
  await site.signIn(`/keys/${key_id}/edit`);
  const edit = page.getByRole('dialog', { name: 'Edit “Gateway”' });
  await edit.getByLabel('Name').fill('Mine');
  const other = await site.tab(`/keys/${key_id}/edit`);
  await other.page.getByRole('dialog').getByLabel('Name').fill('Theirs');
  await other.page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
  await expect(other.row('Theirs')).toBeVisible();
  await page.bringToFront();
  await page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('alert')).toContainText('This key was changed elsewhere');
  await expect(page.getByRole('dialog').getByLabel('Name')).toHaveValue('Mine');
});
