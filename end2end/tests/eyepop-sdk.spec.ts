import { brotliCompressSync } from 'node:zlib';
import { APP } from '../playwright.config';
import { ThirdPartyPage } from '../support/third-party-page';
import { registerApplication } from '../support/client-app';
import { Provider } from '../support/provider';
import { expect, test as base } from '../support/test';

/** The test that follows the guide from the sign-in page. */
const GUIDE = 'an empty token asks the user for consent, with the two lines of the guide';
const CONFIG = { pop: 'people', version: 3 };

const test = base.extend<{ thirdParty: ThirdPartyPage }>({
  thirdParty: async ({ keyward }, use) => {
    await keyward.setConfig(CONFIG);
    const thirdParty = await ThirdPartyPage.open(keyward, await keyward.project());
    await use(thirdParty);
    thirdParty.close();
  },
});

test.describe('EyePop SDK', { tag: '@scripts' }, () => {
  test.beforeEach(async ({ site }, { title }) => {
    if (title === GUIDE) await site.signInOnPage();
    else await site.addSession();
    await registerApplication(site, 'Tide Lens', 'http://localhost/');
  });

  test(GUIDE, async ({ page, site, thirdParty }) => {
    await thirdParty.visit(page);
    const popup = await thirdParty.openPopup(page, 'As in the guide');
    await expect(popup.getByRole('heading', { name: 'Allow Tide Lens to use' })).toBeVisible();
    await expect(popup.getByText(new URL(thirdParty.origin).host)).toBeVisible();
    const closed = popup.waitForEvent('close');
    await popup.getByRole('button', { name: 'Allow' }).click();
    expect(await thirdParty.result(page)).toEqual({ got: CONFIG });
    await closed;
    await site.open('/settings/security');
    await expect(page.getByRole('region', { name: 'Grants' })).toContainText('Tide Lens');
  });

  test('after sign-in, the user returns to the consent page', async ({ page, site, keyward, thirdParty }) => {
    await site.open('/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await site.waitForPath('/login');
    await thirdParty.visit(page);
    const popup = await thirdParty.openPopup(page, 'As in the guide');
    await popup.getByLabel('Email').fill(keyward.user.email);
    await popup.getByLabel('Password').fill(keyward.user.password);
    await popup.getByRole('button', { name: 'Sign in' }).click();
    await popup.getByRole('button', { name: 'Allow' }).click();
    expect(await thirdParty.result(page)).toEqual({ got: CONFIG });
  });

  test('a different user answers in the same window', async ({ page, keyward, thirdParty }) => {
    await thirdParty.visit(page);
    const popup = await thirdParty.openPopup(page, 'As in the guide');
    await popup.getByRole('link', { name: 'Not you?' }).click();
    await popup.getByRole('link', { name: 'Cancel' }).click();
    await expect(popup.getByRole('button', { name: 'Allow' })).toBeVisible();
    await popup.getByRole('link', { name: 'Not you?' }).click();
    await popup.getByRole('button', { name: 'Sign out' }).click();
    await popup.getByLabel('Email').fill(keyward.user.email);
    await popup.getByLabel('Password').fill(keyward.user.password);
    await popup.getByRole('button', { name: 'Sign in' }).click();
    await popup.getByRole('button', { name: 'Allow' }).click();
    expect(await thirdParty.result(page)).toEqual({ got: CONFIG });
  });

  test('a token has the requested scope and is denied after the user revokes the grant', async ({ page, site, thirdParty, monitor }) => {
    await thirdParty.visit(page);
    const popup = await thirdParty.openPopup(page, 'With a scope');
    await expect(popup.getByLabel('data:read')).toBeChecked();
    await popup.getByRole('button', { name: 'Allow' }).click();
    const { got } = await thirdParty.result(page);
    expect(got).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'data:read' });

    const windows = page.context().pages().length;
    const use = async () => {
      await page.evaluate(token => (window as any).fetchWith(token), got.access_token);
      return thirdParty.result(page);
    };
    expect(await use()).toEqual({ got: CONFIG });
    const settings = await site.tab('/settings/security');
    await settings.page.getByRole('button', { name: 'Revoke grant to Tide Lens' }).click();
    await expect(settings.toast).toContainText('Grant revoked.');
    await settings.page.close();
    monitor.expectStatus(401);
    expect(await use()).toMatchObject({ typed: true, status: 401, failed: expect.stringMatching(/^(inactive|deleted|token_revoked|expired)$/) });
    expect(page.context().pages().length, 'a token that is given opens no window').toBe(windows);
  });

  test('an existing token is used without consent; an invalid token is denied with its code', async ({ page, keyward, thirdParty, monitor }) => {
    const { secret } = await keyward.createKey('Server');
    const exchanged = await fetch(`${keyward.url}/authentication/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret_key: secret }),
    });
    const { access_token } = await exchanged.json();
    await thirdParty.visit(page);
    const use = async (token: string) => {
      await page.evaluate(token => (window as any).fetchWith(token), token);
      return thirdParty.result(page);
    };
    expect(await use(access_token)).toEqual({ got: CONFIG });
    monitor.expectStatus(401);
    expect(await use('no.token.this')).toMatchObject({ failed: 'invalid_token', typed: true, status: 401 });
    expect(await use(secret)).toMatchObject({ failed: 'invalid_token', status: 401 });
    // A token that is invalid in a header is not sent.
    expect(await use('a\nb')).toMatchObject({ failed: 'unavailable', typed: true });
  });

  test('a denial has its error code, and no grant is created', async ({ page, site, thirdParty }) => {
    await thirdParty.visit(page);
    const popup = await thirdParty.openPopup(page, 'As in the guide');
    await popup.getByRole('button', { name: 'Deny' }).click();
    expect(await thirdParty.result(page)).toMatchObject({ failed: 'access_denied', typed: true, message: expect.stringMatching(/\w/) });
    await site.open('/settings/security');
    await expect(page.getByText('No active grants')).toBeVisible();
  });

  test('a closed window and a timeout have their error codes', async ({ page, thirdParty }) => {
    await thirdParty.visit(page);
    await (await thirdParty.openPopup(page, 'As in the guide')).close();
    expect(await thirdParty.result(page)).toMatchObject({ failed: 'window_closed', typed: true });
    const popup = await thirdParty.openPopup(page, 'With a short timeout');
    const closed = popup.waitForEvent('close');
    expect(await thirdParty.result(page)).toMatchObject({ failed: 'timeout', typed: true });
    await closed;
  });

  test('a blocked popup has its error code', { tag: '@chromium' }, async ({ page, thirdParty }) => {
    await thirdParty.visit(page, '#on-load');
    expect(await thirdParty.result(page)).toMatchObject({ failed: 'popup_blocked', typed: true });
    expect(page.context().pages()).toHaveLength(1);
  });

  test('a page without WebCrypto gets the error insecure_context', async ({ page, thirdParty }) => {
    await thirdParty.visit(page, '', thirdParty.origin.replace('localhost', APP));
    await page.getByRole('button', { name: 'As in the guide' }).click();
    expect(await thirdParty.result(page)).toMatchObject({ failed: 'insecure_context', typed: true });
    expect(page.context().pages()).toHaveLength(1);
  });

  test('only a message of the issuer with the expected state is accepted', async ({ page, keyward, thirdParty }) => {
    await thirdParty.visit(page);
    const popup = await thirdParty.openPopup(page, 'As in the guide');
    const state = new URL(popup.url()).searchParams.get('state');
    expect(state).toMatch(/^[\w-]{43}$/);
    const forged = { code: 'x'.repeat(43), state, iss: keyward.url };
    // Another origin with the right state; the issuer with a wrong state or none.
    await page.evaluate(message => postMessage(message, '*'), forged);
    for (const message of [{ ...forged, state: 'another' }, { ...forged, state: undefined }, null, 'a word']) {
      await popup.evaluate(message => window.opener.postMessage(message, '*'), message);
    }
    await popup.getByRole('button', { name: 'Allow' }).click();
    expect(await thirdParty.result(page)).toEqual({ got: CONFIG });

    // The issuer's origin with the right state, but a wrong `iss` (RFC 9207).
    const again = await thirdParty.openPopup(page, 'As in the guide');
    const other = { ...forged, state: new URL(again.url()).searchParams.get('state'), iss: 'https://evil.example' };
    await again.evaluate(message => window.opener.postMessage(message, '*'), other);
    expect(await thirdParty.result(page)).toMatchObject({ failed: 'wrong_issuer', typed: true });
  });

  test('the module is small and can be imported from any origin', async ({ keyward }) => {
    const response = await fetch(`${keyward.url}/sdk/v1.js`, { headers: { 'accept-encoding': 'gzip', origin: 'https://app.example' } });
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(response.headers.get('cache-control')).toContain('max-age=3600');
    expect(brotliCompressSync(text).length, 'bytes, compressed').toBeLessThan(3 * 1024);
    expect(text, 'it imports nothing').not.toMatch(/^\s*import\b|\bimport\(|\brequire\(/m);

    const etag = response.headers.get('etag') ?? '';
    const again = await fetch(`${keyward.url}/sdk/v1.js`, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(again.headers.get('etag')).toBe(etag);

    const types = await (await fetch(`${keyward.url}/sdk/v1.d.ts`)).text();
    const exported = (source: string) => [...source.matchAll(/export (?:async )?(?:function|class) (\w+)|as (\w+) }/g)].map(it => it[1] ?? it[2]).sort();
    expect(exported(text)).toEqual(['FetchPopConfig', 'KeywardError', 'fetchPopConfig', 'requestToken']);
    expect(exported(types)).toEqual(exported(text));
  });
});

test.describe('EyePop SDK with an identity provider', { tag: '@scripts' }, () => {
  const withProvider = test.extend<{ provider: Provider }>({
    provider: async ({}, use) => {
      const provider = await Provider.open();
      await use(provider);
      provider.close();
    },
    settings: async ({ provider }, use) => use({ ...provider.settings, KEYWARD_PASSWORDS: 'off' }),
  });
  withProvider.use({ template: 'empty' });

  withProvider('the popup keeps its opener through the redirects of the provider', async ({ page, site, keyward, provider }) => {
    provider.serve(keyward.url);
    await site.open('/login');
    await page.getByRole('link', { name: 'Sign in with Pelagic ID' }).click();
    await page.getByLabel('Account').fill('jonas');
    await page.getByRole('button', { name: 'Continue' }).click();
    await site.waitForPath('/keys');
    await keyward.setConfig(CONFIG);
    await registerApplication(site, 'Tide Lens', 'http://localhost/');
    await site.open('/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await site.waitForPath('/login');

    const elsewhere = await ThirdPartyPage.open(keyward, await keyward.project());
    try {
      await elsewhere.visit(page);
      const popup = await elsewhere.openPopup(page, 'As in the guide');
      // The provider has a session and shows no form.
      await popup.getByRole('link', { name: 'Sign in with Pelagic ID' }).click();
      await popup.getByRole('button', { name: 'Allow' }).click();
      expect(await elsewhere.result(page)).toEqual({ got: CONFIG });
    } finally {
      elsewhere.close();
    }
  });
});
