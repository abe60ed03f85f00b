import { ClientApp, applicationsOf, registerApplication } from '../support/client-app';
import { expect, test as base } from '../support/test';

const test = base.extend<{ app: ClientApp }>({
  app: async ({}, use) => {
    const app = await ClientApp.open();
    await use(app);
    app.close();
  },
});

test('a project owner registers an application, and errors appear at their fields', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await site.signIn(`/projects/${await keyward.project()}`);
  await expect(applicationsOf(page)).toContainText('No applications yet.');
  await page.getByRole('link', { name: 'Register application' }).click();
  const dialog = page.getByRole('dialog', { name: 'Register application' });
  await dialog.getByLabel('Name').fill('  ');
  await dialog.getByLabel('Redirect URLs').fill('http://buoywatch.example/done');
  await dialog.getByRole('button', { name: 'Register application' }).click();
  await expect(dialog.getByText('Enter a name.')).toBeVisible();
  await expect(dialog.getByText('Use https.')).toBeVisible();
  await expect(dialog.getByLabel('Redirect URLs')).toHaveValue('http://buoywatch.example/done');
  await dialog.getByLabel('Name').fill('Buoy Watch');
  await dialog.getByLabel('Redirect URLs').fill('https://buoywatch.example/done\nhttp://127.0.0.1/cb');
  await dialog.getByRole('button', { name: 'Register application' }).click();
  await expect(site.toast).toContainText('Application registered.');
  await expect(applicationsOf(page)).toContainText('Buoy Watch');
  await expect(applicationsOf(page)).toContainText('https://buoywatch.example/done');
  await expect(applicationsOf(page)).toContainText(/client:[0-9a-f-]{36}/);
});

test('a grant is listed on the project page and revoked there', async ({ page, site, keyward, app }) => {
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', app.redirect);
  await page.goto(app.authorizationUrl(keyward, client));
  await page.getByRole('button', { name: 'Allow' }).click();
  await app.nextResponse();
  await site.open(`/projects/${await keyward.project()}`);
  const allowed = page.getByRole('region', { name: 'Grants', exact: true });
  await expect(allowed).toContainText('Scopes: data:read, usage:read. Allowed by you');
  await allowed.getByRole('link', { name: 'Revoke your grant to Buoy Watch' }).click();
  const dialog = page.getByRole('dialog', { name: 'Revoke your grant to Buoy Watch?' });
  await dialog.getByRole('button', { name: 'Revoke grant' }).click();
  await expect(site.toast).toContainText('Grant revoked.');
  await expect(allowed).toContainText('No active grants');
});

test('removing an application revokes its grants', async ({ page, site, keyward, app, monitor }) => {
  monitor.expectStatus(400);
  await site.addSession();
  const client = await registerApplication(site, 'Buoy Watch', app.redirect);
  await page.goto(app.authorizationUrl(keyward, client));
  await page.getByRole('button', { name: 'Allow' }).click();
  await app.nextResponse();
  await site.open(`/projects/${await keyward.project()}`);
  await applicationsOf(page).getByRole('link', { name: 'Remove Buoy Watch' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove Buoy Watch?' });
  await dialog.getByRole('button', { name: 'Remove application' }).click();
  await expect(site.toast).toContainText('Application removed.');
  await site.open('/settings/security');
  await expect(page.getByText('No active grants')).toBeVisible();
  await page.goto(app.authorizationUrl(keyward, client));
  await expect(page.getByRole('heading', { name: 'Invalid authorization request' })).toBeVisible();
});
