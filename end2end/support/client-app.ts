import { expect, type Page } from '@playwright/test';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Keyward } from './keyward';
import type { Site } from './site';

/** Time limit for a response, in milliseconds. */
const TIME_LIMIT = 30_000;

/** Prevents a request for `/favicon.ico`, which could arrive after the server is closed. */
export const NO_ICON = '<link rel="icon" href="data:,">';

/** An OAuth client on this computer with a loopback redirect URL (RFC 8252 section 7.3). */
export class ClientApp {
  readonly verifier = randomBytes(32).toString('base64url');
  private readonly responses: URLSearchParams[] = [];
  private constructor(private readonly server: Server, private readonly host: string) {}

  static async open(host = '127.0.0.1'): Promise<ClientApp> {
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app');
      if (pathname === '/cb') app.responses.push(searchParams);
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><html lang="en"><title>Buoy Watch</title>${NO_ICON}<h1>Buoy Watch goes on</h1></html>`);
    });
    const app = new ClientApp(server, host);
    await once(server.listen(0, host), 'listening');
    return app;
  }

  get origin(): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `http://${host}:${(this.server.address() as AddressInfo).port}`;
  }

  get redirect(): string {
    return `${this.origin}/cb`;
  }

  /** The authorization URL. An empty value removes a parameter. */
  authorizationUrl(keyward: Keyward, client: string, more: Record<string, string> = {}): string {
    const challenge = createHash('sha256').update(this.verifier).digest('base64url');
    const url = new URL('/authorize', keyward.url);
    const all = {
      response_type: 'code',
      client_id: client,
      redirect_uri: this.redirect,
      scope: 'data:read usage:read',
      state: 'a&b=c',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...more,
    };
    for (const [name, value] of Object.entries(all)) if (value) url.searchParams.set(name, value);
    return url.href;
  }

  /** Removes and returns the next authorization response. */
  async nextResponse(): Promise<URLSearchParams> {
    for (const deadline = Date.now() + TIME_LIMIT; Date.now() < deadline; ) {
      const response = this.responses.shift();
      if (response) return response;
      await new Promise(resolve => setTimeout(resolve, 25));
    }
    throw new Error('the application received no response');
  }

  get hasNoResponse(): boolean {
    return this.responses.length === 0;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Registers an application on the page of the user's project, and returns its client id. */
export async function registerApplication(site: Site, name: string, address: string): Promise<string> {
  const { page, keyward } = site;
  await site.open(`/projects/${await keyward.project()}/clients/new`);
  const dialog = page.getByRole('dialog', { name: 'Register application' });
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel('Redirect URLs').fill(address);
  await dialog.getByRole('button', { name: 'Register application' }).click();
  await expect(site.toast).toContainText('Application registered.');
  return applicationsOf(page).locator('code').first().innerText();
}

/** The applications section of a project page. */
export const applicationsOf = (page: Page) => page.getByRole('region', { name: 'Applications', exact: true });
