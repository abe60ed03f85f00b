import type { Page } from '@playwright/test';
import { MOTION } from '../playwright.config';
import { expect, test } from '../support/test';

// With transitions: the other tests ask for reduced motion.
test.use(MOTION);

// Features of scripts: dialogs over the list, without a page load.

declare global {
  interface Window { marked?: boolean }
  interface HTMLTableElement { marked?: boolean }
}

const steps = (page: Page) => page.evaluate(() => history.length);

test.describe('dialogs', { tag: '@scripts' }, () => {
  test('opening adds a history entry, and closing removes it', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn();
    const before = await steps(page);
    await site.openCreate();
    await expect(page).toHaveURL(/\/keys\/new$/);
    expect(await steps(page)).toBe(before + 1);
    await site.createDialog.getByRole('link', { name: 'Cancel' }).click();
    await expect(site.createDialog).toBeHidden();
    await expect(page).toHaveURL(/\/keys$/);
    expect(await steps(page)).toBe(before + 1);

    // Back from a dialog closes it too.
    await site.chooseAction('Delete', 'Gateway');
    await expect(page.getByRole('dialog')).toBeVisible();
    await page.goBack();
    await expect(page.getByRole('dialog')).toBeHidden();
    await page.goForward();
    await expect(page.getByRole('dialog', { name: 'Delete “Gateway”?' })).toBeVisible();
  });

  test('a dialog takes the focus, keeps it, and returns it', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn();
    await site.openCreate();
    await expect(site.createDialog.getByLabel('Name')).toBeFocused();
    await expect(page.locator('dialog:modal')).toHaveCount(1);
    await page.keyboard.press('Escape');
    await expect(site.createDialog).toBeHidden();
    await expect(page.locator('#create')).toBeFocused();

    const opener = page.getByRole('button', { name: 'Actions for key Gateway' });
    for (const verb of ['Deactivate', 'Delete'] as const) {
      await site.chooseAction(verb, 'Gateway');
      const dialog = page.getByRole('dialog', { name: `${verb} “Gateway”?` });
      await expect(dialog.getByRole('link', { name: 'Cancel' })).toBeFocused();
      await page.keyboard.press('Escape');
      await expect(dialog).toBeHidden();
      await expect(opener).toBeFocused();
    }

    // A click outside the dialog closes it; a drag that ends outside does not.
    await site.openCreate();
    await site.createDialog.getByLabel('Name').hover();
    await page.mouse.down();
    await page.mouse.move(8, 400);
    await page.mouse.up();
    await expect(site.createDialog).toBeVisible();
    await page.mouse.click(8, 400);
    await expect(site.createDialog).toBeHidden();
  });

  test('a dialog changes the list without a page load', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn();
    await page.evaluate(() => {
      window.marked = true;
      const table = document.querySelector('table');
      if (table) table.marked = true;
    });
    const stays = async () => {
      expect(await page.evaluate(() => window.marked), 'the page was loaded anew').toBe(true);
      expect(await page.evaluate(() => document.querySelector('table')?.marked), 'the table was drawn anew').toBe(true);
    };
    const opener = page.getByRole('button', { name: 'Actions for key Gateway' });

    await site.create('Second');
    await site.closeReveal();
    await expect(site.names()).toHaveText(['Second', 'Gateway']);
    await stays();

    await site.confirm('Deactivate', 'Gateway');
    await expect(site.toast).toContainText('“Gateway” deactivated.');
    await expect(site.row('Gateway')).toContainText('Inactive');
    await expect(opener).toBeFocused();
    await stays();

    await site.chooseAction('Activate', 'Gateway');
    await expect(site.toast).toContainText('“Gateway” activated.');
    await expect(site.row('Gateway')).toContainText('Active');
    await stays();

    await site.confirm('Delete', 'Gateway');
    await expect(site.row('Gateway')).toBeHidden();
    await site.toast.getByRole('button', { name: 'Undo' }).click();
    await expect(site.toast).toContainText('“Gateway” restored.');
    await expect(site.row('Gateway')).toContainText('Active');
    await stays();

    await site.confirm('Delete', 'Gateway');
    await expect(site.row('Gateway')).toBeHidden();
    await site.showStatus('Deleted');
    await page.getByRole('button', { name: 'Restore key Gateway' }).click();
    await expect(site.toast).toContainText('“Gateway” restored.');
    await expect(site.row('Gateway')).toBeHidden();
    await site.showStatus('Any status');
    await expect(site.row('Gateway')).toContainText('Active');
    expect(await page.evaluate(() => window.marked), 'the page was loaded anew').toBe(true);
  });

  test('a dialog in the loaded page works and keeps input from before hydration', async ({ page, site }) => {
    await site.signIn();
    let release = () => {};
    const held = new Promise<void>(resolve => { release = resolve; });
    await page.route('**/*.wasm', async route => {
      await held;
      await route.continue();
    });
    await page.goto('/keys/new', { waitUntil: 'domcontentloaded' });
    const form = site.createDialog;
    await expect(form.getByLabel('Name')).toBeFocused();
    await form.getByLabel('Name').fill('Typed early');
    await form.getByLabel('Expiration').selectOption('Never');
    await form.getByLabel('Test').check();
    await form.getByLabel('usage:read').check();
    await expect(page.locator('dialog:modal')).toHaveCount(0);
    release();
    await site.ready();

    await expect(page.locator('dialog:modal')).toHaveCount(1);
    await expect(form.getByLabel('Name')).toHaveValue('Typed early');
    await expect(form.getByLabel('Expiration')).toHaveValue('never');
    await expect(form.locator('#expires-hint')).toHaveText('Never expires.');
    await expect(form.getByLabel('Test')).toBeChecked();
    await expect(form.getByLabel('usage:read')).toBeChecked();
    await site.submitCreate();
    await expect(site.secret).toHaveText(/^kw_test_/);
    await site.closeReveal();
    await expect(site.row('Typed early')).toContainText('usage:read');
  });
});

test('a dialog opens by its URL', async ({ page, site, keyward }) => {
  const { key_id } = await keyward.createKey('Gateway');
  await site.signIn(`/keys/${key_id}/delete`);
  const dialog = page.getByRole('dialog', { name: 'Delete “Gateway”?' });
  await expect(dialog).toContainText('The key was never used.');
  await dialog.getByRole('link', { name: 'Deactivate instead' }).click();
  await page.getByRole('dialog', { name: 'Deactivate “Gateway”?' }).getByRole('button', { name: 'Deactivate key' }).click();
  await expect(site.row('Gateway')).toContainText('Inactive');
});
