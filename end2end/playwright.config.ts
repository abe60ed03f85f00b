import { defineConfig } from '@playwright/test';

/** A host name of this machine in a home network without certificates. */
export const HOME = 'keyward.home.arpa';
/** A host name of this machine that browsers do not treat as loopback. */
export const APP = 'app.test';

/** The browser and its options: no GPU, and requests only to Keyward. The headless shell is Chromium without its user interface: the
 *  same engine in half the time. */
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
    // As in a user's browser: a popup opens only during a click.
    ignoreDefaultArgs: ['--disable-popup-blocking'],
  },
};

/** For tests that run with transitions, as most browsers do. */
export const MOTION = { contextOptions: { reducedMotion: 'no-preference' as const } };

/** Chromium with windows: it blocks popups, unlike the headless shell. */
const chromium = { launchOptions: { ...browser.launchOptions, executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' } };

// The files eyepop-*, thinkdeli, snack-prompt, and ownchat are named after reference products, whose guides they follow.
export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  // More than the two cores: a test also waits for timers, processes, and frames.
  workers: 3,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  globalSetup: './support/templates.ts',
  // Limits for tests that hang. A busy machine must not reach them.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  // For failures: a trace of the requests, and a screenshot. Snapshots of each step cost more than they help.
  use: { ...browser, trace: { mode: 'retain-on-failure', screenshots: false, snapshots: false, sources: false }, screenshot: 'only-on-failure', video: 'off' },
  projects: [
    { name: 'with JavaScript', use: { javaScriptEnabled: true }, grepInvert: /@plain|@chromium/ },
    { name: 'without JavaScript', use: { javaScriptEnabled: false }, grepInvert: /@scripts|@chromium/ },
    { name: 'Chromium with its windows', use: { ...chromium, ...MOTION, javaScriptEnabled: true }, grep: /@chromium/ },
    // The tests start these browsers themselves. See support/engines.
    { name: 'Firefox and WebKitGTK', testDir: 'engines' },
  ],
});
