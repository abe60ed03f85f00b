import { expect, test } from '../support/test';

test.use({ template: 'administrator' });

test('a stricter policy lists the affected keys and changes no existing key', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await keyward.createKey('For ever', '--expires', 'never');
  await keyward.createKey('A year', '--expires', '365d');
  await site.signIn('/admin/policy');
  const life = page.getByLabel('Maximum key lifetime (days)');
  await life.fill('0');
  await page.getByLabel('Sign-up').selectOption('Open to anyone with a confirmed email address');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(life).toHaveAttribute('aria-invalid', 'true');
  await expect(life).toHaveValue('0');
  await expect(page.getByText('Configure email, or choose another option.')).toBeVisible();

  await life.fill('30');
  await page.getByLabel('Sign-up').selectOption('By invitation only');
  await page.getByRole('button', { name: 'Save policy' }).click();
  const touches = page.locator('#touches');
  await expect(touches).toContainText('1 key expires more than 30 days from now. Its expiry does not change.');
  await expect(touches).toContainText('1 key never expires. This does not change.');
  await expect(life).toHaveValue('30');
  // The policy is not saved: another tab shows the previous values.
  const tab = await site.tab('/admin/policy');
  await expect(tab.page.getByLabel('Maximum key lifetime (days)')).toHaveValue('');
  await tab.page.close();
  await page.getByRole('button', { name: 'Save policy anyway' }).click();
  await expect(site.toast).toContainText('Policy saved.');
  await expect(life).toHaveValue('30');

  await site.open('/keys');
  await expect(site.row('For ever').locator('.cell-expires')).toContainText('Never');
  await expect(site.row('A year')).toContainText('Active');
  // The key form offers the allowed lifetimes and selects the longest.
  await site.openCreate();
  const expiration = site.createDialog.getByLabel('Expiration');
  await expect(expiration.locator('option:checked')).toHaveText('30 days');
  expect(await expiration.locator('option').allInnerTexts()).toEqual(['7 days', '30 days', 'On a date']);
  await expect(site.createDialog).toContainText('The policy allows a maximum key lifetime of 30 days.');
  await site.createDialog.getByLabel('Name').fill('Too long');
  await expiration.selectOption('On a date');
  await site.createDialog.getByLabel('Expires on').fill('2099-01-01');
  await site.submitCreate();
  await expect(expiration).toHaveAttribute('aria-invalid', 'true');
  await expect(site.createDialog).toContainText('The policy allows a maximum key lifetime of 30 days. Choose an earlier expiry.');
  await expect(site.createDialog.getByLabel('Name')).toHaveValue('Too long');
  await expiration.selectOption('30 days');
  await site.submitCreate();
  await expect(site.secret).toBeVisible();
  await site.closeReveal();

  // An edit keeps the current expiry.
  await site.chooseAction('Edit', 'For ever');
  const edit = page.getByRole('dialog');
  await edit.getByLabel('Name').fill('For ever, renamed');
  await edit.getByRole('button', { name: 'Save changes' }).click();
  await expect(site.row('For ever, renamed').locator('.cell-expires')).toContainText('Never');

  // A less strict policy is saved without confirmation.
  await site.open('/admin/policy');
  await life.fill('');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(site.toast).toContainText('Policy saved.');
});

test('a project cannot exceed the maximum number of keys', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(409);
  await keyward.createKey('Only one');
  await site.signIn('/admin/policy');
  await page.getByLabel('Maximum keys per project').fill('1');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(site.toast).toContainText('Policy saved.');
  await site.open('/keys');
  await site.openCreate();
  await site.createDialog.getByLabel('Name').fill('One more');
  await site.submitCreate();
  await expect(site.createDialog.getByRole('alert')).toContainText('the maximum number of keys that the policy allows');
  await expect(site.createDialog.getByLabel('Name')).toHaveValue('One more');
});

test('saving the policy in a second tab shows a conflict', async ({ page, site, monitor }) => {
  monitor.expectStatus(409);
  await site.signIn('/admin/policy');
  const tab = await site.tab('/admin/policy');
  await tab.page.getByLabel('Maximum keys per project').fill('100');
  await tab.page.getByRole('button', { name: 'Save policy' }).click();
  await expect(tab.toast).toContainText('Policy saved.');
  await tab.page.close();
  await page.getByLabel('Maximum keys per project').fill('200');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByRole('alert')).toContainText('The policy was changed elsewhere');
  await expect(page.getByLabel('Maximum keys per project')).toHaveValue('200');
});
