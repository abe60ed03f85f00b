import { MOTION } from '../playwright.config';
import { expect, test } from '../support/test';

// With transitions: the other tests ask for reduced motion.
test.use(MOTION);

// The steps of Snack Prompt's guide: profile picture, API Keys, the + in the empty list, only a name, copy or delete.
test('Snack Prompt', async ({ page, site, keyward }) => {
  await site.signInOnPage();
  await site.open('/settings/account');
  await page.getByRole('button', { name: keyward.user.name }).click();
  await page.locator('#profile').getByRole('link', { name: 'API keys' }).click();
  await site.waitForPath('/keys');
  await page.getByRole('link', { name: 'Create an API key' }).click();
  await site.createDialog.getByLabel('Name').fill('Prompts');
  await site.submitCreate();
  await expect(site.secret).toHaveText(/^kw_live_[0-9A-Za-z]{56}$/);
  await site.closeReveal();
  await site.confirm('Delete', 'Prompts');
  await expect(site.toast).toContainText('“Prompts” deleted.');
  await site.toast.getByRole('button', { name: 'Undo' }).click();
  await expect(site.row('Prompts')).toContainText('Active');
  await expect(site.toast).toContainText('“Prompts” restored.');
});

test('the menu of a narrow screen leads to the keys', async ({ page, site }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await site.signIn('/projects');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).first().click();
  await site.waitForPath('/keys');
  await expect(page.getByRole('heading', { name: 'API keys', level: 1 })).toBeVisible();
});

test('the sidebar leads to the keys', async ({ page, site }) => {
  await site.signIn('/projects');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).first().click();
  await site.waitForPath('/keys');
});
