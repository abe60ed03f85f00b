import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SECRET } from '../support/keyward';
import { CustomerServer, SERVERS } from '../support/customer-server';
import { expect, test } from '../support/test';

const CONFIG = { pop: 'people', version: 3 };
const PASSWORD = randomBytes(18).toString('base64url');
const basic = (name: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` });

test.use({ httpCredentials: { username: 'maren', password: PASSWORD } });

for (const [language, command] of Object.entries(SERVERS)) {
  test(`EyePop client side, in ${language}`, async ({ page, keyward, scripted, monitor }) => {
    await keyward.setConfig(CONFIG);
    const key = await keyward.createKey('Client side');
    const settings = { KEYWARD_URL: keyward.url, KEYWARD_PROJECT: key.project_id, KEYWARD_KEY: key.secret, APP_PASSWORD: PASSWORD };
    const own = await CustomerServer.start(command, settings);
    const ask = async (headers: Record<string, string> = basic('maren', PASSWORD)) => {
      const reply = await fetch(`${own.url}/api/eyepop/auth`, { method: 'POST', headers });
      expect(reply.headers.get('cache-control')).toBe('no-store');
      expect(reply.headers.get('access-control-allow-origin')).toBeNull();
      return { status: reply.status, body: await reply.json() };
    };
    const config = (token: string) =>
      fetch(`${keyward.url}/pops/${key.project_id}/config?auto_start=false`, { headers: { authorization: `Bearer ${token}` } });
    try {
      // The server authenticates its user first.
      const bearer = { authorization: `Bearer ${PASSWORD}` };
      for (const headers of [{}, basic('maren', 'guessed'), basic('maren', ''), basic('', PASSWORD), bearer, { authorization: 'Basic' }, { authorization: 'Basic !' }]) {
        expect(await ask(headers as Record<string, string>), JSON.stringify(headers)).toEqual({ status: 401, body: { error: 'unauthorized' } });
      }

      // The response has only a token, valid for one day.
      const { status, body } = await ask();
      expect(status).toBe(200);
      expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in']);
      expect(body.expires_in).toBe(86_400);
      const read = await config(body.access_token);
      expect([read.status, await read.json()]).toEqual([200, CONFIG]);

      // The page in a browser.
      if (scripted) {
        await page.goto(own.url);
        await expect(page.locator('#config')).toHaveText(JSON.stringify(CONFIG, null, 2));
        expect(await page.content()).not.toMatch(SECRET);
      }

      // Keyward is unreachable for a while.
      await keyward.stop();
      expect(await ask()).toEqual({ status: 502, body: { error: 'unavailable' } });
      await keyward.start();
      await expect.poll(async () => (await ask()).status).toBe(200);

      // The key is deactivated: no new tokens, and existing ones are denied. The response of Keyward is not passed on.
      await keyward.run(['keys', 'deactivate', key.key_id]);
      await expect.poll(() => ask()).toEqual({ status: 502, body: { error: 'unavailable' } });
      expect((await config(body.access_token)).status).toBe(401);
      if (scripted) {
        monitor.expectStatus(502);
        await page.reload();
        await expect(page.locator('#config')).toHaveText('The config could not be read: unavailable');
      }
      expect(own.output).toMatch(/token request failed: Keyward responded with 401 .*inactive/);
      expect(own.output).not.toMatch(SECRET);
      expect(own.output).not.toContain(body.access_token);
    } finally {
      await own.stop();
    }
  });

  test(`EyePop client side, in ${language}: fails closed`, { tag: '@plain' }, async () => {
    const all = { KEYWARD_URL: 'http://127.0.0.1:9', KEYWARD_PROJECT: 'p', KEYWARD_KEY: 'k', APP_PASSWORD: PASSWORD };
    for (const missing of Object.keys(all)) {
      for (const settings of [{ ...all, [missing]: '' }, Object.fromEntries(Object.entries(all).filter(([name]) => name !== missing))]) {
        const own = await CustomerServer.start(command, settings);
        expect(own.exitCode, missing).toBe(1);
        expect(own.output).toContain(`Set ${missing}.`);
      }
    }

    // Faulty servers instead of Keyward: no response, an invalid response, a redirect.
    const token = { access_token: 'a.b.c', expires_in: 60 };
    const replies: [number, string, Record<string, string>?][] = [
      [200, 'a word'],
      [200, 'null'],
      [200, '{"access_token": 1, "expires_in": 60}'],
      [200, '{"access_token": "a.b.c"}'],
      [201, JSON.stringify(token)],
      [500, JSON.stringify(token)],
      [307, JSON.stringify(token), { location: '/elsewhere' }],
    ];
    let reply = replies[0];
    let silent = false;
    const paths: string[] = [];
    const other = createServer((request, response) => {
      paths.push(request.url ?? '');
      if (!silent) response.writeHead(reply[0], { 'content-type': 'application/json', ...reply[2] }).end(reply[1]);
    });
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
    const KEYWARD_URL = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const own = await CustomerServer.start(command, { ...all, KEYWARD_URL });
    const ask = async () => {
      const response = await fetch(`${own.url}/api/eyepop/auth`, { method: 'POST', headers: basic('maren', PASSWORD) });
      return [response.status, await response.json()];
    };
    try {
      for (reply of replies) expect(await ask(), `${reply}`).toEqual([502, { error: 'unavailable' }]);
      silent = true;
      expect(await ask()).toEqual([502, { error: 'unavailable' }]);
      silent = false;
      reply = [200, JSON.stringify({ ...token, refresh_token: 'not to be passed on' })];
      expect(await ask()).toEqual([200, token]);
      expect(new Set(paths)).toEqual(new Set(['/authentication/token']));
    } finally {
      await own.stop();
      other.closeAllConnections();
      other.close();
    }
  });
}
