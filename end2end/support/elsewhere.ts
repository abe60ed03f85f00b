import { expect, type Page } from '@playwright/test';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Keyward } from './keyward';
import { NO_ICON } from './program';

/** The two lines of EyePop's guide, as they are printed. */
const GUIDE = `
var token = '';
EyePopSDK.EyePopAPI.FetchPopConfig(POP_UUID, token);
`;

const html = (keyward: Keyward, project: string) => `<!doctype html><html lang="en"><title>Tide Lens</title>${NO_ICON}<h1>Tide Lens</h1>
<button>As the guide prints it</button><button>With a scope</button><button>In a hurry</button><output></output>
<script type="module">
  import * as EyePopAPI from '${keyward.url}/sdk/v1.js';
  const EyePopSDK = { EyePopAPI }, POP_UUID = '${project}';
  const asks = [
    () => eval(${JSON.stringify(GUIDE)}),
    () => EyePopAPI.requestToken(POP_UUID, { scope: 'data:read', expiresIn: 600 }),
    () => EyePopAPI.requestToken(POP_UUID, { timeout: 3000 }),
  ];
  const output = document.querySelector('output');
  const show = asked => asked.then(
    got => ({ got }),
    it => ({ failed: it.code, typed: it instanceof EyePopAPI.KeywardError, status: it.status, words: it.message }),
  ).then(said => (output.textContent = JSON.stringify(said)));
  document.querySelectorAll('button').forEach((button, at) => (button.onclick = () => (output.textContent = '', show(asks[at]()))));
  window.fetchWith = token => show(EyePopAPI.fetchPopConfig(POP_UUID, token));
  if (location.hash === '#unasked') await show(asks[0]());
  document.documentElement.dataset.ready = '';
</script></html>`;

export type Said = { got?: any; failed?: string; typed?: boolean; status?: number; words?: string };

/** A page of another site than Keyward's `127.0.0.1`, which has nothing of Keyward but the SDK. */
export class Elsewhere {
  private constructor(private readonly server: Server) {}

  static async open(keyward: Keyward, project: string): Promise<Elsewhere> {
    const server = createServer((request, response) => {
      const page = request.url === '/';
      response.writeHead(page ? 200 : 204, { 'content-type': 'text/html; charset=utf-8' });
      response.end(page ? html(keyward, project) : undefined);
    });
    await once(server.listen(0, 'localhost'), 'listening');
    return new Elsewhere(server);
  }

  get origin(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** Opens the page; `#unasked`: it asks by itself, without a click. */
  async visit(page: Page, hash = '', origin = this.origin): Promise<void> {
    await page.goto(`${origin}/${hash}`);
    await page.locator('html[data-ready]').waitFor({ state: 'attached' });
  }

  /** Presses a button, and says which window opens. */
  async ask(page: Page, button: string): Promise<Page> {
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: button }).click();
    const popup = await opened;
    await popup.waitForURL(/\/(authorize|login)\?/, { waitUntil: 'commit' });
    return popup;
  }

  /** What the page heard. */
  async said(page: Page): Promise<Said> {
    await expect(page.locator('output')).not.toBeEmpty();
    return JSON.parse(await page.locator('output').innerText());
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
