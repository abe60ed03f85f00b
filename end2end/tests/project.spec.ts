import { elsewhere, project, TOMAS } from '../support/demo';
import { expect, test } from '../support/test';

test('a config that was saved is what holders of a token read', async ({ page, site, keyward }) => {
  await site.signIn();
  const secret = await site.create('Server');
  await site.done();
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
    const answer = await fetch(keyward.url + path, { headers: { authorization: `Bearer ${access_token}` } });
    expect(await answer.json(), path).toEqual({ pop: 'people', labels: ['bag', 'ß', '🗝'] });
  }
});

test('a config that was changed meanwhile is not written over, and nothing is lost', async ({ page, site, keyward, watch }) => {
  watch.expectStatus(409);
  await site.signIn(`/projects/${await keyward.project()}`);
  const config = page.getByRole('textbox', { name: 'Config' });
  await config.fill('{"mine": true}');
  await keyward.setConfig({ theirs: true });
  await page.getByRole('button', { name: 'Save config' }).click();
  await expect(page.getByRole('alert')).toContainText('The config was changed elsewhere.');
  await expect(config).toHaveValue('{"mine": true}');
  expect(await keyward.run(['projects', 'config', '--project', await keyward.project()])).toContain('theirs');
});

test('what was typed when the session had ended is there again after signing in', async ({ page, site, keyward }) => {
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
  await site.at(path);
  await expect(page.getByRole('alert')).toContainText('Your changes are not saved yet');
  await expect(config).toHaveValue('{"kept": "</textarea>"}');
  await page.getByRole('button', { name: 'Save config' }).click();
  await expect(site.toast).toContainText('Config saved.');
});

test('what is no config is refused with its place', async ({ page, site, keyward, watch }) => {
  watch.expectStatus(422);
  await site.signIn(`/projects/${await keyward.project()}`);
  const config = page.getByRole('textbox', { name: 'Config' });
  for (const [text, place] of [
    ['{\n  "a": 1,\n  "a": 2\n}', /^Line 3, column \d+/],
    ['{"a": }', /^Line 1, column 7/],
    ['', /^Enter a JSON object/],
    ['[1]', /object/],
  ] as const) {
    await config.fill(text);
    await page.getByRole('button', { name: 'Save config' }).click();
    await expect(page.locator('#config-error')).toHaveText(place);
    await expect(config).toHaveValue(text);
    await expect(config).toHaveAttribute('aria-invalid', 'true');
  }
});

test('what is typed while an answer is on its way stays', { tag: '@scripts' }, async ({ page, site, keyward, watch }) => {
  watch.expectStatus(422);
  await site.addSession();
  const path = `/projects/${await keyward.project()}`;
  await site.open(path);
  let answer = () => {};
  const held = new Promise<void>((done) => (answer = done));
  await page.route('**' + path, async (route) => {
    if (route.request().method() === 'POST') await held;
    await route.continue();
  });
  const config = page.getByRole('textbox', { name: 'Config' });
  await config.fill('[1]');
  await page.getByRole('button', { name: 'Save config' }).click();
  await config.fill('{"later": 1 2}');
  const refused = page.waitForResponse((response) => response.status() === 422);
  answer();
  await refused;
  await expect(page.locator('form[aria-busy]')).toHaveCount(0);
  await expect(page.locator('#config-error')).toHaveText(/^Line 1, column \d+/);
  await expect(config).toHaveValue('{"later": 1 2}');
});

test('while typing, the place of the error is said and can be gone to', { tag: '@scripts' }, async ({ page, site, keyward }) => {
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

test('the id is copied', { tag: '@scripts' }, async ({ page, site, keyward, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await site.signIn(`/projects/${await keyward.project()}`);
  await page.getByRole('button', { name: 'Copy project ID' }).click();
  await expect(page.getByText('Copied')).toBeAttached();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await keyward.project());
});

test.describe('with the demo', () => {
  test.use({ template: 'demo' });

  test('a viewer reads the config and sees the keys, and changes neither', async ({ page, site, keyward, browser }) => {
    await site.addSession();
    const id = await project(keyward, 'Buoy telemetry');
    await site.open(`/projects/${id}`);
    await expect(page.getByText('Viewer', { exact: true })).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Config' })).not.toBeEditable();
    await expect(page.getByRole('button', { name: 'Save config' })).toHaveCount(0);
    await site.open(`/keys?project=${id}`);
    await expect(site.names().first()).toBeVisible();
    await expect(page.getByRole('button', { name: /^Actions for key/ })).toHaveCount(0);

    // Nor by a form that the page did not offer.
    const status = await page.request.post(`/projects/${id}`, {
      form: { id, version: '0', config: '{}' },
      headers: { origin: keyward.url },
    });
    expect(status.status()).toBe(403);

    // Its owner may.
    const owner = await elsewhere(site, browser, TOMAS);
    await owner.open(`/projects/${id}`);
    await expect(owner.page.getByRole('textbox', { name: 'Config' })).toBeEditable();
    await owner.page.context().close();
  });
});
