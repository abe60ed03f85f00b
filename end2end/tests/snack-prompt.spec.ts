import { MOTION } from '../playwright.config';
import { expect, test } from '../support/test';

// With transitions: the other tests ask for reduced motion.
test.use(MOTION);

// The way that Snack Prompt's guide goes: profile picture, API Keys, the + where there is none, only a name, copy or delete.
test('Snack Prompt', async ({ page, site, keyward }) => {
  await site.signInOnPage();
  await site.open('/settings/account');
  await page.getByRole('button', { name: keyward.person.name }).click();
  await page.locator('#profile').getByRole('link', { name: 'API keys' }).click();
  await site.at('/keys');
  await page.getByRole('link', { name: 'Create an API key' }).click();
  await site.createDialog.getByLabel('Name').fill('Prompts');
  await site.submitCreate();
  await expect(site.secret).toHaveText(/^kw_live_[0-9A-Za-z]{56}$/);
  await site.done();
  await site.confirm('Delete', 'Prompts');
  await expect(site.toast).toContainText('“Prompts” deleted.');
  await site.toast.getByRole('button', { name: 'Undo' }).click();
  await expect(site.row('Prompts')).toContainText('Active');
  await expect(site.toast).toContainText('“Prompts” restored.');
});

test('the menu at the upper right of a narrow screen leads to the keys', async ({ page, site }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await site.signIn('/projects');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).first().click();
  await site.at('/keys');
  await expect(page.getByRole('heading', { name: 'API keys', level: 1 })).toBeVisible();
});

test('so does the sidebar', async ({ page, site }) => {
  await site.signIn('/projects');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).first().click();
  await site.at('/keys');
});
