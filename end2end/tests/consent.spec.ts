import { ClientApp, registerApplication } from '../support/client-app';
import { expect, test as base } from '../support/test';

const test = base.extend<{ app: ClientApp }>({
  app: async ({}, use) => {
    const app = await ClientApp.open();
    await use(app);
    app.close();
  },
});

test('a registered application receives the selected scopes', async ({ page, site, keyward, app }) => {
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', 'http://127.0.0.1/cb');
  await site.open('/logout');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await site.waitForPath('/login');

  // The user signs in first, and returns to the consent page.
  await page.goto(app.authorizationUrl(keyward, client));
  await site.fillSignIn();
  await expect(page.getByRole('heading', { name: 'Allow Buoy Watch to use' })).toBeVisible();
  await expect(page.getByText(new URL(app.origin).host)).toBeVisible();
  await expect(page.getByText(`Signed in as ${keyward.user.email}.`)).toBeVisible();
  await expect(page.getByLabel('Duration')).toHaveValue('86400');
  await page.getByLabel('usage:read').uncheck();
  await page.getByLabel('Duration').selectOption('1 hour');
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
  const response = await app.nextResponse();
  expect(response.get('state')).toBe('a&b=c');
  expect(response.get('iss')).toBe(keyward.url);
  expect(response.get('code')).toMatch(/^[\w-]{43}$/);

  await site.open('/settings/security');
  const mine = page.getByRole('region', { name: 'Grants' });
  await expect(mine).toContainText('data:read');
  await expect(mine).not.toContainText('usage:read');
  expect(await page.content()).not.toContain(response.get('code'));
  await mine.getByRole('button', { name: 'Revoke grant to Buoy Watch' }).click();
  await expect(site.toast).toContainText('Grant revoked.');
  await expect(mine).toContainText('No active grants');
});

test('a denial is sent to the application, and no grant is created', async ({ page, site, keyward, app }) => {
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', app.redirect);
  await page.goto(app.authorizationUrl(keyward, client));
  await page.getByRole('button', { name: 'Deny' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
  const response = await app.nextResponse();
  expect([...response.keys()].sort()).toEqual(['error', 'error_description', 'iss', 'state']);
  expect(response.get('error')).toBe('access_denied');
  // The denial is not stored: the next request shows the consent page again.
  await page.goto(app.authorizationUrl(keyward, client));
  await expect(page.getByRole('button', { name: 'Allow' })).toBeVisible();
  await site.open('/settings/security');
  await expect(page.getByText('No active grants')).toBeVisible();
});

test('an unregistered application has no name', async ({ page, site, keyward, app }) => {
  await site.addSession();
  const resource = `${keyward.url}/projects/${await keyward.project()}`;
  await page.goto(app.authorizationUrl(keyward, 'loopback', { resource, client_name: 'Your bank', name: 'Your bank' }));
  await expect(page.getByRole('heading', { name: 'Allow an unregistered application on this computer to use' })).toBeVisible();
  await expect(page.getByText('Your bank')).toHaveCount(0);
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
  expect((await app.nextResponse()).get('code')).toMatch(/^[\w-]{43}$/);
});

test('an application receives the response at an IPv6 loopback address', async ({ page, site, keyward }) => {
  const app = await ClientApp.open('::1');
  await site.addSession();
  await page.goto(app.authorizationUrl(keyward, 'loopback', { resource: `${keyward.url}/projects/${await keyward.project()}` }));
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
  expect((await app.nextResponse()).get('code')).toMatch(/^[\w-]{43}$/);
  app.close();
});

test('an invalid client or redirect URL causes no redirect', async ({ page, site, keyward, app, monitor }) => {
  monitor.expectStatus(400);
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', 'https://buoywatch.example/done');
  for (const url of [
    app.authorizationUrl(keyward, client),
    app.authorizationUrl(keyward, 'client:0192f3a0-0000-7000-8000-000000000001'),
    app.authorizationUrl(keyward, ''),
    app.authorizationUrl(keyward, client, { redirect_uri: 'https://buoywatch.example/done?' }),
    app.authorizationUrl(keyward, 'loopback', { redirect_uri: 'https://evil.example/' }),
  ]) {
    const response = await page.goto(url);
    expect(response?.status(), url).toBe(400);
    await expect(page.getByRole('heading', { name: 'Invalid authorization request' })).toBeVisible();
    expect(new URL(page.url()).origin).toBe(keyward.url);
  }
  expect(app.hasNoResponse).toBe(true);
});

test('an invalid request is reported to the application', async ({ page, site, keyward, app }) => {
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', app.redirect);
  for (const [more, error] of [
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ scope: 'data:read tides:turn' }, 'invalid_scope'],
  ] as const) {
    await page.goto(app.authorizationUrl(keyward, client, more));
    await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
    expect((await app.nextResponse()).get('error')).toBe(error);
  }
});

test.describe('from a page of another origin', { tag: '@scripts' }, () => {
  for (const signedIn of [true, false]) {
    test(`the popup sends the response only to its opener, ${signedIn ? 'with a session' : 'after sign-in'}`, async ({ page, site, keyward, app }) => {
      await site.addSession();
      await registerApplication(site, 'Buoy Watch', `${app.origin}/`);
      if (!signedIn) {
        await site.open('/logout');
        await page.getByRole('button', { name: 'Sign out' }).click();
        await site.waitForPath('/login');
      }
      const resource = `${keyward.url}/projects/${await keyward.project()}`;
      const url = app.authorizationUrl(keyward, 'origin', { redirect_uri: app.origin, resource, response_mode: 'web_message' });
      await page.goto(app.origin);
      await page.evaluate(() => {
        (window as any).received = new Promise(resolve => addEventListener('message', event => resolve({ origin: event.origin, ...event.data })));
      });
      const opened = page.waitForEvent('popup');
      await page.evaluate(address => void window.open(address, 'consent', 'popup,width=480,height=720'), url);
      const popup = await opened;
      if (!signedIn) {
        await popup.getByLabel('Email').fill(keyward.user.email);
        await popup.getByLabel('Password').fill(keyward.user.password);
        await popup.getByRole('button', { name: 'Sign in' }).click();
      }
      const closed = popup.waitForEvent('close');
      await popup.getByRole('button', { name: 'Allow' }).click();
      const message: any = await page.evaluate(() => (window as any).received);
      await closed;
      expect(message).toEqual({ origin: keyward.url, code: expect.stringMatching(/^[\w-]{43}$/), state: 'a&b=c', iss: keyward.url });
    });
  }
});
