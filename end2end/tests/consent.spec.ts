import { Program, register } from '../support/program';
import { expect, test as base } from '../support/test';

const test = base.extend<{ program: Program }>({
  program: async ({}, use) => {
    const program = await Program.open();
    await use(program);
    program.close();
  },
});

test('a registered program asks, and gets what is left ticked', async ({ page, site, keyward, program }) => {
  await site.addSession();
  const client = await register(site, 'Buoy Watch', 'http://127.0.0.1/cb');
  await site.open('/logout');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await site.at('/login');

  // The person signs in first, and comes back to the question.
  await page.goto(program.asks(keyward, client));
  await site.fillSignIn();
  await expect(page.getByRole('heading', { name: 'Allow Buoy Watch to use' })).toBeVisible();
  await expect(page.getByText(new URL(program.origin).host)).toBeVisible();
  await expect(page.getByText(`Signed in as ${keyward.person.email}.`)).toBeVisible();
  await expect(page.getByLabel('Duration')).toHaveValue('86400');
  await page.getByLabel('usage:read').uncheck();
  await page.getByLabel('Duration').selectOption('1 hour');
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
  const answer = await program.heard();
  expect(answer.get('state')).toBe('a&b=c');
  expect(answer.get('iss')).toBe(keyward.url);
  expect(answer.get('code')).toMatch(/^[\w-]{43}$/);

  await site.open('/settings/security');
  const mine = page.getByRole('region', { name: 'Grants' });
  await expect(mine).toContainText('data:read');
  await expect(mine).not.toContainText('usage:read');
  expect(await page.content()).not.toContain(answer.get('code'));
  await mine.getByRole('button', { name: 'Revoke grant to Buoy Watch' }).click();
  await expect(site.toast).toContainText('Grant revoked.');
  await expect(mine).toContainText('No active grants');
});

test('no is told to the program, and nothing is kept', async ({ page, site, keyward, program }) => {
  await site.addSession();
  const client = await register(site, 'Buoy Watch', program.redirect);
  await page.goto(program.asks(keyward, client));
  await page.getByRole('button', { name: 'Deny' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
  const answer = await program.heard();
  expect([...answer.keys()].sort()).toEqual(['error', 'error_description', 'iss', 'state']);
  expect(answer.get('error')).toBe('access_denied');
  // Nothing is remembered: asked again, the person is asked again.
  await page.goto(program.asks(keyward, client));
  await expect(page.getByRole('button', { name: 'Allow' })).toBeVisible();
  await site.open('/settings/security');
  await expect(page.getByText('No active grants')).toBeVisible();
});

test('a program that nobody registered has no name', async ({ page, site, keyward, program }) => {
  await site.addSession();
  const resource = `${keyward.url}/projects/${await keyward.project()}`;
  await page.goto(program.asks(keyward, 'loopback', { resource, client_name: 'Your bank', name: 'Your bank' }));
  await expect(page.getByRole('heading', { name: 'Allow an unregistered application on this computer to use' })).toBeVisible();
  await expect(page.getByText('Your bank')).toHaveCount(0);
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
  expect((await program.heard()).get('code')).toMatch(/^[\w-]{43}$/);
});

test('the answer finds its way to an IPv6 address of this computer', async ({ page, site, keyward }) => {
  const program = await Program.open('::1');
  await site.addSession();
  await page.goto(program.asks(keyward, 'loopback', { resource: `${keyward.url}/projects/${await keyward.project()}` }));
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
  expect((await program.heard()).get('code')).toMatch(/^[\w-]{43}$/);
  program.close();
});

test('whoever is not known is answered nowhere', async ({ page, site, keyward, program, watch }) => {
  watch.expectStatus(400);
  await site.addSession();
  const client = await register(site, 'Buoy Watch', 'https://buoywatch.example/done');
  for (const asked of [
    program.asks(keyward, client),
    program.asks(keyward, 'client:0192f3a0-0000-7000-8000-000000000001'),
    program.asks(keyward, ''),
    program.asks(keyward, client, { redirect_uri: 'https://buoywatch.example/done?' }),
    program.asks(keyward, 'loopback', { redirect_uri: 'https://evil.example/' }),
  ]) {
    const answer = await page.goto(asked);
    expect(answer?.status(), asked).toBe(400);
    await expect(page.getByRole('heading', { name: 'Invalid authorization request' })).toBeVisible();
    expect(new URL(page.url()).origin).toBe(keyward.url);
  }
  expect(program.silent).toBe(true);
});

test('a mistake of the program is told to the program', async ({ page, site, keyward, program }) => {
  await site.addSession();
  const client = await register(site, 'Buoy Watch', program.redirect);
  for (const [more, error] of [
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ scope: 'data:read tides:turn' }, 'invalid_scope'],
  ] as const) {
    await page.goto(program.asks(keyward, client, more));
    await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();
    expect((await program.heard()).get('error')).toBe(error);
  }
});

test.describe('from a page of another origin', { tag: '@scripts' }, () => {
  for (const signedIn of [true, false]) {
    test(`the window tells its opener alone, ${signedIn ? 'signed in' : 'signed in on the way'}`, async ({ page, site, keyward, program }) => {
      await site.addSession();
      await register(site, 'Buoy Watch', `${program.origin}/`);
      if (!signedIn) {
        await site.open('/logout');
        await page.getByRole('button', { name: 'Sign out' }).click();
        await site.at('/login');
      }
      const resource = `${keyward.url}/projects/${await keyward.project()}`;
      const asked = program.asks(keyward, 'origin', { redirect_uri: program.origin, resource, response_mode: 'web_message' });
      await page.goto(program.origin);
      await page.evaluate(() => {
        (window as any).said = new Promise(resolve => addEventListener('message', event => resolve({ origin: event.origin, ...event.data })));
      });
      const opened = page.waitForEvent('popup');
      await page.evaluate(address => void window.open(address, 'consent', 'popup,width=480,height=720'), asked);
      const popup = await opened;
      if (!signedIn) {
        await popup.getByLabel('Email').fill(keyward.person.email);
        await popup.getByLabel('Password').fill(keyward.person.password);
        await popup.getByRole('button', { name: 'Sign in' }).click();
      }
      const closed = popup.waitForEvent('close');
      await popup.getByRole('button', { name: 'Allow' }).click();
      const said: any = await page.evaluate(() => (window as any).said);
      await closed;
      expect(said).toEqual({ origin: keyward.url, code: expect.stringMatching(/^[\w-]{43}$/), state: 'a&b=c', iss: keyward.url });
    });
  }
});
