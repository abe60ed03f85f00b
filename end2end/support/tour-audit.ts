import { expect } from '@playwright/test';
import type { Site } from './site';

/** The audit log as an administrator sees it, who has done something that it tells of. */
export async function* tourAudit(site: Site): AsyncGenerator<string> {
  const { page } = site;
  await site.keyward.createKey('Starter Integration', '--scope', 'data:read');
  await site.signIn();
  await site.open('/admin/audit');
  await expect(page.getByRole('heading', { name: 'Audit log' })).toBeVisible();
  yield 'audit';
  await page.getByText('Exact values').first().click();
  await expect(page.getByText('Sequence').first()).toBeVisible();
  yield 'audit-exact';
  await site.open('/admin/audit?who=nobody&from=2026-01-01');
  await expect(page.getByText('Nothing matches')).toBeVisible();
  yield 'audit-nothing';
  await site.open('/keys');
  await site.names().first().click();
  await expect(page.getByRole('heading', { name: 'History' })).toBeVisible();
  await page.locator('#history').scrollIntoViewIfNeeded();
  await page.locator('#history').getByText('Exact values').first().click();
  yield 'key-history';
}
