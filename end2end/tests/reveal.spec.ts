import { SECRET } from '../support/keyward';
import { expect, test } from '../support/test';

test.beforeEach(async ({ site }) => site.signIn());

test.describe('closing without a copy', { tag: '@scripts' }, () => {
  const guard = 'You have not copied this key';

  test('Done, Escape, and a click outside the dialog ask for confirmation', async ({ page, site }) => {
    await site.create('Gateway');
    await site.reveal.getByRole('link', { name: 'Done' }).click();
    await expect(site.reveal.getByRole('alert')).toContainText(guard);
    await expect(site.reveal.getByRole('button', { name: 'Copy and close' })).toBeFocused();
    await site.reveal.getByRole('button', { name: 'Close without copying' }).click();
    await expect(site.reveal).toBeHidden();
    await expect(site.row('Gateway')).toBeVisible();

    await site.create('Second');
    await page.keyboard.press('Escape');
    await expect(site.reveal.getByRole('alert')).toContainText(guard);
    await page.keyboard.press('Escape');
    await expect(site.reveal.getByRole('alert')).toContainText(guard);
    await site.reveal.getByRole('button', { name: 'Close without copying' }).click();
    await expect(site.reveal).toBeHidden();

    await site.create('Third');
    await page.mouse.click(8, 400);
    await expect(site.reveal.getByRole('alert')).toContainText(guard);
    expect(await page.content()).toMatch(SECRET);
    await site.reveal.getByRole('button', { name: 'Close without copying' }).click();
    await expect(site.reveal).toBeHidden();
    await site.expectNotInDocument(SECRET);
  });

  test('Copy and close copies the secret and closes the dialog', async ({ page, site, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const secret = await site.create('Gateway');
    await site.reveal.getByRole('link', { name: 'Done' }).click();
    await site.reveal.getByRole('button', { name: 'Copy and close' }).click();
    await expect(site.reveal).toBeHidden();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await expect(page.locator('#create')).toBeFocused();
  });

  test('a failed copy is not confirmed', async ({ page, site }) => {
    await page.addInitScript(() => {
      Object.defineProperty(navigator, 'clipboard', { value: undefined });
    });
    await site.reload();
    const secret = await site.create('Gateway');
    await site.reveal.getByRole('button', { name: 'Copy', exact: true }).click();
    await expect(site.reveal.getByRole('status').filter({ hasText: 'Selected. Press Ctrl+C to copy.' })).toBeVisible();
    expect(await page.evaluate(() => getSelection()?.toString())).toBe(secret);
    await expect(site.reveal.getByRole('button', { name: 'Copy', exact: true })).not.toHaveAttribute('data-done');
    // Copying with the keyboard counts as copied.
    await page.keyboard.press('Control+c');
    await site.reveal.getByRole('link', { name: 'Done' }).click();
    await expect(site.reveal).toBeHidden();
  });

  test('closing the tab asks for confirmation', async ({ page, site }) => {
    await site.create('Gateway');
    const dialogOpened = page.waitForEvent('dialog');
    const closing = page.close({ runBeforeUnload: true });
    const dialog = await dialogOpened;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    await closing;
    await expect(site.secret).toBeVisible();
  });

  test('Back keeps the dialog open', async ({ page, site }) => {
    const secret = await site.create('Gateway');
    await expect(page).toHaveURL(/\/keys$/);
    await page.goBack();
    await expect(page).toHaveURL(/\/keys$/);
    await expect(site.secret).toHaveText(secret);
    await page.goForward();
    await expect(site.secret).toHaveText(secret);
  });

  test('formats of the secret and the mask', async ({ page, site, keyward, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const secret = await site.create('Gateway');
    await site.reveal.getByLabel('curl').check();
    await expect(site.secret).toBeHidden();
    await site.reveal.getByRole('button', { name: 'Copy', exact: true }).click();
    await expect(site.reveal.getByRole('button', { name: 'Copy', exact: true })).toHaveAttribute('data-done');
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toContain(`curl ${keyward.url}/authentication/token`);
    expect(command).toContain(secret);
    await site.reveal.getByLabel('.env').check();
    await expect(site.reveal.locator('[data-panel=env]')).toContainText(`KEYWARD_PROJECT_ID=${await keyward.project()}`);
  });
});

test('the list below shows the new key with any filter', async ({ site }) => {
  await site.open('/keys?status=deleted');
  await site.create('Gateway');
  await site.closeReveal();
  await expect(site.names()).toHaveText(['Gateway']);
});

test('a double click creates one key', { tag: '@scripts' }, async ({ site, keyward }) => {
  await site.openCreate();
  await site.createDialog.getByLabel('Name').fill('Gateway');
  await site.createDialog.getByRole('button', { name: 'Create API key' }).dblclick();
  await expect(site.secret).toBeVisible();
  await site.closeReveal();
  expect(await keyward.keys()).toHaveLength(1);
});

test('sending a form twice creates one key and explains that the secret is shown once', async ({ page, site, keyward, monitor, scripted }) => {
  monitor.expectStatus(409);
  await site.openCreate();
  const number = await site.createDialog.locator('[name=number]').inputValue();
  await site.createDialog.getByLabel('Name').fill('Gateway');
  await site.submitCreate();
  await expect(site.secret).toBeVisible();
  if (scripted) {
    await site.closeReveal();
    await site.openCreate();
    await site.createDialog.getByLabel('Name').fill('Gateway');
    await site.createDialog.locator('[name=number]').evaluate((input: HTMLInputElement, value) => { input.value = value; }, number);
    await site.submitCreate();
  } else {
    // The browser resends the form.
    await page.reload();
  }
  await expect(page.getByRole('alert')).toContainText('the secret cannot be shown again');
  await expect(page.getByText(SECRET)).toHaveCount(0);
  expect(await keyward.keys()).toHaveLength(1);
});

// With scripts, the history does not contain the form.
test('going back and sending the form again creates another key', { tag: '@plain' }, async ({ page, site, keyward }) => {
  const first = await site.create('Gateway');
  await page.goBack();
  await site.createDialog.getByLabel('Name').fill('Gateway');
  await site.submitCreate();
  // The form was loaded again, with a new form number.
  await expect(site.secret).toBeVisible();
  await expect(site.secret).not.toHaveText(first);
  expect(await keyward.keys()).toHaveLength(2);
});

test('another tab shows the key without its secret', async ({ site }) => {
  const secret = await site.create('Gateway');
  const other = await site.tab('/keys');
  await expect(other.row('Gateway')).toContainText('Active');
  await other.expectNowhere(secret);
  const second = await other.create('Second');
  expect(second).not.toBe(secret);
  await expect(site.secret).toHaveText(secret);
  await other.closeReveal();
  await site.page.bringToFront();
  await site.closeReveal();
  await site.reload();
  await expect(site.names()).toHaveText(['Second', 'Gateway']);
});
