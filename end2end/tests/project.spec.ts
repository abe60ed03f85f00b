import { openSession, findProject, TOMAS } from '../support/demo';
import { expect, test } from '../support/test';

test('a token reads the saved config', async ({ page, site, keyward }) => {
  await site.signIn();
  const secret = await site.create('Server');
  await site.closeReveal();
  const id = await keyward.project();
  await site.open(`/projects/${id}`);
  await page.getByRole('textbox', { name: 'Config' }).fill('{"pop": "people", "labels": ["bag", "ß", "🗝"]}');
  await page.getByRole('button', { name: 'Save config' }).click();
  await expect(site.toast).toContainText('Config saved.');
  const exchange = await fetch(`${keyward.url}/authentication/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret_key: secret }),
  });
  const { access_token } = await exchange.json();
  for (const path of [`/pops/${id}/config`, `/v1/projects/${id}/config`]) {
    const response = await fetch(keyward.url + path, { headers: { authorization: `Bearer ${access_token}` } });
    expect(await response.json(), path).toEqual({ pop: 'people', labels: ['bag', 'ß', '🗝'] });
  }
});

test('a concurrent change of the config is not overwritten, and the input is kept', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(409);
  await site.signIn(`/projects/${await keyward.project()}`);
  const config = page.getByRole('textbox', { name: 'Config' });
  await config.fill('{"mine": true}');
  await keyward.setConfig({ theirs: true });
  await page.getByRole('button', { name: 'Save config' }).click();
  await expect(page.getByRole('alert')).toContainText('The config was changed elsewhere.');
  await expect(config).toHaveValue('{"mine": true}');
  expect(await keyward.run(['projects', 'config', '--project', await keyward.project()])).toContain('theirs');
});

test('input from an expired session is restored after sign-in', async ({ page, site, keyward }) => {
  await site.addSession();
  const path = `/projects/${await keyward.project()}`;
  await site.open(path);
  const config = page.getByRole('textbox', { name: 'Config' });
  await config.fill('{"kept": "</textarea>"}');
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Save config' }).click();
  await expect(page).toHaveURL(/\/login\?next=/);
  await site.ready();
  await site.fillSignIn();
  await site.waitForPath(path);
  await expect(page.getByRole('alert')).toContainText('Your changes are not saved yet');
  await expect(config).toHaveValue('{"kept": "</textarea>"}');
  await page.getByRole('button', { name: 'Save config' }).click();
  await expect(site.toast).toContainText('Config saved.');
});

test('an invalid config is rejected with the position of the error', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await site.signIn(`/projects/${await keyward.project()}`);
  const config = page.getByRole('textbox', { name: 'Config' });
  for (const [text, position] of [
    ['{\n  "a": 1,\n  "a": 2\n}', /^Line 3, column \d+/],
    ['{"a": }', /^Line 1, column 7/],
    ['', /^Enter a JSON object/],
    ['[1]', /object/],
  ] as const) {
    await config.fill(text);
    await page.getByRole('button', { name: 'Save config' }).click();
    await expect(page.locator('#config-error')).toHaveText(position);
    await expect(config).toHaveValue(text);
    await expect(config).toHaveAttribute('aria-invalid', 'true');
  }
});

test('input during a pending request is kept', { tag: '@scripts' }, async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await site.addSession();
  const path = `/projects/${await keyward.project()}`;
  await site.open(path);
  let release = () => {};
  const released = new Promise<void>((done) => (release = done));
  await page.route('**' + path, async (route) => {
    if (route.request().method() === 'POST') await released;
    await route.continue();
  });
  const config = page.getByRole('textbox', { name: 'Config' });
  await config.fill('[1]');
  await page.getByRole('button', { name: 'Save config' }).click();
  await config.fill('{"later": 1 2}');
  const refused = page.waitForResponse((response) => response.status() === 422);
  release();
  await refused;
  await expect(page.locator('form[aria-busy]')).toHaveCount(0);
  await expect(page.locator('#config-error')).toHaveText(/^Line 1, column \d+/);
  await expect(config).toHaveValue('{"later": 1 2}');
});

test('while typing, the position of the error is shown and linked', { tag: '@scripts' }, async ({ page, site, keyward }) => {
  await site.signIn(`/projects/${await keyward.project()}`);
  const config = page.getByRole('textbox', { name: 'Config' });
  await config.fill('{\n  "ß🗝": 1 2\n}');
  await expect(page.locator('#config-error')).toHaveText(/^Line 2, column \d+/);
  await page.getByRole('button', { name: 'Go to error' }).click();
  await expect(config).toBeFocused();
  const at = await config.evaluate((area: HTMLTextAreaElement) => area.selectionStart);
  expect(at, 'the cursor is in the second line').toBeGreaterThan(1);
  await config.fill('{}');
  await expect(page.getByText('Valid JSON')).toBeVisible();
  await expect(page.locator('#config-error')).toHaveCount(0);
});

test('the project id is copied', { tag: '@scripts' }, async ({ page, site, keyward, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await site.signIn(`/projects/${await keyward.project()}`);
  await page.getByRole('button', { name: 'Copy project ID' }).click();
  await expect(page.getByText('Copied')).toBeAttached();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await keyward.project());
});

test.describe('with demo data', () => {
  test.use({ template: 'demo' });

  test('a viewer sees the config and the keys but cannot change them', async ({ page, site, keyward, browser }) => {
    await site.addSession();
    const id = await findProject(keyward, 'Buoy telemetry');
    await site.open(`/projects/${id}`);
    await expect(page.getByText('Viewer', { exact: true })).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Config' })).not.toBeEditable();
    await expect(page.getByRole('button', { name: 'Save config' })).toHaveCount(0);
    await site.open(`/keys?project=${id}`);
    await expect(site.names().first()).toBeVisible();
    await expect(page.getByRole('button', { name: /^Actions for key/ })).toHaveCount(0);

    // A forged form is denied too.
    const status = await page.request.post(`/projects/${id}`, {
      form: { id, version: '0', config: '{}' },
      headers: { origin: keyward.url },
    });
    expect(status.status()).toBe(403);

    // The owner can change them.
    const owner = await openSession(site, browser, TOMAS);
    await owner.open(`/projects/${id}`);
    await expect(owner.page.getByRole('textbox', { name: 'Config' })).toBeEditable();
    await owner.page.context().close();
  });
});
