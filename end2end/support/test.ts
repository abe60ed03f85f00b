import { test as base, expect } from '@playwright/test';
import { type Keyward, SECRET } from './keyward';
import { Site } from './site';
import { type Template, Templates } from './templates';
import { PageMonitor } from './page-monitor';

export { expect };

type Fixtures = {
  /** Whether scripts run. */
  scripted: boolean;
  /** What the test's server holds when it starts. */
  template: Template;
  /** Environment variables of the server. */
  settings: Record<string, string>;
  /** The server of this test. */
  keyward: Keyward;
  monitor: PageMonitor;
  site: Site;
};

export const test = base.extend<Fixtures, { templates: Templates }>({
  template: ['user', { option: true }],
  settings: [{}, { option: true }],
  scripted: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled !== false),

  templates: [
    async ({ browser }, use) => {
      const page = await browser.newPage();
      const templates = new Templates(await page.evaluate(() => navigator.userAgent));
      await page.close();
      await use(templates);
      await templates.removeAll();
    },
    { scope: 'worker' },
  ],

  keyward: async ({ templates, template, settings }, use) => {
    const keyward = await templates.copy(template);
    Object.assign(keyward.variables, settings);
    try {
      await keyward.start();
      await use(keyward);
      expect(await keyward.stop(), 'how the server ended').toBe(0);
      expect(keyward.output, 'a secret in what the server wrote').not.toMatch(SECRET);
      expect(keyward.output, 'a password in what the server wrote').not.toContain(keyward.user.password);
      expect(keyward.output).not.toMatch(/panicked| ERROR /);
    } finally {
      await keyward.stop('SIGKILL');
      await keyward.remove();
    }
  },

  // The browser's context depends on the server, so it is closed first.
  baseURL: async ({ keyward }, use) => use(keyward.url),

  monitor: [
    async ({ context, scripted }, use) => {
      const monitor = new PageMonitor(context, scripted);
      await use(monitor);
      await monitor.check();
    },
    { auto: true },
  ],

  site: async ({ page, keyward, scripted }, use) => use(new Site(page, keyward, scripted)),
});
