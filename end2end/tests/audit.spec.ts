import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openSession, JONAS } from '../support/demo';
import { expect, test } from '../support/test';
import type { Site } from '../support/site';

// Maren is an administrator and sees the audit log; Jonas owns a project.
test.use({ template: 'demo' });

const NAME = 'Starter Integration';

/** Sets the filters of the audit log. Without scripts, the form is submitted. */
async function narrow(site: Site, fillIn: () => Promise<void>): Promise<void> {
  await fillIn();
  if (!site.scripted) await site.page.getByRole('search').getByRole('button', { name: 'Apply' }).click();
}

test('the audit log is filtered and paged', async ({ page, site }) => {
  await site.signIn('/admin/keys');
  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.getByRole('heading', { name: 'Audit log' })).toBeVisible();
  const rows = page.locator('tbody tr');
  await expect(rows.first()).toContainText('Maren Okafor signed in');
  await expect(page.locator('caption')).toContainText('hash-chained');
  await expect(rows).toHaveCount(50);
  const newest = await rows.first().getAttribute('id');
  await page.getByRole('link', { name: 'Older' }).click();
  await expect(page).toHaveURL(/before=\d+/);
  await expect(page.getByRole('link', { name: 'Newest' })).toBeVisible();
  await expect(page.locator(`#${newest}`)).toHaveCount(0);
  await page.getByRole('link', { name: 'Newest' }).click();
  await expect(page.locator(`#${newest}`)).toBeVisible();

  const bar = page.getByRole('search');
  await narrow(site, async () => void (await bar.getByLabel('Event type').selectOption({ label: 'Scopes, policy, and signing keys' })));
  await expect(page).toHaveURL(/kind=settings/);
  await expect(rows.first()).toContainText('added the scope');
  await narrow(site, async () => {
    await bar.getByLabel('Target').fill('tides:read');
    await bar.getByLabel('Target').blur();
  });
  await expect(page).toHaveURL(/thing=tides/);
  await expect(rows).toHaveCount(1);
  await expect(rows.first()).toContainText('Maren Okafor (administrator) added the scope “tides:read”');
  await narrow(site, async () => {
    await bar.getByLabel('User').fill('jonas');
    await bar.getByLabel('User').blur();
  });
  await expect(page.getByText('No matching events')).toBeVisible();
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expect(rows).toHaveCount(50);
  await narrow(site, async () => {
    await bar.getByLabel('To').fill('2020-01-31');
    await bar.getByLabel('To').blur();
  });
  await expect(page).toHaveURL(/to=2020-01-31/);
  await expect(page.getByText('No matching events')).toBeVisible();
  const exporting = page.locator('form').filter({ has: page.getByRole('button', { name: 'Export selected days' }) });
  await expect(exporting.locator('input[name=to]')).toHaveValue('2020-01-31');
});

test('an event shows its exact values in the details', async ({ page, site }) => {
  await site.signIn('/admin/audit');
  const row = page.locator('tbody tr').first();
  await expect(row.getByText('session.started')).toBeHidden();
  await row.getByText('Details').click();
  for (const value of ['session.started', '127.0.0.1', 'Mozilla/5.0', 'self']) {
    await expect(row.locator('details').getByText(value).first()).toBeVisible();
  }
  await expect(row.locator('dd').last()).toHaveText(/^[0-9a-f]{64}$/);
});

test('the command line verifies a downloaded export', async ({ page, site, keyward }) => {
  await site.signIn('/admin/audit');
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export audit log' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^keyward-audit-\d{4}-\d\d-\d\d\.ndjson$/);
  const text = await readFile(await download.path(), 'utf8');
  expect(text.split('\n')[0]).toContain('"format":"keyward-audit"');
  await writeFile(path.join(keyward.folder, 'log.ndjson'), text);
  await writeFile(path.join(keyward.folder, 'printed.txt'), keyward.output);
  const output = await keyward.run(['audit', 'verify', '--file', 'log.ndjson', '--checkpoints', 'printed.txt']);
  expect(output).toContain('the hash chain is intact');
  expect(output).not.toContain('Not signed');
  await page.reload();
  await expect(page.locator('tbody tr').first()).toContainText('exported the audit log');
  const forged = text.replace('Maren Okafor', 'Somebody else');
  await writeFile(path.join(keyward.folder, 'log.ndjson'), forged);
  await expect(keyward.run(['audit', 'verify', '--file', 'log.ndjson'])).rejects.toThrow(/is not intact from event/);
});

test('members see the history of a key and of a project', async ({ page, site, browser }) => {
  await site.signIn('/admin/keys');
  await site.chooseAction('Deactivate', NAME);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('Found in a <public> repository.');
  await dialog.getByRole('button', { name: 'Deactivate key' }).click();
  await expect(site.row(NAME)).toContainText('Inactive');

  const owner = await openSession(site, browser, JONAS);
  await owner.row(NAME).getByRole('link', { name: NAME }).click();
  const history = owner.page.locator('#history');
  const newest = history.getByRole('listitem').first();
  await expect(newest).toContainText(`Maren Okafor (administrator) deactivated the key “${NAME}”`);
  await expect(newest).toContainText('“Found in a <public> repository.”');
  await newest.getByText('Details').click();
  await expect(newest.locator('dl')).toContainText('Status');
  await expect(newest.locator('dl')).not.toContainText('127.0.0.1');
  await expect(history.getByRole('listitem').last()).toContainText('created the key');

  await owner.page.getByRole('link', { name: 'Harbour pilot' }).click();
  await expect(history.getByRole('listitem')).toHaveCount(10);
  await expect(newest).toContainText('deactivated the key');
  await history.getByRole('link', { name: 'Show older' }).click();
  await expect(owner.page).toHaveURL(/history=\d+#history$/);
  await expect(newest).not.toContainText('<public>');
  await expect(history).toBeInViewport();
  await history.getByRole('link', { name: 'Newest' }).click();
  await expect(newest).toContainText('<public>');
  await owner.page.context().close();
});

test('for other users, the audit log responds with 404', async ({ site, browser }) => {
  await site.signIn();
  const other = await openSession(site, browser, JONAS);
  await expect(other.page.getByRole('link', { name: 'Audit log' })).toHaveCount(0);
  const bodyOf = async (path: string) => {
    const response = await other.page.goto(path);
    expect(response?.status(), path).toBe(404);
    return other.page.locator('main').innerText();
  };
  const missing = await bodyOf('/nowhere');
  for (const path of ['/admin/audit', '/admin/audit/export']) expect(await bodyOf(path), path).toBe(missing);
  await other.page.context().close();
});
