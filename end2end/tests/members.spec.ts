import { openSession, JONAS, TOMAS } from '../support/demo';
import { expect, test } from '../support/test';

test.use({ template: 'demo' });

test('a user is invited, joins, gets another role, and is removed', async ({ page, site, browser, monitor }) => {
  await site.signIn('/projects/new');
  await page.getByRole('dialog').getByLabel('Name').fill('Night watch');
  await page.getByRole('button', { name: 'Create project' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Night watch' })).toBeVisible();
  const home = new URL(page.url()).pathname;
  await page.getByRole('link', { name: 'Invite member', exact: true }).click();
  await page.getByRole('dialog').getByLabel('Role').selectOption('viewer');
  await page.getByRole('button', { name: 'Invite member', exact: true }).click();
  const shown = page.getByRole('dialog', { name: 'Copy the invitation link now' });
  const link = (await shown.locator('.secret__value').innerText()).trim();
  expect(link).toMatch(/\/join\?code=[\w-]{43}$/);
  await shown.getByRole('link', { name: 'Done' }).click();
  await site.waitForPath(home);
  await expect(page.getByRole('main').getByText('Anyone with the link')).toBeVisible();
  await site.expectNotInDocument(link.split('=')[1]);

  const jonas = await openSession(site, browser, JONAS);
  await jonas.page.goto(link);
  await expect(jonas.page.getByText('Maren Okafor invited you to this project.')).toBeVisible();
  await jonas.page.getByRole('button', { name: 'Join project' }).click();
  await expect(jonas.page.getByRole('heading', { level: 1, name: 'Night watch' })).toBeVisible();
  await expect(jonas.page.getByRole('link', { name: 'Invite member', exact: true })).toHaveCount(0);

  // The link is used up.
  const tomas = await openSession(site, browser, TOMAS);
  await tomas.page.goto(link);
  await expect(tomas.page.getByRole('heading', { name: 'This link is no longer valid' })).toBeVisible();

  await site.reload();
  await page.getByRole('link', { name: `Change role of ${JONAS.name}` }).click();
  await page.getByRole('dialog').getByLabel('Role').selectOption('operator');
  await page.getByRole('button', { name: 'Change role', exact: true }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await jonas.open(`${home}/keys`);
  await expect(jonas.page.getByRole('link', { name: 'Generate API key' })).toBeVisible();

  await page.getByRole('link', { name: `Remove ${JONAS.name}` }).click();
  await page.getByRole('button', { name: 'Remove member' }).click();
  await expect(page.getByText(JONAS.email)).toHaveCount(0);
  await jonas.page.goto(home);
  await expect(jonas.page.getByText('Page not found')).toBeVisible();

  monitor.expectStatus(409);
  await page.getByRole('link', { name: 'Leave project', exact: true }).click();
  await page.getByRole('button', { name: 'Leave project' }).click();
  await expect(page.getByRole('alert')).toContainText('A project must have at least one owner.');
  await jonas.page.context().close();
  await tomas.page.context().close();
});
