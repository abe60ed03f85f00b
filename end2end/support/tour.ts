import { expect } from '@playwright/test';
import type { Site } from './site';
import type { Template } from './templates';
import { tourAdmin } from './tour-admin';
import { tourAudit } from './tour-audit';
import { tourConsent } from './tour-consent';
import { tourRegistration } from './tour-registration';
import { tourCreate, tourKey, tourList } from './tour-keys';
import { tourProjects } from './tour-projects';
import { tourSecurity } from './tour-security';

/** A part of the tour through all pages and dialogs. It yields a name at each stop. */
export type Tour = {
  template: Template;
  /** The expected error statuses. */
  statuses: number[];
  stops: (site: Site) => AsyncGenerator<string>;
};

/** The independent parts, longest first. */
export const TOURS: Record<string, Tour> = {
  projects: { template: 'administrator', statuses: [], stops: tourProjects },
  administration: { template: 'administrator', statuses: [422], stops: tourAdmin },
  consent: { template: 'administrator', statuses: [400, 404, 422], stops: tourConsent },
  security: { template: 'administrator', statuses: [403, 422], stops: tourSecurity },
  registration: { template: 'administrator', statuses: [404, 422], stops: tourRegistration },
  settings: { template: 'administrator', statuses: [404], stops: tourSettings },
  list: { template: 'administrator', statuses: [], stops: tourList },
  create: { template: 'administrator', statuses: [422], stops: tourCreate },
  key: { template: 'administrator', statuses: [], stops: tourKey },
  audit: { template: 'administrator', statuses: [], stops: tourAudit },
  setup: { template: 'empty', statuses: [422], stops: tourSetup },
};

/** The setup of a new server. */
async function* tourSetup(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  const { name, email, password } = keyward.user;
  await site.open(keyward.setupLink);
  yield 'setup';
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill('password1234');
  await page.getByLabel('First project').fill('Pelagic');
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  yield 'setup-errors';
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await site.waitForPath('/keys');
  await expect(page.getByText('No API keys yet')).toBeVisible();
  yield 'empty';
}

/** The settings of a user, and public pages. */
async function* tourSettings(site: Site): AsyncGenerator<string> {
  const { page } = site;
  await site.signIn('/settings/account');
  yield 'account';
  await site.open('/settings/developer/api-keys');
  yield 'developer';
  await page.goto('/docs/api');
  yield 'docs';
  await page.getByRole('heading', { name: 'Verify a key or a token' }).scrollIntoViewIfNeeded();
  yield 'docs-operation';
  await site.open('/nowhere');
  yield 'missing';
}

/** Stops that show the document of the stop before it at another scroll position. They are for screenshots. */
export const SCROLLED = new Set(['docs-operation']);

/** The widths of the screenshots and checks, in CSS pixels: a small phone and a common window. */
export const WIDTHS = [360, 1280];
