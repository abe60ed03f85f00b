import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findViolations } from '../support/axe';
import { expect, test } from '../support/test';

test('the API reference is public, works without JavaScript, and fits any width', async ({ page, scripted }) => {
  await page.goto('/docs/api');
  await expect(page.getByRole('heading', { level: 1, name: 'Keyward API reference' })).toBeVisible();
  await page.getByRole('navigation', { name: 'Operations' }).getByRole('link', { name: 'Create a key' }).click();
  await expect(page).toHaveURL(/#createKey$/);
  const operation = page.getByRole('region', { name: 'Create a key' });
  await expect(operation).toBeInViewport();
  await expect(operation.getByText('/v1/projects/{id}/keys')).toBeVisible();
  for (const [language, text] of [['curl', 'curl --request POST'], ['JavaScript', 'await fetch('], ['Python', 'urllib.request']]) {
    await operation.getByText(language, { exact: true }).click();
    await expect(operation.getByRole('group', { name: `Create a key with ${language}` })).toContainText(text);
  }
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth).catch(() => width);
    expect(wide, 'as wide as the screen').toBeLessThanOrEqual(width);
  }
  if (scripted) expect(await findViolations(page)).toEqual([]);
});

/** Operations whose example requests run in this order, with the expected status. */
const RUN: [string, number][] = [
  ['List projects', 200], ['Read a project', 200], ['List keys', 200], ['Read a key', 200],
  ['Edit a key', 200], ['Deactivate a key', 200], ['Activate a key', 200], ['Delete a key', 200], ['Restore a deleted key', 200],
  ['Create a key', 201], ['Read a project’s config', 200], ['Authorize a request', 200],
  ['Request a token (OAuth 2.0)', 200], ['Introspect a token (RFC 7662)', 200], ['Revoke a token (RFC 7009)', 200],
];

test.describe('examples', () => {
  // The page is the same without scripts.
  test('the example requests run unchanged in each language', { tag: '@scripts' }, async ({ page, keyward }) => {
    const scopes = ['keyward:keys.read', 'keyward:keys.write', 'data:read'].flatMap(scope => ['--scope', scope]);
    const project = await keyward.project();
    const make = async (name: string, more: string[]) =>
      JSON.parse(await keyward.run(['keys', 'create', '--project', project, '--name', name, '--json', ...more]));
    const own = await make('Manager', scopes);
    const token = await fetch(`${keyward.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: `key:${own.key_id}`, client_secret: own.secret, scope: 'keyward:keys.read' }),
    }).then(response => response.json());
    await page.goto('/docs/api');
    const printed = (operation: string, language: string) =>
      page.locator(`[aria-label="${operation} with ${language}"]`).evaluate(it => it.textContent ?? '');

    for (const [language, program, code] of [['curl', 'bash', '-euc'], ['JavaScript', 'node', '-e'], ['Python', 'python3', '-c']]) {
      const target = await make(`For ${language}`, ['--scope', 'data:read', '--expires', '30d']);
      /** Replaces the placeholders (…) by the variable names of each language. */
      const fill = (text: string, etag: string) => text
        .replace(/(PROJECT_ID=|projectId = ')…/, `$1${project}`)
        .replace(/(OWN_KEY_ID=|ownKeyId = ')…/, `$1${own.key_id}`)
        .replace(/(\nexport KEY_ID=|keyId = ')…(?=.*\n)/, `$1${target.key_id}`)
        .replace('project_id, own_key_id, secret_key = "…", "…"', `project_id, own_key_id, secret_key = "${project}", "${own.key_id}"`)
        .replace('key_id, etag, once = "…"', `key_id, etag, once = "${target.key_id}"`)
        .replace('export SECRET_KEY=…\n', '')
        .replace(`'"…"'`, `'${etag}'`);
      const begin = await printed('Setup', language);
      for (const [operation, status] of RUN) {
        const path = `${keyward.url}/v1/projects/${project}/keys/${target.key_id}`;
        const shown = await fetch(path, { headers: { authorization: `Bearer ${token.access_token}` } });
        const first = fill(begin, shown.headers.get('etag') ?? '');
        expect(first, 'everything is filled in').not.toContain('…');
        const sample = await printed(operation, language);
        const script = language === 'curl'
          ? `${first}\n${sample.replace('curl ', "curl --silent --write-out '\\n%{http_code}' ")}`
          : `${first}\n${sample}`;
        const run = language === 'JavaScript' ? `(async () => {${script}\n})()` : script;
        const env = { PATH: process.env.PATH, SECRET_KEY: own.secret };
        const { stdout } = await promisify(execFile)(program, [code, run], { env });
        const printedStatus = language === 'curl' ? stdout.trim().split('\n').at(-1) : stdout.trim().split(' ')[0].split('\n')[0];
        expect(printedStatus, `${operation} with ${language}: ${stdout.replace(/kw_\w+|ey[\w.-]+/g, '…')}`).toBe(String(status));
      }
    }
    expect((await keyward.keys()).filter(key => key.created_by === 'Manager').length, 'each language made a key').toBe(3);
  });
});
