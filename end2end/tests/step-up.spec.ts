import { expect, test } from '../support/test';

test('a form that needs reauthentication keeps its values and succeeds afterwards', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(403);
  await site.signIn();
  await site.openCreate();
  const { createDialog } = site;
  await createDialog.getByLabel('Name').fill('Night watch');
  await createDialog.getByLabel('Expiration').selectOption('Never');
  await createDialog.getByText('More', { exact: true }).click();
  await createDialog.getByLabel('Issued to').fill('Harbour office');
  await createDialog.getByLabel('data:read').check();
  // A sign-in counts as reauthentication for 15 minutes, too long for a test. A wrong password in the form makes the same field
  // appear.
  await createDialog.locator('form').evaluate(form => {
    const proof = document.createElement('input');
    [proof.type, proof.name, proof.value] = ['hidden', 'proof', 'not my password at all'];
    form.append(proof);
  });
  await site.submitCreate();
  const proof = createDialog.getByLabel('Confirm your password');
  await expect(proof).toBeFocused();
  await expect(proof).toHaveValue('');
  await expect(proof).toHaveAccessibleDescription(/Wrong password or code/);
  await expect(createDialog.getByLabel('Name')).toHaveValue('Night watch');
  await expect(createDialog.getByLabel('Expiration')).toHaveValue('never');
  await expect(createDialog.getByLabel('Issued to')).toHaveValue('Harbour office');
  await expect(createDialog.getByLabel('data:read')).toBeChecked();
  expect(await keyward.keys()).toEqual([]);

  // A wrong password, then the right one.
  await proof.fill('nor is this');
  await site.submitCreate();
  await expect(proof).toHaveValue('');
  await expect(proof).toHaveAccessibleDescription(/Wrong password or code/);
  await proof.fill(keyward.user.password);
  await site.submitCreate();
  await expect(site.secret).toBeVisible();
  const [key] = await keyward.keys();
  expect([key.name, key.issued_to]).toEqual(['Night watch', 'Harbour office']);
  await site.closeReveal();
  await expect(page.getByLabel('Confirm your password')).toBeHidden();
});

test('the reauthentication page leads to the requested page', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(403, 429);
  await page.goto('/confirm?next=%2Fprojects');
  await expect(page).toHaveURL(/\/login\?next=/);
  await site.ready();
  await site.fillSignIn();
  await expect(page.getByRole('heading', { name: 'Confirm your identity' })).toBeVisible();
  const password = page.getByLabel('Password');
  const confirm = page.getByRole('button', { name: 'Confirm' });
  await expect(password).toBeFocused();
  await password.fill(keyward.user.password);
  await confirm.click();
  await site.waitForPath('/projects');

  for (const target of ['https://example.com/', '//example.com/']) {
    await site.open(`/confirm?next=${encodeURIComponent(target)}`);
    await password.fill(keyward.user.password);
    await confirm.click();
    await site.waitForPath('/keys');
  }

  // After five wrong passwords, the field shows a rate limit error.
  await site.open('/confirm?next=%2Fprojects');
  for (let n = 0; n < 5; n++) {
    await password.fill('not my password at all');
    await confirm.click();
    await expect(password).toHaveAccessibleDescription(/Wrong password or code/);
    await expect(password).toHaveValue('');
  }
  await password.fill(keyward.user.password);
  await confirm.click();
  await expect(password).toHaveAccessibleDescription(/Too many attempts/);
  await page.getByRole('link', { name: 'Cancel' }).click();
  await site.waitForPath('/keys');
});
