import { expect, test } from '../support/test';

// Features of scripts: history, focus, menus, and unsaved entries.

test.describe('navigation', { tag: '@scripts' }, () => {
  test('one press of Back leaves the list after a dialog was closed', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn('/projects');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' }).click();
    await expect(page).toHaveURL(/\/keys$/);
    // Closed by Escape, by a link, and by a form.
    await site.openCreate();
    await page.keyboard.press('Escape');
    await expect(site.createDialog).toBeHidden();
    await site.openCreate();
    await site.createDialog.getByRole('link', { name: 'Cancel' }).click();
    await expect(site.createDialog).toBeHidden();
    await site.chooseAction('Deactivate', 'Gateway');
    await page.getByRole('dialog').getByRole('button', { name: 'Deactivate key' }).click();
    await expect(page.getByText('“Gateway” deactivated.')).toBeVisible();
    await expect(page).toHaveURL(/\/keys$/);
    await page.goBack();
    await expect(page).toHaveURL(/\/projects$/);
    await expect(page.getByRole('heading', { name: 'Projects', level: 1 })).toBeVisible();
  });

  test('Escape and a click outside ask before they discard entries', async ({ page, site }) => {
    await site.signIn();
    await site.openCreate();
    const name = site.createDialog.getByLabel('Name');
    const guard = site.createDialog.getByRole('alert').filter({ hasText: 'Your changes are not saved.' });
    await name.fill('Nightly export');
    await page.keyboard.press('Escape');
    await expect(guard).toBeVisible();
    const keep = guard.getByRole('button', { name: 'Keep editing' });
    await expect(keep).toBeFocused();
    await keep.press('Enter');
    await expect(guard).toBeHidden();
    await expect(name).toBeFocused();
    await expect(name).toHaveValue('Nightly export');

    await page.mouse.click(8, 400);
    await expect(guard).toBeVisible();
    // Escape returns to the form, as often as it is pressed.
    await page.keyboard.press('Escape');
    await expect(guard).toBeHidden();
    await page.keyboard.press('Escape');
    await expect(guard).toBeVisible();
    await guard.getByRole('button', { name: 'Discard changes' }).click();
    await expect(site.createDialog).toBeHidden();
    await expect(page).toHaveURL(/\/keys$/);

    // The next dialog is empty, and closes at once.
    await site.openCreate();
    await expect(name).toHaveValue('');
    await page.keyboard.press('Escape');
    await expect(site.createDialog).toBeHidden();
  });

  test('arrow keys open a menu and move in it', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn();
    const button = page.getByRole('button', { name: 'Actions for key Gateway' });
    await button.focus();
    await page.keyboard.press('ArrowDown');
    const item = (name: string) => page.getByRole('link', { name: `${name} key Gateway` });
    await expect(item('Edit')).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await expect(item('Deactivate')).toBeFocused();
    await page.keyboard.press('End');
    await expect(item('Delete')).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await expect(item('Edit')).toBeFocused();
    await page.keyboard.press('ArrowUp');
    await expect(item('Delete')).toBeFocused();
    await page.keyboard.press('Home');
    await expect(item('Edit')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(item('Edit')).toBeHidden();
    await expect(button).toBeFocused();

    await page.locator('#profile-button').focus();
    await page.keyboard.press('ArrowUp');
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeFocused();
  });

  test('the theme changes before the server has responded', async ({ page, site }) => {
    await site.signIn();
    let respond = () => {};
    const held = new Promise<void>(resolve => { respond = resolve; });
    await page.route('**/settings/theme**', async route => {
      await held;
      await route.continue();
    });
    await page.locator('#profile-button').click();
    await page.getByRole('button', { name: 'Dark' }).click();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
    respond();
    await page.locator('#profile-button').click();
    await expect(page.getByRole('button', { name: 'Dark' })).toHaveAttribute('aria-pressed', 'true');
    await site.reload();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  });

  test('a message is visible above a dialog', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await keyward.createKey('Export');
    await site.signIn();
    await site.chooseAction('Delete', 'Gateway');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
    const toast = page.locator('.toast');
    await expect(toast).toHaveText(/“Gateway” deleted\./);
    await site.chooseAction('Delete', 'Export');
    await expect(page.getByRole('dialog')).toBeVisible();
    await expect(toast).toBeVisible();
    const above = await page.evaluate(() => {
      const region = document.getElementById('toasts');
      const dialog = document.querySelector('dialog');
      return region?.matches(':popover-open') && dialog?.matches(':modal');
    });
    expect(above, 'both are in the top layer').toBe(true);
  });

  test('another page of a list starts at the list', async ({ page, site, keyward }) => {
    await keyward.createKeys(Array.from({ length: 60 }, (_, n) => `Key ${n}`));
    await site.signIn();
    const next = page.getByRole('link', { name: 'Next' });
    await next.focus();
    await page.keyboard.press('Enter');
    await expect(site.names()).toHaveCount(10);
    // Enter again activates no link.
    await expect(page.locator('main :is(a, button):focus')).toHaveCount(0);
    expect(await page.evaluate(() => document.querySelector('caption')!.getBoundingClientRect().top)).toBeGreaterThanOrEqual(0);
    expect(await page.evaluate(() => document.activeElement?.contains(document.querySelector('caption')))).toBe(true);
  });
});
