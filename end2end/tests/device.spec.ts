import type { Keyward } from '../support/keyward';
import { register } from '../support/program';
import { expect, test } from '../support/test';

type Begun = { device_code: string; user_code: string; verification_uri: string; verification_uri_complete: string; interval: number };

const ask = (keyward: Keyward, path: string, parameters: Record<string, string>) =>
  fetch(keyward.url + path, { method: 'POST', body: new URLSearchParams(parameters) });

/** A device of this program begins. */
async function begin(keyward: Keyward, client: string, scope = 'data:read'): Promise<Begun> {
  const answer = await ask(keyward, '/oauth/device_authorization', { client_id: client, scope });
  expect(answer.status).toBe(200);
  return answer.json();
}

/** What the device hears when it asks. */
async function poll(keyward: Keyward, client: string, { device_code }: Begun): Promise<Record<string, string>> {
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
  return (await ask(keyward, '/oauth/token', { grant_type, client_id: client, device_code })).json();
}

test('a code is typed, and the device goes on', async ({ page, site, keyward, watch }) => {
  watch.expectStatus(422);
  await site.addSession();
  const client = await register(site, 'Buoy Watch', 'https://buoywatch.example/done');
  const begun = await begin(keyward, client);
  expect(begun.user_code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
  expect((await poll(keyward, client, begun)).error).toBe('authorization_pending');
  await page.goto(begun.verification_uri);
  await site.ready();
  await page.getByLabel('Code').fill('BBBB-BBBB');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('No device is waiting for this code.')).toBeVisible();
  await page.getByLabel('Code').fill(begun.user_code.toLowerCase().replace('-', ' '));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('heading', { name: 'Allow Buoy Watch on your device to use' })).toBeVisible();
  await expect(page.getByText(begun.user_code)).toBeVisible();
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Access allowed' })).toBeVisible();
  const token = await poll(keyward, client, begun);
  expect(token).toMatchObject({ token_type: 'Bearer', scope: 'data:read', expires_in: 3600 });
  const config = await fetch(`${keyward.url}/v1/projects/${await keyward.project()}/config`, { headers: { authorization: `Bearer ${token.access_token}` } });
  expect(config.status).toBe(200);
  expect((await poll(keyward, client, begun)).error).toBe('invalid_grant');
});

test('a code that is there already is confirmed by a press, and no is heard', async ({ page, site, keyward }) => {
  await site.addSession();
  const client = await register(site, 'Buoy Watch', 'https://buoywatch.example/done');
  const begun = await begin(keyward, client);
  await page.goto(begun.verification_uri_complete);
  await site.ready();
  await expect(page.getByLabel('Code')).toHaveValue(begun.user_code);
  expect((await poll(keyward, client, begun)).error, 'opening it allows nothing').toBe('authorization_pending');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Deny' }).click();
  await expect(page.getByRole('heading', { name: 'Access denied' })).toBeVisible();
  expect((await poll(keyward, client, begun)).error).toBe('access_denied');
});

test('whoever is not signed in comes back to the code', async ({ page, site, keyward }) => {
  await site.addSession();
  const client = await register(site, 'Buoy Watch', 'https://buoywatch.example/done');
  const begun = await begin(keyward, client);
  await site.open('/logout');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await site.at('/login');
  await page.goto(begun.verification_uri_complete);
  await site.fillSignIn();
  await expect(page.getByLabel('Code')).toHaveValue(begun.user_code);
});
