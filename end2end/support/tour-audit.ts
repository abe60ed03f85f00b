import { expect } from '@playwright/test';
import type { Site } from './site';

/** The audit log of an administrator, with an event. */
export async function* tourAudit(site: Site): AsyncGenerator<string> {
  const { page } = site;
  await site.keyward.createKey('Starter Integration', '--scope', 'data:read');
  await site.signIn('/admin/audit');
  await expect(page.getByRole('heading', { name: 'Audit log' })).toBeVisible();
  yield 'audit';
  await page.getByText('Details').first().click();
  await expect(page.getByText('Event number').first()).toBeVisible();
  yield 'audit-exact';
  await site.open('/admin/audit?who=nobody&from=2026-01-01');
  await expect(page.getByText('No matching events')).toBeVisible();
  yield 'audit-nothing';
  await site.open('/keys');
  await site.names().first().click();
  await expect(page.getByRole('heading', { name: 'History' })).toBeVisible();
  await page.locator('#history').scrollIntoViewIfNeeded();
  await page.locator('#history').getByText('Details').first().click();
  yield 'key-history';
}
