import { test as base, expect } from '@playwright/test';
import { Keyward, SECRET } from './keyward';
import { Site } from './site';
import { Watch } from './watch';

export { expect };

type Fixtures = {
  /** Whether the page's scripts run. */
  scripted: boolean;
  /** A server of the test's own, with a person who can sign in unless `nobody` is set. */
  keyward: Keyward;
  nobody: boolean;
  /** The person is an administrator. */
  admin: boolean;
  watch: Watch;
  site: Site;
};

export const test = base.extend<Fixtures>({
  nobody: [false, { option: true }],
  admin: [false, { option: true }],
  scripted: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled !== false),

  keyward: async ({ nobody, admin }, use) => {
    const keyward = await Keyward.in_a_new_folder();
    try {
      if (!nobody) await keyward.createPerson(admin);
      await keyward.start();
      await use(keyward);
      expect(await keyward.stop(), 'how the server ended').toBe(0);
      expect(keyward.output, 'a secret in what the server wrote').not.toMatch(SECRET);
      expect(keyward.output, 'a password in what the server wrote').not.toContain(keyward.person.password);
      expect(keyward.output).not.toMatch(/panicked| ERROR /);
    } finally {
      await keyward.stop('SIGKILL');
      await keyward.remove();
    }
  },

  // The browser's context depends on the server, so it is closed first.
  baseURL: async ({ keyward }, use) => use(keyward.url),

  watch: [
    async ({ context, scripted }, use) => {
      const watch = new Watch(context, scripted);
      await use(watch);
      await watch.verdict();
    },
    { auto: true },
  ],

  site: async ({ page, keyward, scripted }, use) => use(new Site(page, keyward, scripted)),
});
