import { MOTION } from '../playwright.config';
import { SECRET } from '../support/keyward';
import { expect, test } from '../support/test';

// The steps of EyePop's dashboard guide in order, on a narrow screen as in its screenshots.
// With transitions: the other tests ask for reduced motion.
test.use({ ...MOTION, viewport: { width: 390, height: 844 } });

test('EyePop dashboard', async ({ page, site, keyward, monitor, scripted, context }) => {
  await site.signInOnPage();

  // The menu at the upper right leads to the keys.
  const menu = page.getByRole('button', { name: 'Menu' });
  const box = await menu.boundingBox();
  expect(box && box.x > 300 && box.y < 60, 'the menu is at the upper right').toBe(true);
  await menu.click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).click();
  await site.waitForPath('/keys');
  await expect(page.getByRole('heading', { name: 'API keys', level: 1 })).toBeVisible();
  await expect(page.getByText('No API keys yet')).toBeVisible();

  // Create API key: a name, an expiration from the dropdown, Create.
  await site.openCreate();
  await site.createDialog.getByLabel('Name').fill('Starter Integration');
  await expect(site.createDialog.getByLabel('Expiration')).toHaveValue('90d');
  await site.createDialog.getByLabel('Expiration').selectOption('30 days');
  await site.submitCreate();

  // The secret is shown once, with the project id.
  await expect(site.secret).toHaveText(/^kw_live_[0-9A-Za-z]{56}$/);
  const secret = await site.secret.innerText();
  expect(secret).toHaveLength(64);
  await expect(site.reveal.locator('#project-id')).toHaveText(await keyward.project());
  if (scripted) {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const copy = site.reveal.getByRole('button', { name: 'Copy', exact: true });
    await expect(copy).toBeFocused();
    await copy.click();
    await expect(site.reveal.getByText('Copied').first()).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  } else {
    // No script of another origin runs on the page with the secret.
    await expect(page.locator('script[type=module], script[src], link[rel=modulepreload]')).toHaveCount(0);
  }
  await site.closeReveal();

  // The list shows the key without its secret.
  const row = site.row('Starter Integration');
  await expect(row).toContainText(`${secret.slice(0, 12)}…`);
  await expect(row).toContainText('Active');
  await expect(row).toContainText('in 30 days');
  await site.expectNowhere(secret);
  await site.reload();
  await site.expectNowhere(secret);
  // The response with the secret is not cached: the browser cannot go back to it.
  if (!scripted) monitor.expectFailure('net::ERR_CACHE_MISS');
  await page.goBack({ timeout: 3_000 }).catch(() => undefined);
  await site.expectNotInDocument(SECRET);
  await page.goForward({ timeout: 3_000 }).catch(() => undefined);
  await site.expectNotInDocument(SECRET);
  await site.open('/keys');
  await site.expectNowhere(secret);

  // The lost key is deleted. It is listed under Deleted with its removal date, and can be restored.
  await site.confirm('Delete', 'Starter Integration');
  await site.open('/keys');
  await expect(page.getByText('No API keys yet')).toBeVisible();
  await site.showStatus('Deleted');
  await expect(row).toContainText('Deleted');
  await expect(row).toContainText('Permanently deleted in 7 days');
  await page.getByRole('button', { name: 'Restore key Starter Integration' }).click();
  await expect(row.getByText('Deleted', { exact: true })).toBeHidden();
  await site.open('/keys');
  await expect(row).toContainText('Active');

  // Create another key.
  await site.confirm('Delete', 'Starter Integration');
  await site.open('/keys');
  const another = await site.create('Starter Integration');
  expect(another).toMatch(SECRET);
  expect(another).not.toBe(secret);
  await site.closeReveal();
  await expect(row).toContainText(`${another.slice(0, 12)}…`);
});
