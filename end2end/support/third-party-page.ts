import { expect, type Page } from '@playwright/test';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Keyward } from './keyward';
import { NO_ICON } from './client-app';

/** The two lines of EyePop's guide. */
const GUIDE = `
var token = '';
EyePopSDK.EyePopAPI.FetchPopConfig(POP_UUID, token);
`;

const html = (keyward: Keyward, project: string) => `<!doctype html><html lang="en"><title>Tide Lens</title>${NO_ICON}<h1>Tide Lens</h1>
<button>As in the guide</button><button>With a scope</button><button>With a short timeout</button><output></output>
<script type="module">
  import * as EyePopAPI from '${keyward.url}/sdk/v1.js';
  const EyePopSDK = { EyePopAPI }, POP_UUID = '${project}';
  const calls = [
    () => eval(${JSON.stringify(GUIDE)}),
    () => EyePopAPI.requestToken(POP_UUID, { scope: 'data:read', expiresIn: 600 }),
    () => EyePopAPI.requestToken(POP_UUID, { timeout: 3000 }),
  ];
  const output = document.querySelector('output');
  const show = call => call.then(
    got => ({ got }),
    it => ({ failed: it.code, typed: it instanceof EyePopAPI.KeywardError, status: it.status, message: it.message }),
  ).then(result => (output.textContent = JSON.stringify(result)));
  document.querySelectorAll('button').forEach((button, at) => (button.onclick = () => (output.textContent = '', show(calls[at]()))));
  window.fetchWith = token => show(EyePopAPI.fetchPopConfig(POP_UUID, token));
  if (location.hash === '#on-load') await show(calls[0]());
  document.documentElement.dataset.ready = '';
</script></html>`;

export type SdkResult = { got?: any; failed?: string; typed?: boolean; status?: number; message?: string };

/** A page on another site than Keyward's `127.0.0.1`. It uses only the SDK. */
export class ThirdPartyPage {
  private constructor(private readonly server: Server) {}

  static async open(keyward: Keyward, project: string): Promise<ThirdPartyPage> {
    const server = createServer((request, response) => {
      const page = request.url === '/';
      response.writeHead(page ? 200 : 204, { 'content-type': 'text/html; charset=utf-8' });
      response.end(page ? html(keyward, project) : undefined);
    });
    await once(server.listen(0, 'localhost'), 'listening');
    return new ThirdPartyPage(server);
  }

  get origin(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** Opens the page. With `#on-load`, it requests a token without a click. */
  async visit(page: Page, hash = '', origin = this.origin): Promise<void> {
    await page.goto(`${origin}/${hash}`);
    await page.locator('html[data-ready]').waitFor({ state: 'attached' });
  }

  /** Clicks a button, and returns the popup that opens. */
  async openPopup(page: Page, button: string): Promise<Page> {
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: button }).click();
    const popup = await opened;
    await popup.waitForURL(/\/(authorize|login)\?/, { waitUntil: 'commit' });
    return popup;
  }

  /** Returns the result of the last call of the SDK. */
  async result(page: Page): Promise<SdkResult> {
    await expect(page.locator('output')).not.toBeEmpty();
    return JSON.parse(await page.locator('output').innerText());
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
