import type { Keyward } from '../support/keyward';
import { registerApplication } from '../support/client-app';
import { expect, test } from '../support/test';

type DeviceAuthorization = { device_code: string; user_code: string; verification_uri: string; verification_uri_complete: string; interval: number };

const postForm = (keyward: Keyward, path: string, parameters: Record<string, string>) =>
  fetch(keyward.url + path, { method: 'POST', body: new URLSearchParams(parameters) });

/** Starts a device authorization (RFC 8628 section 3.1). */
async function authorizeDevice(keyward: Keyward, client: string, scope = 'data:read'): Promise<DeviceAuthorization> {
  const response = await postForm(keyward, '/oauth/device_authorization', { client_id: client, scope });
  expect(response.status).toBe(200);
  return response.json();
}

/** Polls the token endpoint once (RFC 8628 section 3.4). */
async function pollToken(keyward: Keyward, client: string, { device_code }: DeviceAuthorization): Promise<Record<string, string>> {
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
  return (await postForm(keyward, '/oauth/token', { grant_type, client_id: client, device_code })).json();
}

test('a user enters a code, and the device receives a token', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', 'https://buoywatch.example/done');
  const authorization = await authorizeDevice(keyward, client);
  expect(authorization.user_code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
  expect((await pollToken(keyward, client, authorization)).error).toBe('authorization_pending');
  await page.goto(authorization.verification_uri);
  await site.ready();
  await page.getByLabel('Code').fill('BBBB-BBBB');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('No device is waiting for this code.')).toBeVisible();
  await page.getByLabel('Code').fill(authorization.user_code.toLowerCase().replace('-', ' '));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('heading', { name: 'Allow Buoy Watch on your device to use' })).toBeVisible();
  await expect(page.getByText(authorization.user_code)).toBeVisible();
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Access allowed' })).toBeVisible();
  const token = await pollToken(keyward, client, authorization);
  expect(token).toMatchObject({ token_type: 'Bearer', scope: 'data:read', expires_in: 3600 });
  const config = await fetch(`${keyward.url}/v1/projects/${await keyward.project()}/config`, { headers: { authorization: `Bearer ${token.access_token}` } });
  expect(config.status).toBe(200);
  expect((await pollToken(keyward, client, authorization)).error).toBe('invalid_grant');
});

test('a prefilled code needs confirmation, and the device receives a denial', async ({ page, site, keyward }) => {
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', 'https://buoywatch.example/done');
  const authorization = await authorizeDevice(keyward, client);
  await page.goto(authorization.verification_uri_complete);
  await site.ready();
  await expect(page.getByLabel('Code')).toHaveValue(authorization.user_code);
  expect((await pollToken(keyward, client, authorization)).error, 'opening it allows nothing').toBe('authorization_pending');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Deny' }).click();
  await expect(page.getByRole('heading', { name: 'Access denied' })).toBeVisible();
  expect((await pollToken(keyward, client, authorization)).error).toBe('access_denied');
});

test('after sign-in, the user returns to the code', async ({ page, site, keyward }) => {
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', 'https://buoywatch.example/done');
  const authorization = await authorizeDevice(keyward, client);
  await site.open('/logout');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await site.waitForPath('/login');
  await page.goto(authorization.verification_uri_complete);
  await site.fillSignIn();
  await expect(page.getByLabel('Code')).toHaveValue(authorization.user_code);
});
