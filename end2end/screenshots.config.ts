import { defineConfig } from '@playwright/test';
import { browser } from './playwright.config';

/** Pictures of every page and dialog, for those who look: `npm run screenshots` fills screenshots/. */
export default defineConfig({
  testDir: 'support',
  testMatch: 'screenshots.ts',
  globalSetup: './support/templates.ts',
  fullyParallel: true,
  workers: 2,
  timeout: 120_000,
  reporter: 'list',
  use: browser,
});
