import { openSession, JONAS, TOMAS } from '../support/demo';
import { expect, test } from '../support/test';

// Maren is an administrator.
test.use({ template: 'demo' });

test('an administrator finds a user, disables the user with the keys, and enables the user', async ({ page, site, browser, monitor }) => {
  monitor.expectStatus(422);
  await site.addSession();
  const tomas = await openSession(site, browser, TOMAS);
  await site.open('/admin/users');
  const search = page.getByRole('search');
  await search.getByLabel('Name or email').fill('TOMAS@');
  await search.getByLabel('Name or email').press('Enter');
  await expect(page.getByText('1 user matching “TOMAS@”')).toBeVisible();
  await page.getByRole('link', { name: TOMAS.name }).click();
  await expect(page.getByRole('heading', { name: TOMAS.name })).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'Buoy telemetry' })).toContainText('Sole owner');

  await page.getByRole('link', { name: `Disable user: ${TOMAS.name}` }).click();
  const dialog = page.getByRole('dialog', { name: `Disable ${TOMAS.name}?` });
  await expect(dialog.getByLabel('Reason')).toBeFocused();
  await dialog.getByLabel('Reason').fill(' ');
  await dialog.getByRole('checkbox', { name: /^Also deactivate the/ }).check();
  await dialog.getByRole('button', { name: 'Disable user' }).click();
  await expect(dialog.getByLabel('Reason')).toHaveAttribute('aria-invalid', 'true');
  await expect(dialog.getByRole('checkbox', { name: /^Also deactivate the/ })).toBeChecked();
  await dialog.getByLabel('Reason').fill('Left the team.');
  await dialog.getByRole('button', { name: 'Disable user' }).click();
  await expect(site.toast).toContainText(`User “${TOMAS.name}” disabled.`);
  await expect(page.getByRole('main')).toContainText('Disabled');

  // His session has ended, and his password is denied.
  await tomas.page.goto('/keys');
  await tomas.waitForPath('/login');
  await tomas.page.getByLabel('Email').fill(TOMAS.email);
  await tomas.page.getByLabel('Password').fill(site.keyward.user.password);
  await tomas.page.getByRole('button', { name: 'Sign in' }).click();
  await expect(tomas.page.getByRole('alert')).toContainText('Wrong email or password.');
  await tomas.page.context().close();
  await site.open('/admin/keys?status=inactive');
  await expect(page.getByRole('row').filter({ hasText: 'Maren Okafor: Left the team.' }).first()).toBeVisible();

  await site.open('/admin/users?search=tomas');
  await page.getByRole('link', { name: TOMAS.name }).click();
  await page.getByRole('link', { name: `Enable user: ${TOMAS.name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Enable user' }).click();
  await expect(site.toast).toContainText('enabled.');
  const again = await openSession(site, browser, TOMAS);
  await again.page.context().close();
});

test('the administrator role is added and removed, but not from the last administrator', async ({ page, site, browser, monitor }) => {
  monitor.expectStatus(409);
  await site.addSession();
  const jonas = await openSession(site, browser, JONAS);
  await site.open('/admin/users');
  await page.getByRole('link', { name: 'Maren Okafor' }).click();
  await page.getByRole('link', { name: 'Remove administrator role: Maren Okafor' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('No other administrator can sign in.');
  await expect(dialog).toContainText('This is your own account.');
  await dialog.getByRole('button', { name: 'Remove administrator role' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Add the administrator role to another user first.');
  await dialog.getByRole('link', { name: 'Cancel' }).click();

  await page.getByRole('link', { name: 'Users', exact: true }).first().click();
  await page.getByRole('link', { name: JONAS.name }).click();
  await page.getByRole('link', { name: `Add administrator role: ${JONAS.name}` }).click();
  await dialog.getByRole('button', { name: 'Add administrator role' }).click();
  await expect(site.toast).toContainText('Administrator role added to');
  await jonas.open('/admin/users');
  await expect(jonas.page.getByRole('heading', { name: 'Users' })).toBeVisible();
  await page.getByRole('link', { name: `Remove administrator role: ${JONAS.name}` }).click();
  await dialog.getByRole('button', { name: 'Remove administrator role' }).click();
  await expect(site.toast).toContainText('Administrator role removed from');
  await jonas.page.context().close();
});

test('a project is transferred, and deleting a user asks for the new owners of the other projects', async ({ page, site, monitor }) => {
  monitor.expectStatus(422);
  await site.signIn('/admin/users?search=tomas');
  await page.getByRole('link', { name: TOMAS.name }).click();
  await expect(page.getByRole('heading', { name: TOMAS.name })).toBeVisible();
  const about = page.url().split('?')[0];
  await page.getByRole('link', { name: 'Transfer Buoy telemetry' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Transfer project' }).click();
  await expect(dialog.getByLabel('New owner')).toHaveAttribute('aria-invalid', 'true');
  await dialog.getByLabel('New owner').selectOption({ label: `${JONAS.name} (${JONAS.email})` });
  await dialog.getByRole('checkbox', { name: /in the project as an operator/ }).check();
  await dialog.getByRole('button', { name: 'Transfer project' }).click();
  await expect(site.toast).toContainText('Project transferred.');
  await expect(page.getByRole('row').filter({ hasText: 'Buoy telemetry' })).toContainText('Operator');

  // Jonas is now the only owner.
  await site.open('/admin/users?search=jonas');
  await page.getByRole('link', { name: JONAS.name }).click();
  await page.getByRole('link', { name: `Delete user: ${JONAS.name}` }).click();
  await dialog.getByLabel('Reason').fill('Left us.');
  await dialog.getByRole('button', { name: 'Delete user' }).click();
  await expect(dialog).toContainText('Choose a new owner for each project, or archive it.');
  await expect(dialog.getByLabel('Reason')).toHaveValue('Left us.');
  await dialog.getByLabel(/Buoy telemetry/).selectOption({ label: `${TOMAS.name} (${TOMAS.email})` });
  await dialog.getByRole('button', { name: 'Delete user' }).click();
  await expect(site.toast).toContainText('User deleted.');
  await expect(page.getByRole('link', { name: JONAS.name })).toHaveCount(0);
  await page.goto(about);
  await site.ready();
  await expect(page.getByRole('row').filter({ hasText: 'Buoy telemetry' })).toContainText('Sole owner');
  // His keys stay, with his name.
  await site.open('/admin/keys?view=left');
  await expect(page.locator('tbody .cell-created').first()).toContainText('Jonas');
});

test('without email, an invitation link is shown once', async ({ page, site, monitor }) => {
  monitor.expectStatus(409);
  await site.signIn('/admin/users');
  await page.getByRole('link', { name: 'Invite user', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Email')).toBeFocused();
  await dialog.getByLabel('Email').fill('new@drift.example');
  await dialog.getByRole('button', { name: 'Invite user' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Sign-up is closed');
  await site.open('/admin/policy');
  await page.getByLabel('Sign-up').selectOption('By invitation only');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(site.toast).toContainText('Policy saved.');
  await site.open('/admin/users/invite');
  await dialog.getByLabel('Email').fill('new@drift.example');
  await dialog.getByRole('button', { name: 'Invite user' }).click();
  const link = await page.locator('#invitation').innerText();
  expect(link).toMatch(/\/signup\?invitation=[\w-]{43}$/);
  await dialog.getByRole('link', { name: 'Done' }).click();
  await site.waitForPath('/admin/users');
  await site.expectNotInDocument(link.split('=')[1]);
});
