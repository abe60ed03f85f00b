import { brotliCompressSync } from 'node:zlib';
import { APP } from '../playwright.config';
import { Elsewhere } from '../support/elsewhere';
import { register } from '../support/program';
import { Provider } from '../support/provider';
import { expect, test as base } from '../support/test';

/** The test that goes the guide's way from the sign-in page on. */
const GUIDE = 'an empty token asks the person, in the two lines of the guide';
const CONFIG = { pop: 'people', version: 3 };

const test = base.extend<{ elsewhere: Elsewhere }>({
  elsewhere: async ({ keyward }, use) => {
    await keyward.setConfig(CONFIG);
    const elsewhere = await Elsewhere.open(keyward, await keyward.project());
    await use(elsewhere);
    elsewhere.close();
  },
});

test.describe('EyePop SDK', { tag: '@scripts' }, () => {
  test.beforeEach(async ({ site }, { title }) => {
    if (title === GUIDE) await site.signInOnPage();
    else await site.addSession();
    await register(site, 'Tide Lens', 'http://localhost/');
  });

  test(GUIDE, async ({ page, site, elsewhere }) => {
    await elsewhere.visit(page);
    const popup = await elsewhere.ask(page, 'As the guide prints it');
    await expect(popup.getByRole('heading', { name: 'Allow Tide Lens to use' })).toBeVisible();
    await expect(popup.getByText(new URL(elsewhere.origin).host)).toBeVisible();
    const closed = popup.waitForEvent('close');
    await popup.getByRole('button', { name: 'Allow' }).click();
    expect(await elsewhere.said(page)).toEqual({ got: CONFIG });
    await closed;
    await site.open('/settings/security');
    await expect(page.getByRole('region', { name: 'Grants' })).toContainText('Tide Lens');
  });

  test('who has to sign in first comes back to the question', async ({ page, site, keyward, elsewhere }) => {
    await site.open('/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await site.at('/login');
    await elsewhere.visit(page);
    const popup = await elsewhere.ask(page, 'As the guide prints it');
    await popup.getByLabel('Email').fill(keyward.person.email);
    await popup.getByLabel('Password').fill(keyward.person.password);
    await popup.getByRole('button', { name: 'Sign in' }).click();
    await popup.getByRole('button', { name: 'Allow' }).click();
    expect(await elsewhere.said(page)).toEqual({ got: CONFIG });
  });

  test('somebody else answers in the same window', async ({ page, keyward, elsewhere }) => {
    await elsewhere.visit(page);
    const popup = await elsewhere.ask(page, 'As the guide prints it');
    await popup.getByRole('link', { name: 'Not you?' }).click();
    await popup.getByRole('link', { name: 'Cancel' }).click();
    await expect(popup.getByRole('button', { name: 'Allow' })).toBeVisible();
    await popup.getByRole('link', { name: 'Not you?' }).click();
    await popup.getByRole('button', { name: 'Sign out' }).click();
    await popup.getByLabel('Email').fill(keyward.person.email);
    await popup.getByLabel('Password').fill(keyward.person.password);
    await popup.getByRole('button', { name: 'Sign in' }).click();
    await popup.getByRole('button', { name: 'Allow' }).click();
    expect(await elsewhere.said(page)).toEqual({ got: CONFIG });
  });

  test('a token has what was asked, is used as it is, and ends when the person says so', async ({ page, site, elsewhere, watch }) => {
    await elsewhere.visit(page);
    const popup = await elsewhere.ask(page, 'With a scope');
    await expect(popup.getByLabel('data:read')).toBeChecked();
    await popup.getByRole('button', { name: 'Allow' }).click();
    const { got } = await elsewhere.said(page);
    expect(got).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'data:read' });

    const windows = page.context().pages().length;
    const use = async () => {
      await page.evaluate(token => (window as any).fetchWith(token), got.access_token);
      return elsewhere.said(page);
    };
    expect(await use()).toEqual({ got: CONFIG });
    const settings = await site.tab('/settings/security');
    await settings.page.getByRole('button', { name: 'Revoke grant to Tide Lens' }).click();
    await expect(settings.toast).toContainText('Grant revoked.');
    await settings.page.close();
    watch.expectStatus(401);
    expect(await use()).toMatchObject({ typed: true, status: 401, failed: expect.stringMatching(/^(inactive|deleted|token_revoked|expired)$/) });
    expect(page.context().pages().length, 'a token that is given opens no window').toBe(windows);
  });

  test('a key’s token is used as it is; a bad one is refused with its code', async ({ page, keyward, elsewhere, watch }) => {
    const { secret } = await keyward.createKey('Server');
    const exchanged = await fetch(`${keyward.url}/authentication/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret_key: secret }),
    });
    const { access_token } = await exchanged.json();
    await elsewhere.visit(page);
    const use = async (token: string) => {
      await page.evaluate(token => (window as any).fetchWith(token), token);
      return elsewhere.said(page);
    };
    expect(await use(access_token)).toEqual({ got: CONFIG });
    watch.expectStatus(401);
    expect(await use('no.token.this')).toMatchObject({ failed: 'invalid_token', typed: true, status: 401 });
    expect(await use(secret)).toMatchObject({ failed: 'invalid_token', status: 401 });
    // What no header can carry is never sent.
    expect(await use('a\nb')).toMatchObject({ failed: 'unavailable', typed: true });
  });

  test('no is said with its code, and nothing is kept', async ({ page, site, elsewhere }) => {
    await elsewhere.visit(page);
    const popup = await elsewhere.ask(page, 'As the guide prints it');
    await popup.getByRole('button', { name: 'Deny' }).click();
    expect(await elsewhere.said(page)).toMatchObject({ failed: 'access_denied', typed: true, words: expect.stringMatching(/\w/) });
    await site.open('/settings/security');
    await expect(page.getByText('No active grants')).toBeVisible();
  });

  test('a window that is closed, and one that nobody answers', async ({ page, elsewhere }) => {
    await elsewhere.visit(page);
    await (await elsewhere.ask(page, 'As the guide prints it')).close();
    expect(await elsewhere.said(page)).toMatchObject({ failed: 'window_closed', typed: true });
    const popup = await elsewhere.ask(page, 'In a hurry');
    const closed = popup.waitForEvent('close');
    expect(await elsewhere.said(page)).toMatchObject({ failed: 'timeout', typed: true });
    await closed;
  });

  test('a window that the browser does not open', { tag: '@chromium' }, async ({ page, elsewhere }) => {
    await elsewhere.visit(page, '#unasked');
    expect(await elsewhere.said(page)).toMatchObject({ failed: 'popup_blocked', typed: true });
    expect(page.context().pages()).toHaveLength(1);
  });

  test('a page that has no WebCrypto is told why', async ({ page, elsewhere }) => {
    await elsewhere.visit(page, '', elsewhere.origin.replace('localhost', APP));
    await page.getByRole('button', { name: 'As the guide prints it' }).click();
    expect(await elsewhere.said(page)).toMatchObject({ failed: 'insecure_context', typed: true });
    expect(page.context().pages()).toHaveLength(1);
  });

  test('only the issuer’s message counts, and only with our state', async ({ page, keyward, elsewhere }) => {
    await elsewhere.visit(page);
    const popup = await elsewhere.ask(page, 'As the guide prints it');
    const state = new URL(popup.url()).searchParams.get('state');
    expect(state).toMatch(/^[\w-]{43}$/);
    const forged = { code: 'x'.repeat(43), state, iss: keyward.url };
    // Another origin that knows the state; and the issuer with another state, or with none.
    await page.evaluate(said => postMessage(said, '*'), forged);
    for (const said of [{ ...forged, state: 'another' }, { ...forged, state: undefined }, null, 'a word']) {
      await popup.evaluate(said => window.opener.postMessage(said, '*'), said);
    }
    await popup.getByRole('button', { name: 'Allow' }).click();
    expect(await elsewhere.said(page)).toEqual({ got: CONFIG });

    // The issuer's origin with our state, but another issuer's name (RFC 9207).
    const again = await elsewhere.ask(page, 'As the guide prints it');
    const other = { ...forged, state: new URL(again.url()).searchParams.get('state'), iss: 'https://evil.example' };
    await again.evaluate(said => window.opener.postMessage(said, '*'), other);
    expect(await elsewhere.said(page)).toMatchObject({ failed: 'wrong_issuer', typed: true });
  });

  test('the module is small, and any origin may import it', async ({ keyward }) => {
    const answer = await fetch(`${keyward.url}/sdk/v1.js`, { headers: { 'accept-encoding': 'gzip', origin: 'https://app.example' } });
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(answer.headers.get('cache-control')).toContain('max-age=3600');
    expect(brotliCompressSync(text).length, 'bytes, compressed').toBeLessThan(3 * 1024);
    expect(text, 'it imports nothing').not.toMatch(/^\s*import\b|\bimport\(|\brequire\(/m);

    const etag = answer.headers.get('etag') ?? '';
    const again = await fetch(`${keyward.url}/sdk/v1.js`, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(again.headers.get('etag')).toBe(etag);

    const types = await (await fetch(`${keyward.url}/sdk/v1.d.ts`)).text();
    const exported = (source: string) => [...source.matchAll(/export (?:async )?(?:function|class) (\w+)|as (\w+) }/g)].map(it => it[1] ?? it[2]).sort();
    expect(exported(text)).toEqual(['FetchPopConfig', 'KeywardError', 'fetchPopConfig', 'requestToken']);
    expect(exported(types)).toEqual(exported(text));
  });
});

test.describe('EyePop SDK, where people sign in with a provider', { tag: '@scripts' }, () => {
  const withProvider = test.extend<{ provider: Provider }>({
    provider: async ({}, use) => {
      const provider = await Provider.open();
      await use(provider);
      provider.close();
    },
    settings: async ({ provider }, use) => use({ ...provider.settings, KEYWARD_PASSWORDS: 'off' }),
  });
  withProvider.use({ template: 'empty' });

  withProvider('the tie to the page holds on the way there and back', async ({ page, site, keyward, provider }) => {
    provider.serve(keyward.url);
    await site.open('/login');
    await page.getByRole('link', { name: 'Sign in with Pelagic ID' }).click();
    await page.getByLabel('Account').fill('jonas');
    await page.getByRole('button', { name: 'Continue' }).click();
    await site.at('/keys');
    await keyward.setConfig(CONFIG);
    await register(site, 'Tide Lens', 'http://localhost/');
    await site.open('/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await site.at('/login');

    const elsewhere = await Elsewhere.open(keyward, await keyward.project());
    try {
      await elsewhere.visit(page);
      const popup = await elsewhere.ask(page, 'As the guide prints it');
      // The provider remembers: nothing is typed.
      await popup.getByRole('link', { name: 'Sign in with Pelagic ID' }).click();
      await popup.getByRole('button', { name: 'Allow' }).click();
      expect(await elsewhere.said(page)).toEqual({ got: CONFIG });
    } finally {
      elsewhere.close();
    }
  });
});
