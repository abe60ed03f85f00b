import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '../support/test';

test('the curl command works when pasted into a terminal', async ({ site }) => {
  await site.signIn();
  await site.create('Gateway');
  await site.reveal.getByLabel('curl').check();
  const command = await site.reveal.locator('[data-panel=curl] code').innerText();
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command], { env: { PATH: process.env.PATH } });
  expect(JSON.parse(stdout)).toMatchObject({ token_type: 'Bearer', access_token: expect.stringMatching(/^eyJ/) });
});

test('a key is created with the keyboard only', { tag: '@scripts' }, async ({ page, site, context, keyward }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await site.signIn();
  await page.keyboard.press('c');
  await expect(site.createDialog.getByLabel('Name')).toBeFocused();
  await page.keyboard.type('c / ? are letters here');
  await page.keyboard.press('Enter');
  await expect(site.secret).toBeVisible();
  const copy = site.reveal.getByRole('button', { name: 'Copy', exact: true });
  await expect(copy).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(copy).toHaveAttribute('data-done');
  await page.keyboard.press('Escape');
  await expect(site.reveal).toBeHidden();
  await expect(page.locator('#create')).toBeFocused();
  expect(await keyward.keys()).toMatchObject([{ name: 'c / ? are letters here' }]);
});

test('pages fit a screen of 320 px', async ({ page, site, keyward }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  const name = `${'W'.repeat(60)} ${'字'.repeat(39)}`;
  const { key_id } = await keyward.createKey(name, '--scope', 'data:read', '--scope', 'data:write', '--issued-to', 'M'.repeat(100));
  await site.signIn();
  const paths = ['', '/new', `/${key_id}/edit`, `/${key_id}/deactivate`, `/${key_id}/delete`].map(path => `/keys${path}`);
  paths.push('/keys?status=expired', '/projects', `/projects/${await keyward.project()}`);
  paths.push('/settings/account', '/settings/developer/api-keys', '/logout');
  for (const path of paths) {
    await site.open(path);
    const wide = await page.evaluate(() =>
      Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('dialog')].map(it => it.scrollWidth)),
    );
    expect.soft(wide, path).toBeLessThanOrEqual(320);
  }
  await site.open('/keys');
  await expect(site.row(name), 'the whole name can be read').toContainText(name);
  await site.create('Reveal');
  for (const tab of ['Secret', 'curl', '.env']) {
    await site.reveal.getByLabel(tab, { exact: true }).check();
    expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), tab).toBeLessThanOrEqual(320);
  }
  if (site.scripted) await site.closeReveal();
});
