import type { Locator, Page } from '@playwright/test';
import { findViolations } from '../support/axe';
import { expect, test } from '../support/test';

/** A local time some days from now, in the format of the field. */
const inDays = (days: number) => `${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)}T09:00`;

const verify = async (url: string, key: string) => {
  const response = await fetch(`${url}/v1/keys/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
  return response.json();
};

const more = (form: Locator) => form.getByText('More', { exact: true }).click();

/** Only with scripts: axe is a script, and both projects render the same page. */
const clean = async (page: Page, scripted: boolean) => {
  if (scripted) expect(await findViolations(page)).toEqual([]);
};

test.beforeEach(async ({ site }) => site.signIn());

test('a key with networks, a start time, and a rate limit is created, shown, denied before the start, and edited', async ({ page, site, keyward, scripted }) => {
  const starts = inDays(10);
  await site.openCreate();
  const form = site.createDialog;
  await form.getByLabel('Name').fill('Buoys');
  await expect(form.getByLabel('Allowed networks')).toBeHidden();
  await more(form);
  await form.getByLabel('Allowed networks').fill('10.0.0.0/8, 2001:db8::/32\n192.0.2.7');
  await form.getByLabel('Not before').fill(starts);
  await form.getByLabel('Requests').fill('100');
  await form.getByLabel('Per', { exact: true }).selectOption('hour');
  await form.getByLabel('Burst').fill('20');
  if (scripted) await expect(form.locator('#not_before-hint')).toHaveText(/^Valid from \w+day \d+ \w+ \d{4} at 09:00:00 CES?T\.$/);
  await clean(page, scripted);
  await site.submitCreate();
  await expect(site.reveal.locator('.facts')).toContainText('100 requests per hour, burst 20');
  const secret = await site.secret.innerText();
  await site.closeReveal();
  await expect(site.row('Buoys')).toContainText('Scheduled');
  expect(await verify(keyward.url, secret)).toMatchObject({ valid: false, code: 'not_yet_valid' });

  await page.getByRole('link', { name: 'Buoys', exact: true }).click();
  const details = page.locator('.facts').first();
  await expect(details).toContainText('10.0.0.0/8 and 2 more');
  await expect(details.getByText('192.0.2.7/32')).toBeHidden();
  await details.getByText('and 2 more').click();
  await expect(details.getByText('192.0.2.7/32')).toBeVisible();
  await expect(details).toContainText(scripted ? /Not before\s*\d+ \w+ \d{4}, 09:00:00 CES?T/ : /Not before\s*\d+ \w+ \d{4}, 09:00:00 UTC/);
  await expect(details).toContainText('100 requests per hour, burst 20');
  await clean(page, scripted);

  await page.getByRole('link', { name: 'Edit key Buoys' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit “Buoys”' });
  await expect(edit.getByLabel('Allowed networks')).toHaveValue('10.0.0.0/8\n2001:db8::/32\n192.0.2.7/32');
  await expect(edit.getByLabel('Not before')).toHaveValue(starts);
  await expect(edit.getByLabel('Per', { exact: true })).toHaveValue('hour');
  await edit.getByLabel('Allowed networks').fill('');
  await edit.getByLabel('Not before').fill('');
  await edit.getByLabel('Requests').fill('');
  await edit.getByLabel('Burst').fill('');
  await edit.getByRole('button', { name: 'Save changes' }).click();
  await expect(site.row('Buoys')).toContainText('Active');
  expect(await verify(keyward.url, secret)).toMatchObject({ valid: true });
  await page.getByRole('link', { name: 'Buoys', exact: true }).click();
  await expect(details).toContainText('Any network');
  await expect(details).toContainText('No limit');
  await page.locator('#history').getByText('Details').first().click();
  await expect(page.locator('#history')).toContainText('100 requests per hour, burst 20 → no limit');
});

test('errors appear at their fields, and the form keeps its values', async ({ page, site, monitor, scripted }) => {
  monitor.expectStatus(422);
  await site.openCreate();
  const form = site.createDialog;
  await form.getByLabel('Name').fill('Buoys');
  await more(form);
  const [networks, from, calls, burst] = ['Allowed networks', 'Not before', 'Requests', 'Burst'].map(it => form.getByLabel(it));
  await networks.fill('10.0.0.5/8');
  await from.fill('2020-02-29T09:00');
  await calls.fill('100');
  await burst.fill('many');
  await site.submitCreate();
  await expect(networks).toBeFocused();
  await expect(networks).toHaveAccessibleDescription(/“10\.0\.0\.5\/8” is an address inside 10\.0\.0\.0\/8/);
  await expect(networks).toHaveValue('10.0.0.5/8');
  await expect(from).toHaveAccessibleDescription(/29 February 2020, 09:00:00 (CET|UTC) has passed/);
  await expect(from).toHaveValue('2020-02-29T09:00');
  await expect(burst).toHaveAttribute('aria-invalid', 'true');
  await expect(burst).toHaveAccessibleDescription(/as the burst/);
  await expect(calls).not.toHaveAttribute('aria-invalid');
  await expect(form.getByRole('alert'), 'the fields say it themselves').toHaveCount(0);
  await clean(page, scripted);

  await networks.fill('10.0.0.0/8');
  await from.fill(inDays(400));
  await burst.fill('');
  await site.submitCreate();
  await expect(from).toBeFocused();
  await expect(from).toHaveAccessibleDescription(/The key would expire first, on/);
  await from.fill('');
  await site.submitCreate();
  await expect(site.reveal.locator('.facts')).toContainText('10.0.0.0/8');
  await expect(site.reveal.locator('.facts')).toContainText('100 requests per minute');
});

test('a description: created, shown with its lines, edited', async ({ page, site, keyward, monitor, scripted }) => {
  monitor.expectStatus(422);
  await site.openCreate();
  const form = site.createDialog;
  await form.getByLabel('Name').fill('Nightly export');
  await more(form);
  const description = form.getByLabel('Description');
  await description.fill('x'.repeat(501));
  await site.submitCreate();
  await expect(description).toBeFocused();
  await expect(description).toHaveAccessibleDescription(/Use at most 500 characters\. You entered 501\./);
  await expect(description).toHaveValue('x'.repeat(501));
  await clean(page, scripted);
  await description.fill('Writes the tide tables.\nOn call: harbour office');
  await site.submitCreate();
  await site.closeReveal();

  await page.getByRole('link', { name: 'Nightly export', exact: true }).click();
  const facts = page.locator('.facts').first();
  await expect(facts).toContainText(/Description\s*Writes the tide tables\.\s*On call: harbour office/);
  await expect(facts.locator('br')).toHaveCount(1);
  await clean(page, scripted);

  await page.getByRole('link', { name: 'Edit key Nightly export' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit “Nightly export”' });
  await expect(edit.getByLabel('Description')).toBeVisible();
  await expect(edit.getByLabel('Description')).toHaveValue('Writes the tide tables.\nOn call: harbour office');
  await edit.getByLabel('Description').fill('Replaced by the archive');
  await edit.getByRole('button', { name: 'Save changes' }).click();
  await page.getByRole('link', { name: 'Nightly export', exact: true }).click();
  await expect(facts).toContainText('Replaced by the archive');
  await page.locator('#history').getByText('Details').first().click();
  await expect(page.locator('#history')).toContainText('→ Replaced by the archive');
  expect(await keyward.keys()).toMatchObject([{ description: 'Replaced by the archive' }]);
});

test('an edit keeps the exact start time', async ({ page, site, keyward }) => {
  const starts = `${inDays(10)}:37Z`;
  const { key_id } = await keyward.createKey('Buoys', '--not-before', starts, '--rate', '5/second');
  await site.open(`/keys/${key_id}/edit`);
  await page.getByRole('dialog').getByLabel('Issued to').fill('Ada');
  await page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
  await expect(site.row('Buoys')).toContainText('for Ada');
  expect(await keyward.keys()).toMatchObject([{ not_before: starts, rate_limit: '5/second' }]);
});

test('the form of a project has restrictions, and query parameters prefill them', async ({ page, site, keyward }) => {
  await site.open(`/projects/${await keyward.project()}/keys/new`);
  const form = page.getByRole('dialog', { name: /^Generate API key/ });
  await form.getByLabel('Name').fill('Desk');
  await more(form);
  await form.getByLabel('Requests').fill('5');
  await form.getByLabel('Per', { exact: true }).selectOption('second');
  await form.getByRole('button', { name: 'Generate API key' }).click();
  await expect(site.reveal.locator('.facts')).toContainText('5 requests per second');

  await site.open('/keys/new?name=Desk&network=10.0.0.0/8&network=192.0.2.7&not_before=2031-02-18T09:00&rate=100/day');
  await expect(site.createDialog.getByLabel('Allowed networks')).toHaveValue('10.0.0.0/8\n192.0.2.7');
  await expect(site.createDialog.getByLabel('Not before')).toHaveValue('2031-02-18T09:00');
  await expect(site.createDialog.getByLabel('Requests')).toHaveValue('100');
  await expect(site.createDialog.getByLabel('Per', { exact: true })).toHaveValue('day');
});

test('stricter restrictions are shown before saving', { tag: '@scripts' }, async ({ page, site, keyward }) => {
  const { key_id } = await keyward.createKey('Buoys', '--network', '10.0.0.0/8', '--network', '192.0.2.7', '--rate', '60/minute,burst=20');
  await site.open(`/keys/${key_id}/edit`);
  const dialog = page.getByRole('dialog');
  const effects = dialog.locator('.effects');
  const leave = () => dialog.getByLabel('Name').focus();
  await dialog.getByLabel('Allowed networks').fill('192.0.2.7, 10.0.0.0/8, 2001:db8::/32');
  await leave();
  await expect(effects).toHaveText('');
  await dialog.getByLabel('Allowed networks').fill('192.0.2.7');
  await leave();
  await expect(effects).toContainText('Requests from networks that are not in the list are rejected.');
  await dialog.getByLabel('Allowed networks').fill('');
  await leave();
  await expect(effects).toHaveText('');
  await dialog.getByLabel('Burst').fill('10');
  await leave();
  await expect(effects).toContainText('Requests over the new limit are rejected.');
  await dialog.getByLabel('Not before').fill(inDays(10));
  await leave();
  await expect(effects).toContainText('Requests before the start time are rejected');
});
