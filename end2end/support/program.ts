import { expect, type Page } from '@playwright/test';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Keyward } from './keyward';
import type { Site } from './site';

/** An answer that takes longer has failed. */
const TIME_LIMIT = 30_000;

/** Without it the browser asks for `/favicon.ico`, at a time when the server may be closed already. */
export const NO_ICON = '<link rel="icon" href="data:,">';

/** A program on this computer that asks people: it hears the answer at an address of its own. */
export class Program {
  readonly verifier = randomBytes(32).toString('base64url');
  private readonly answers: URLSearchParams[] = [];
  private constructor(private readonly server: Server, private readonly host: string) {}

  static async open(host = '127.0.0.1'): Promise<Program> {
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://program');
      if (pathname === '/cb') program.answers.push(searchParams);
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><html lang="en"><title>Buoy Watch</title>${NO_ICON}<h1>Buoy Watch goes on</h1></html>`);
    });
    const program = new Program(server, host);
    await once(server.listen(0, host), 'listening');
    return program;
  }

  get origin(): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `http://${host}:${(this.server.address() as AddressInfo).port}`;
  }

  get redirect(): string {
    return `${this.origin}/cb`;
  }

  /** The address to which it sends people; an empty value takes a parameter out. */
  asks(keyward: Keyward, client: string, more: Record<string, string> = {}): string {
    const challenge = createHash('sha256').update(this.verifier).digest('base64url');
    const asked = new URL('/authorize', keyward.url);
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
    for (const [name, value] of Object.entries(all)) if (value) asked.searchParams.set(name, value);
    return asked.href;
  }

  /** The next answer, taken out. */
  async heard(): Promise<URLSearchParams> {
    for (const over = Date.now() + TIME_LIMIT; Date.now() < over; ) {
      const answer = this.answers.shift();
      if (answer) return answer;
      await new Promise(resolve => setTimeout(resolve, 25));
    }
    throw new Error('the program heard nothing');
  }

  get silent(): boolean {
    return this.answers.length === 0;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Registers a program on the page of the person's own project, and says under which name it asks. */
export async function register(site: Site, name: string, address: string): Promise<string> {
  const { page, keyward } = site;
  await site.open(`/projects/${await keyward.project()}/clients/new`);
  const dialog = page.getByRole('dialog', { name: 'Register application' });
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel('Redirect URLs').fill(address);
  await dialog.getByRole('button', { name: 'Register application' }).click();
  await expect(site.toast).toContainText('Application registered.');
  return programs(page).locator('code').first().innerText();
}

/** The section of a project's page. */
export const programs = (page: Page) => page.getByRole('region', { name: 'Applications', exact: true });
