import { expect, test } from '../support/test';

/** A date some days from now, in the format of a date input. */
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

test.beforeEach(async ({ site }) => site.signIn());

test('all errors appear at their fields, and the form keeps its values', async ({ site, monitor, keyward, scripted }) => {
  monitor.expectStatus(422);
  await site.openCreate();
  const form = site.createDialog;
  const [name, on] = [form.getByLabel('Name'), form.getByLabel('Expires on')];
  await name.fill('   ');
  await form.getByLabel('Test').check();
  await form.getByLabel('Expiration').selectOption('On a date');
  await on.fill('2020-02-29');
  await form.getByLabel('data:read').check();
  await form.getByText('More', { exact: true }).click();
  await form.getByLabel('Issued to').fill('Billing team');
  await site.submitCreate();

  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await expect(name).toHaveAccessibleDescription(/Enter a name for the key/);
  await expect(on).toHaveAttribute('aria-invalid', 'true');
  await expect(on).toHaveAccessibleDescription(/29 February 2020 has passed/);
  await expect(name).toBeFocused();
  await expect(form.getByRole('alert'), 'the fields say it themselves').toHaveCount(0);

  // All values are kept; correcting the errors is enough.
  await expect(form.getByLabel('Test')).toBeChecked();
  await expect(form.getByLabel('Expiration')).toHaveValue('date');
  await expect(on).toHaveValue('2020-02-29');
  await expect(form.getByLabel('data:read')).toBeChecked();
  await expect(form.getByLabel('data:write')).not.toBeChecked();
  await expect(form.getByLabel('Issued to')).toHaveValue('Billing team');
  await expect(form.getByLabel('Issued to')).toBeVisible();
  for (const once of ['More', 'Access scope', 'Expiration']) await expect(form.getByText(once, { exact: true })).toHaveCount(1);
  await expect(form.getByText('29 February 2020 has passed')).toHaveCount(1);
  await name.fill('Invoices');
  await on.fill(inDays(30));
  await site.submitCreate();

  await expect(site.secret).toHaveText(/^kw_test_/);
  // A key expires at the end of the date in the user's time zone, which is unknown without scripts.
  await expect(site.reveal.locator('.facts time').first()).toContainText(scripted ? /23:59:59 CES?T/ : '23:59:59 UTC');
  await site.closeReveal();
  await expect(site.row('Invoices').locator('.tag')).toHaveText('test');
  await expect(site.row('Invoices')).toContainText('data:read');
  await expect(site.row('Invoices')).toContainText('for Billing team');
  expect(await keyward.keys()).toMatchObject([{ name: 'Invoices', environment: 'test', issued_to: 'Billing team' }]);
});

test('the browser rejects an empty name', async ({ site }) => {
  await site.openCreate();
  await site.submitCreate();
  await expect(site.createDialog.getByLabel('Name')).toBeFocused();
  await expect(site.createDialog.getByLabel('Name')).not.toHaveAttribute('aria-invalid');
});

test('the first invalid field has the focus', async ({ site, monitor }) => {
  monitor.expectStatus(422);
  await site.openCreate();
  await site.createDialog.getByLabel('Name').fill('Invoices');
  await site.createDialog.getByLabel('Expiration').selectOption('On a date');
  await site.createDialog.getByLabel('Expires on').fill('2020-02-29');
  await site.submitCreate();
  await expect(site.createDialog.getByLabel('Expires on')).toBeFocused();
});

test('a key that never expires shows a warning', async ({ site }) => {
  await site.openCreate();
  const warning = site.createDialog.getByText('A key that never expires stays valid until you deactivate or delete it.');
  await expect(warning).toBeHidden();
  await site.createDialog.getByLabel('Expiration').selectOption('Never');
  await expect(warning).toBeVisible();
  await site.createDialog.getByLabel('Name').fill('Forever');
  await site.submitCreate();
  await expect(site.reveal.locator('.facts')).toContainText('Never');
  await site.closeReveal();
  await expect(site.row('Forever').locator('.cell-expires')).toHaveText('Never');
});

test('the expiry hint shows the time in the user’s time zone', { tag: '@scripts' }, async ({ site }) => {
  await site.openCreate();
  const hint = site.createDialog.locator('#expires-hint');
  await expect(hint).toHaveText(/^Expires on \w+day \d+ \w+ \d{4} at \d\d:\d\d:\d\d CES?T\.$/);
  await site.createDialog.getByLabel('Expiration').selectOption('On a date');
  await expect(hint).toHaveText('Choose the last day on which the key is valid.');
  await site.createDialog.getByLabel('Expires on').fill('2031-02-18');
  await expect(hint).toHaveText('Expires on Tuesday 18 February 2031 at 23:59:59 CET.');
  await site.createDialog.getByLabel('Expiration').selectOption('Never');
  await expect(hint).toHaveText('Never expires.');
});

test('an older preview of the expiration does not replace a newer one', { tag: '@scripts' }, async ({ page, site }) => {
  await site.openCreate();
  const [hint, on] = [site.createDialog.locator('#expires-hint'), site.createDialog.getByLabel('Expires on')];
  await site.createDialog.getByLabel('Expiration').selectOption('On a date');
  // The response for the first date arrives after the one for the second date.
  const isOlder = (body: string | null) => body?.includes('2031-02-18') ?? false;
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/keys/say_expiry', async (route) => {
    if (isOlder(route.request().postData())) await released;
    await route.continue();
  });
  const older = page.waitForResponse((response) => isOlder(response.request().postData()));
  await on.fill('2031-02-18');
  await on.fill('2032-03-19');
  await expect(hint).toHaveText('Expires on Friday 19 March 2032 at 23:59:59 CET.');
  release();
  await (await older).finished();
  await page.evaluate(() => new Promise((done) => setTimeout(done, 200)));
  await expect(hint).toHaveText('Expires on Friday 19 March 2032 at 23:59:59 CET.');
});

test('three scopes are shown as two chips and a count', async ({ site }) => {
  await site.openCreate();
  for (const scope of ['data:read', 'data:write', 'usage:read']) await site.createDialog.getByLabel(scope).check();
  await site.createDialog.getByLabel('Name').fill('Everything');
  await site.submitCreate();
  await expect(site.reveal.locator('.chip')).toHaveText(['data:read', 'data:write', 'usage:read']);
  await site.closeReveal();
  const chips = site.row('Everything').locator('.chip');
  await expect(chips).toHaveText(['data:read', 'data:write', /^\+1/]);
});

test('a name with markup is shown as text', async ({ page, site }) => {
  const name = '</code></script><script>alert(1)</script> & "ß" 🗝 {{x}}';
  await site.create(name);
  await expect(site.reveal.locator('.facts')).toContainText(name);
  await site.closeReveal();
  await site.reload();
  await expect(site.names()).toHaveText([name]);
  await site.confirm('Delete', name);
  await site.open('/keys?status=deleted');
  await page.getByRole('button', { name: `Restore key ${name}` }).click();
  await expect(site.names()).toHaveCount(0);
  await site.open('/keys');
  await expect(site.names()).toHaveText([name]);
});
