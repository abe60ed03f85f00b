import { expect, type Locator, type Page } from '@playwright/test';
import type { Keyward, User } from './keyward';

/** User actions on the site, with and without scripts. */
export class Site {
  constructor(
    readonly page: Page,
    readonly keyward: Keyward,
    readonly scripted: boolean,
  ) {}

  /** Waits until scripts, if they are on, have hydrated the page. */
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

  /** Waits for a path and its page. */
  async waitForPath(path: string): Promise<void> {
    await expect(this.page).toHaveURL(new URL(path, this.keyward.url).href);
    await this.ready();
  }

  async fillSignIn(password = this.keyward.user.password): Promise<void> {
    await this.page.getByLabel('Email').fill(this.keyward.user.email);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Signs in with the form of the page. */
  async signInOnPage(): Promise<void> {
    await this.open('/login');
    await this.fillSignIn();
    await this.waitForPath('/keys');
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
    else await this.postSignIn(this.keyward.user);
  }

  /** Signs a user in with a request of the browser context, without a page. */
  async postSignIn({ email, password }: Pick<User, 'email' | 'password'>): Promise<void> {
    const agent = await this.page.evaluate(() => navigator.userAgent);
    const headers = { origin: this.keyward.url, accept: 'text/html', 'user-agent': agent };
    const response = await this.page.request.post('/login', { form: { email, password }, headers, maxRedirects: 0 });
    expect(response.headers().location, `${email} signs in`).toBe('/keys');
  }

  async signOut(): Promise<void> {
    await this.page.getByRole('button', { name: this.keyward.user.name }).click();
    await this.page.getByRole('button', { name: 'Sign out' }).click();
    await this.waitForPath('/login');
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

  /** The key names in the list, in order. */
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

  /** Creates a key with the default values, and returns its secret. The dialog with the secret stays open. */
  async create(name: string): Promise<string> {
    await this.openCreate();
    await this.createDialog.getByLabel('Name').fill(name);
    await this.submitCreate();
    await expect(this.secret).toBeVisible();
    return this.secret.innerText();
  }

  /** Closes the dialog with the secret. With scripts, the secret is copied first. */
  async closeReveal(): Promise<void> {
    if (this.scripted) {
      await this.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await this.reveal.getByRole('button', { name: 'Copy', exact: true }).click();
      await this.reveal.getByRole('link', { name: 'Done' }).click();
    } else {
      await this.reveal.getByRole('link', { name: 'Done' }).click();
    }
    await expect(this.reveal).toBeHidden();
    await this.waitForPath('/keys');
  }

  /** Runs an action from the menu of a key. */
  async chooseAction(verb: 'Edit' | 'Deactivate' | 'Activate' | 'Delete', name: string): Promise<void> {
    await this.page.getByRole('button', { name: `Actions for key ${name}` }).click();
    const role = verb === 'Activate' ? 'button' : 'link';
    // By keyboard: at the lower edge, the menu flips while the mouse moves.
    await this.page.getByRole(role, { name: `${verb} key ${name}` }).press('Enter');
  }

  /** Runs an action from the menu of a key, and confirms the dialog. */
  async confirm(verb: 'Deactivate' | 'Delete', name: string): Promise<void> {
    await this.chooseAction(verb, name);
    const dialog = this.page.getByRole('dialog', { name: `${verb} “${name}”?` });
    await dialog.getByRole('button', { name: `${verb} key` }).click();
    await expect(dialog).toBeHidden();
  }

  /** Sets a filter of the list. Without scripts, the URL also has the empty parameters. */
  async filter(label: 'Status' | 'Project' | 'Environment' | 'Sort', choice: string): Promise<void> {
    const bar = this.page.getByRole('search');
    await bar.getByLabel(label).selectOption({ label: choice });
    if (this.scripted) return;
    await bar.getByRole('button', { name: 'Apply' }).click();
    await this.page.waitForURL(/environment=/);
  }

  async showStatus(status: 'Any status' | 'Deleted'): Promise<void> {
    await this.filter('Status', status);
    if (this.scripted) await this.waitForPath(status === 'Deleted' ? '/keys?status=deleted' : '/keys');
  }

  /** Checks that the document does not contain a text, after pending navigations. */
  async expectNotInDocument(text: RegExp | string): Promise<void> {
    await expect(async () => expect(await this.page.content()).not.toMatch(text)).toPass();
  }

  /** Checks that neither the document nor a page of a GET request contains a secret. */
  async expectNowhere(secret: string): Promise<void> {
    await this.expectNotInDocument(secret);
    for (const path of ['/keys', '/keys/new', '/keys?status=deleted', '/']) {
      const response = await this.page.request.get(path);
      expect(await response.text(), path).not.toContain(secret);
    }
  }
}
