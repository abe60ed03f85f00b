import { expect, test } from '../support/test';

test('filters and sort order are part of the URL', async ({ page, site, keyward }) => {
  await keyward.createKey('Beta', '--environment', 'test');
  await keyward.createKey('Alpha');
  const old = await keyward.createKey('Old');
  await keyward.deactivate(old.key_id);
  await site.signIn();
  await expect(page.locator('caption')).toHaveText('3 keys');
  await expect(site.names()).toHaveText(['Alpha', 'Beta', 'Old']);
  await site.filter('Sort', 'Name');
  await expect(site.names()).toHaveText(['Alpha', 'Beta', 'Old']);
  await site.filter('Sort', 'Newest first');
  await expect(site.names()).toHaveText(['Old', 'Alpha', 'Beta']);
  await expect(page).toHaveURL(/sort=newest/);
  await site.filter('Environment', 'Test');
  await expect(site.names()).toHaveText(['Beta']);
  await expect(page.locator('caption')).toHaveText('1 key matches');
  await site.filter('Status', 'Inactive');
  await expect(page.getByText('No matching keys')).toBeVisible();
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await site.waitForPath('/keys');
  await expect(site.names()).toHaveCount(3);
  await page.goBack();
  await expect(page.getByText('No matching keys')).toBeVisible();
});

test('query parameters prefill the form', async ({ page, site }) => {
  await site.signIn('/keys/new?name=Nightly%20job&expires=30d&scope=data:read&environment=test&issued_to=Ada');
  const form = site.createDialog;
  await expect(form.getByLabel('Name')).toHaveValue('Nightly job');
  await expect(form.getByLabel('Expiration')).toHaveValue('30d');
  await expect(form.getByLabel('data:read')).toBeChecked();
  await expect(form.getByLabel('data:write')).not.toBeChecked();
  await expect(form.getByLabel('Test')).toBeChecked();
  await expect(form.getByLabel('Issued to')).toHaveValue('Ada');
  await site.open('/keys/new?name=%3Cb%3E&expires=soon&scope=nonsense&environment=moon');
  await expect(form.getByLabel('Name')).toHaveValue('<b>');
  await expect(form.getByLabel('Expiration')).toHaveValue('90d');
  await expect(form.getByLabel('Live')).toBeChecked();
  await expect(page.getByRole('checkbox', { checked: true })).toHaveCount(0);
});

test.describe('live updates', { tag: '@scripts' }, () => {
  test('another tab updates, and a changed row keeps its element', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn();
    const other = await site.tab('/keys');
    await other.row('Gateway').evaluate(row => { (row as HTMLElement & { mine?: boolean }).mine = true; });
    await page.bringToFront();
    await site.confirm('Deactivate', 'Gateway');
    await expect(other.row('Gateway')).toContainText('Inactive');
    expect(await other.row('Gateway').evaluate(row => (row as HTMLElement & { mine?: boolean }).mine)).toBe(true);
    await site.create('Second');
    await expect(other.row('Second')).toBeVisible();
    await site.closeReveal();
  });

  test('on a slow network, the button shows progress and the form is sent once', async ({ page, site, keyward }) => {
    await site.signIn();
    await site.openCreate();
    let sent = 0;
    let release = () => {};
    const released = new Promise<void>(resolve => (release = () => resolve()));
    await page.route('**/keys/new', async route => {
      if (route.request().method() === 'POST') {
        sent += 1;
        await released;
      }
      await route.continue();
    });
    await site.createDialog.getByLabel('Name').fill('Gateway');
    await site.submitCreate();
    await expect(site.createDialog.getByText('Creating…')).toBeVisible();
    await page.keyboard.press('Enter');
    await site.createDialog.getByRole('button', { name: /Creat/ }).click({ force: true });
    release();
    await expect(site.secret).toBeVisible();
    await site.closeReveal();
    expect(sent).toBe(1);
    expect(await keyward.keys()).toHaveLength(1);
  });

  test('an indicator shows the first request, and .env is downloaded', async ({ page, site, keyward }) => {
    await site.signIn();
    const secret = await site.create('Gateway');
    const light = site.reveal.locator('.light');
    await expect(light).toHaveText('Waiting for the first request');
    await site.reveal.getByLabel('.env').check();
    const saving = page.waitForEvent('download');
    await site.reveal.getByRole('button', { name: 'Download .env' }).click();
    const file = await (await saving).createReadStream();
    let text = '';
    for await (const part of file) text += part;
    expect(text).toBe(`KEYWARD_SECRET_KEY=${secret}\nKEYWARD_PROJECT_ID=${await keyward.project()}\n`);
    await fetch(`${keyward.url}/authentication/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret_key: secret }),
    });
    await expect(light).toHaveText('First request received', { timeout: 10_000 });
    await expect(light).toHaveAttribute('data-on');
    await site.reveal.getByRole('link', { name: 'Done' }).click();
    await expect(site.reveal).toBeHidden();
  });

  test('keyboard shortcuts', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn();
    await page.keyboard.press('/');
    await expect(page.getByRole('search').getByLabel('Status')).toBeFocused();
    await page.getByRole('heading', { level: 1 }).click();
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeHidden();
    await page.keyboard.press('c');
    await expect(site.createDialog.getByLabel('Name')).toBeFocused();
  });
});
