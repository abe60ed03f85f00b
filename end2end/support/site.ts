import { expect, type Locator, type Page } from '@playwright/test';
import type { Keyward, Person } from './keyward';

/** What a person does on the site, the same with and without scripts. */
export class Site {
  constructor(
    readonly page: Page,
    readonly keyward: Keyward,
    readonly scripted: boolean,
  ) {}

  /** Waits until the scripts, if there are any, have taken the page over. */
  async ready(page = this.page): Promise<void> {
    if (this.scripted) await page.locator('html[data-live]').waitFor({ state: 'attached' });
  }

  async open(path: string): Promise<void> {
    await this.page.goto(path);
    await this.ready();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** Another tab of the same browser. */
  async tab(path: string): Promise<Site> {
    const other = new Site(await this.page.context().newPage(), this.keyward, this.scripted);
    await other.open(path);
    return other;
  }

  /** Waits for an address, and for the page there. */
  async at(path: string): Promise<void> {
    await expect(this.page).toHaveURL(new URL(path, this.keyward.url).href);
    await this.ready();
  }

  async fillSignIn(password = this.keyward.person.password): Promise<void> {
    await this.page.getByLabel('Email').fill(this.keyward.person.email);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Signs in on the page, as people do. */
  async signInOnPage(): Promise<void> {
    await this.open('/login');
    await this.fillSignIn();
    await this.at('/keys');
  }

  /** Adds a session to the browser, and opens a page. */
  async signIn(path = '/keys'): Promise<void> {
    await this.addSession();
    await this.open(path);
  }

  /** Adds a session to the browser, and opens no page. */
  async addSession(): Promise<void> {
    const context = this.page.context();
    const session = this.keyward.takeSession();
    if (session) await context.addCookies([{ ...session, url: this.keyward.url, httpOnly: true, sameSite: 'Lax' }]);
    else await this.postSignIn(this.keyward.person);
  }

  /** Signs a person in by a request of the browser without a page. */
  async postSignIn({ email, password }: Pick<Person, 'email' | 'password'>): Promise<void> {
    const agent = await this.page.evaluate(() => navigator.userAgent);
    const headers = { origin: this.keyward.url, accept: 'text/html', 'user-agent': agent };
    const answer = await this.page.request.post('/login', { form: { email, password }, headers, maxRedirects: 0 });
    expect(answer.headers().location, `${email} signs in`).toBe('/keys');
  }

  async signOut(): Promise<void> {
    await this.page.getByRole('button', { name: this.keyward.person.name }).click();
    await this.page.getByRole('button', { name: 'Sign out' }).click();
    await this.at('/login');
  }

  get createDialog(): Locator {
    return this.page.getByRole('dialog', { name: 'Create API key' });
  }

  get reveal(): Locator {
    return this.page.getByRole('dialog', { name: 'Save this key now' });
  }

  get secret(): Locator {
    return this.reveal.locator('.secret__value');
  }

  get toast(): Locator {
    return this.page.locator('.toasts');
  }

  row(name: string): Locator {
    return this.page.getByRole('row').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** The names in the list, in order. */
  names(): Locator {
    return this.page.locator('tbody .key-name');
  }

  async openCreate(): Promise<void> {
    await this.page.getByRole('main').getByRole('link', { name: 'Create API key', exact: true }).first().click();
    await expect(this.createDialog).toBeVisible();
  }

  async submitCreate(): Promise<void> {
    await this.createDialog.getByRole('button', { name: 'Create API key' }).click();
  }

  /** Makes a key with what the form says at first, and leaves its secret open. */
  async create(name: string): Promise<string> {
    await this.openCreate();
    await this.createDialog.getByLabel('Name').fill(name);
    await this.submitCreate();
    await expect(this.secret).toBeVisible();
    return this.secret.innerText();
  }

  /** Leaves the reveal; with scripts it has to be copied first. */
  async done(): Promise<void> {
    if (this.scripted) {
      await this.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await this.reveal.getByRole('button', { name: 'Copy', exact: true }).click();
      await this.reveal.getByRole('link', { name: 'Done' }).click();
    } else {
      await this.reveal.getByRole('link', { name: 'Done' }).click();
    }
    await expect(this.reveal).toBeHidden();
    await this.at('/keys');
  }

  /** Chooses from the menu of a key's row. */
  async choose(verb: 'Edit' | 'Deactivate' | 'Activate' | 'Delete', name: string): Promise<void> {
    await this.page.getByRole('button', { name: `Actions for key ${name}` }).click();
    const role = verb === 'Activate' ? 'button' : 'link';
    // By the keyboard: at the lower edge the menu turns over while the mouse is on its way.
    await this.page.getByRole(role, { name: `${verb} key ${name}` }).press('Enter');
  }

  /** Chooses, and says yes in the dialog. */
  async confirm(verb: 'Deactivate' | 'Delete', name: string): Promise<void> {
    await this.choose(verb, name);
    const dialog = this.page.getByRole('dialog', { name: `${verb} “${name}”?` });
    await dialog.getByRole('button', { name: `${verb} key` }).click();
    await expect(dialog).toBeHidden();
  }

  /** Chooses in the bar over the list; without scripts the address then names what is empty too. */
  async filter(label: 'Status' | 'Project' | 'Environment' | 'Sort', choice: string): Promise<void> {
    const bar = this.page.getByRole('search');
    await bar.getByLabel(label).selectOption({ label: choice });
    if (this.scripted) return;
    await bar.getByRole('button', { name: 'Apply' }).click();
    await this.page.waitForURL(/environment=/);
  }

  async show(status: 'Any status' | 'Deleted'): Promise<void> {
    await this.filter('Status', status);
    if (this.scripted) await this.at(status === 'Deleted' ? '/keys?status=deleted' : '/keys');
  }

  /** The document does not have this text, once a navigation that has begun is complete. */
  async lacks(text: RegExp | string): Promise<void> {
    await expect(async () => expect(await this.page.content()).not.toMatch(text)).toPass();
  }

  /** No page that a GET can fetch has this text, nor the document that is open. */
  async nowhere(secret: string): Promise<void> {
    await this.lacks(secret);
    for (const path of ['/keys', '/keys/new', '/keys?status=deleted', '/']) {
      const answer = await this.page.request.get(path);
      expect(await answer.text(), path).not.toContain(secret);
    }
  }
}
