import { MOTION } from '../playwright.config';
import { SECRET } from '../support/keyward';
import { expect, test } from '../support/test';

// The steps of EyePop's guide to its dashboard, in its order, on a narrow screen as in its pictures.
// With transitions: the other tests ask for reduced motion.
test.use({ ...MOTION, viewport: { width: 390, height: 844 } });

test('EyePop dashboard', async ({ page, site, keyward, watch, scripted, context }) => {
  await site.signInOnPage();

  // The menu at the upper right leads to the keys.
  const menu = page.getByRole('button', { name: 'Menu' });
  const box = await menu.boundingBox();
  expect(box && box.x > 300 && box.y < 60, 'the menu is at the upper right').toBe(true);
  await menu.click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).click();
  await site.at('/keys');
  await expect(page.getByRole('heading', { name: 'API keys', level: 1 })).toBeVisible();
  await expect(page.getByText('No API keys yet')).toBeVisible();

  // Create API key: a name, an expiration from the dropdown, Create.
  await site.openCreate();
  await site.createDialog.getByLabel('Name').fill('Starter Integration');
  await expect(site.createDialog.getByLabel('Expiration')).toHaveValue('90d');
  await site.createDialog.getByLabel('Expiration').selectOption('30 days');
  await site.submitCreate();

  // The secret, once, and the id of its project.
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
    // Nothing that could take the page over, and the secret along.
    await expect(page.locator('script[type=module], script[src], link[rel=modulepreload]')).toHaveCount(0);
  }
  await site.done();

  // The list shows the key, and never the secret again.
  const row = site.row('Starter Integration');
  await expect(row).toContainText(`${secret.slice(0, 12)}…`);
  await expect(row).toContainText('Active');
  await expect(row).toContainText('in 30 days');
  await site.nowhere(secret);
  await site.reload();
  await site.nowhere(secret);
  // The answer that held it was for nobody to keep: the browser cannot go back to it.
  if (!scripted) watch.expectFailure('net::ERR_CACHE_MISS');
  await page.goBack({ timeout: 3_000 }).catch(() => undefined);
  await site.lacks(SECRET);
  await page.goForward({ timeout: 3_000 }).catch(() => undefined);
  await site.lacks(SECRET);
  await site.open('/keys');
  await site.nowhere(secret);

  // Lost: delete it. It is listed under Deleted with the day that it goes, and can be restored.
  await site.confirm('Delete', 'Starter Integration');
  await site.open('/keys');
  await expect(page.getByText('No API keys yet')).toBeVisible();
  await site.show('Deleted');
  await expect(row).toContainText('Deleted');
  await expect(row).toContainText('Permanently deleted in 7 days');
  await page.getByRole('button', { name: 'Restore key Starter Integration' }).click();
  await expect(row.getByText('Deleted', { exact: true })).toBeHidden();
  await site.open('/keys');
  await expect(row).toContainText('Active');

  // Make another.
  await site.confirm('Delete', 'Starter Integration');
  await site.open('/keys');
  const another = await site.create('Starter Integration');
  expect(another).toMatch(SECRET);
  expect(another).not.toBe(secret);
  await site.done();
  await expect(row).toContainText(`${another.slice(0, 12)}…`);
});
