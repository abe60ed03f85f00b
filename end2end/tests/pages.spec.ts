import { expect, test } from '../support/test';

test('account: name, time zone, and theme', async ({ page, site, keyward }) => {
  await keyward.createKey('Gateway');
  await site.signIn('/settings/account');
  await page.getByLabel('Name', { exact: true }).fill('Maren O.');
  await page.getByLabel('Time zone').selectOption('Pacific/Auckland');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(site.toast).toContainText('Settings saved.');
  await expect(page.getByText('Current time:')).toContainText(/NZ[DS]T/);
  await expect(page.locator('.profile')).toContainText('Maren O.');

  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('button', { name: 'Save theme', exact: true }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  // The server renders the theme, so that it does not flash.
  expect(await (await page.request.get('/keys')).text()).toContain('data-theme="dark"');
  await site.open('/keys');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.locator('.profile').click();
  await page.getByRole('button', { name: 'System' }).click();
  await expect(page.locator('html')).not.toHaveAttribute('data-theme');
  await expect(page).toHaveURL(/\/keys$/);
});

test('project: id, scopes, and config', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await site.signIn();
  await page.getByRole('link', { name: 'Projects' }).click();
  await page.locator('tbody .key-name').first().click();
  await expect(page.locator('#project-id')).toHaveText(await keyward.project());
  await expect(page.getByText('1 day')).toBeVisible();
  await expect(page.getByText('data:read', { exact: true })).toBeVisible();
  const config = page.getByRole('textbox', { name: 'Config' });
  await config.fill('{\n  "labels": ["person"],\n  "version": 2 "x"\n}');
  const state = page.locator('#config-state');
  if (site.scripted) await expect(state).toContainText('Line 3, column');
  await page.getByRole('button', { name: 'Save config' }).click();
  await expect(state).toContainText('Line 3, column');
  await expect(config).toHaveValue(/"version": 2 "x"/);
  await config.fill('{"labels": ["person"], "version": 2}');
  await page.getByRole('button', { name: 'Save config' }).click();
  await expect(site.toast).toContainText('Config saved.');
  await expect(config).toHaveValue('{\n  "labels": [\n    "person"\n  ],\n  "version": 2\n}');
});

test.describe('administrators', () => {
test.use({ template: 'administrator' });

test('an administrator deactivates a key, and the owner sees the reason', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await keyward.createKey('Gateway');
  await site.signIn();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'All keys' }).click();
  await site.waitForPath('/admin/keys');
  await expect(page.getByRole('columnheader', { name: 'Owner' })).toBeVisible();
  await site.chooseAction('Deactivate', 'Gateway');
  const dialog = page.getByRole('dialog', { name: 'Deactivate “Gateway”?' });
  await dialog.getByLabel('Reason').fill('   ');
  await dialog.getByRole('button', { name: 'Deactivate key' }).click();
  await expect(page.getByRole('dialog').getByLabel('Reason')).toHaveAccessibleDescription(/Enter a reason/);
  await page.getByRole('dialog').getByLabel('Reason').fill('Found in a public repository.');
  await page.getByRole('dialog').getByRole('button', { name: 'Deactivate key' }).click();
  await expect(site.toast).toContainText('“Gateway” deactivated.');
  await expect(site.row('Gateway')).toContainText('Inactive');

  await site.open('/keys');
  await expect(site.row('Gateway')).toContainText('Found in a public repository.');
  await page.getByRole('button', { name: 'Actions for key Gateway' }).click();
  await expect(page.getByRole('button', { name: 'Activate key Gateway' })).toHaveCount(0);
  await page.keyboard.press('Escape');

  await site.open('/admin/keys');
  await page.getByRole('button', { name: 'Actions for key Gateway' }).click();
  await page.getByRole('link', { name: 'Activate key Gateway' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('It was rotated.');
  await page.getByRole('dialog').getByRole('button', { name: 'Activate key' }).click();
  await expect(site.row('Gateway')).toContainText('Active');
});

test('scope catalog', async ({ page, site }) => {
  await site.signIn();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Scopes' }).click();
  await page.getByRole('link', { name: 'Add scope' }).click();
  const add = page.getByRole('dialog', { name: 'Add scope' });
  await add.getByLabel('Name').fill('pops:write');
  await add.getByLabel('Description').fill('Change pops');
  await add.getByRole('button', { name: 'Add scope' }).click();
  await expect(site.toast).toContainText('Scope added.');
  const row = page.getByRole('row').filter({ hasText: 'pops:write' });
  await expect(row).toContainText('Change pops');
  await page.getByRole('button', { name: 'Actions for scope pops:write' }).click();
  await page.getByRole('link', { name: 'Delete scope pops:write' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete scope' }).click();
  await expect(site.toast).toContainText('Scope deleted.');
  await expect(row).toHaveCount(0);
});
});

test('without a session, administrator pages respond with 404', async ({ page, monitor }) => {
  monitor.expectStatus(404);
  for (const path of ['/admin/keys', '/admin/scopes']) {
    const response = await page.goto(path);
    expect(response?.status()).toBe(404);
    await expect(page.getByText('Page not found')).toBeVisible();
  }
});
