import { defineConfig } from '@playwright/test';

/** A name of this machine in a house without certificates. */
export const HOME = 'keyward.home.arpa';
/** A name of this machine that browsers do not take for a loopback one. */
export const APP = 'app.test';

/** The browser, and how it is started: without graphics, and with requests to Keyward alone. The headless shell is Chromium without its
 *  own windows: the same engine for half the time. */
export const browser = {
  browserName: 'chromium' as const,
  locale: 'en-GB',
  timezoneId: 'Europe/Berlin',
  viewport: { width: 1280, height: 800 },
  // Each frame of a transition is drawn by the CPU, and Playwright waits until it ends. Tests of dialogs, menus, and toasts set `MOTION`.
  contextOptions: { reducedMotion: 'reduce' as const },
  launchOptions: {
    executablePath: process.env.CHROMIUM_HEADLESS ?? '/usr/bin/chromium-headless-shell',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP ${HOME} 127.0.0.1,MAP ${APP} localhost`,
    ],
    // As people have it: a window opens from within a click, and not otherwise.
    ignoreDefaultArgs: ['--disable-popup-blocking'],
  },
};

/** For tests that run with transitions, as most browsers do. */
export const MOTION = { contextOptions: { reducedMotion: 'no-preference' as const } };

/** Chromium with its windows: it blocks popups, which the headless shell does not. */
const chromium = { launchOptions: { ...browser.launchOptions, executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' } };

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  globalSetup: './support/templates.ts',
  // These end what hangs. A busy machine must not reach them.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  // Of a failure: what was asked and answered, and a picture. The document at each step costs more than it says.
  use: { ...browser, trace: { mode: 'retain-on-failure', screenshots: false, snapshots: false, sources: false }, screenshot: 'only-on-failure', video: 'off' },
  projects: [
    { name: 'with JavaScript', use: { javaScriptEnabled: true }, grepInvert: /@plain|@chromium/ },
    { name: 'without JavaScript', use: { javaScriptEnabled: false }, grepInvert: /@scripts|@chromium/ },
    { name: 'Chromium with its windows', use: { ...chromium, ...MOTION, javaScriptEnabled: true }, grep: /@chromium/ },
  ],
});
