import { defineConfig } from '@playwright/test';

/** The browser, and how it is started: without graphics, and talking to nobody but Keyward. */
export const browser = {
  browserName: 'chromium' as const,
  locale: 'en-GB',
  timezoneId: 'Europe/Berlin',
  viewport: { width: 1280, height: 800 },
  launchOptions: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
};

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 30_000,
  expect: { timeout: 5_000 },
  reporter: 'list',
  use: { ...browser, trace: { mode: 'retain-on-failure', screenshots: false }, video: 'off' },
  projects: [
    { name: 'with JavaScript', use: { javaScriptEnabled: true }, grepInvert: /@plain/ },
    { name: 'without JavaScript', use: { javaScriptEnabled: false }, grepInvert: /@scripts/ },
  ],
});
