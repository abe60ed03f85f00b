import { Program, programs, register } from '../support/program';
import { expect, test as base } from '../support/test';

const test = base.extend<{ program: Program }>({
  program: async ({}, use) => {
    const program = await Program.open();
    await use(program);
    program.close();
  },
});

test('a program is registered by its owner, and what is wrong is said beside the fields', async ({ page, site, keyward, watch }) => {
  watch.expectStatus(422);
  await site.signIn(`/projects/${await keyward.project()}`);
  await expect(programs(page)).toContainText('No applications yet.');
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
  await expect(programs(page)).toContainText('Buoy Watch');
  await expect(programs(page)).toContainText('https://buoywatch.example/done');
  await expect(programs(page)).toContainText(/client:[0-9a-f-]{36}/);
});

test('what was allowed is listed on the project, and revoked there', async ({ page, site, keyward, program }) => {
  await site.addSession();
  const client = await register(site, 'Buoy Watch', program.redirect);
  await page.goto(program.asks(keyward, client));
  await page.getByRole('button', { name: 'Allow' }).click();
  await program.heard();
  await site.open(`/projects/${await keyward.project()}`);
  const allowed = page.getByRole('region', { name: 'Grants', exact: true });
  await expect(allowed).toContainText('Scopes: data:read, usage:read. Allowed by you');
  await allowed.getByRole('link', { name: 'Revoke your grant to Buoy Watch' }).click();
  const dialog = page.getByRole('dialog', { name: 'Revoke your grant to Buoy Watch?' });
  await dialog.getByRole('button', { name: 'Revoke grant' }).click();
  await expect(site.toast).toContainText('Grant revoked.');
  await expect(allowed).toContainText('No active grants');
});

test('a program that is removed takes along what was allowed to it', async ({ page, site, keyward, program, watch }) => {
  watch.expectStatus(400);
  await site.addSession();
  const client = await register(site, 'Buoy Watch', program.redirect);
  await page.goto(program.asks(keyward, client));
  await page.getByRole('button', { name: 'Allow' }).click();
  await program.heard();
  await site.open(`/projects/${await keyward.project()}`);
  await programs(page).getByRole('link', { name: 'Remove Buoy Watch' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove Buoy Watch?' });
  await dialog.getByRole('button', { name: 'Remove application' }).click();
  await expect(site.toast).toContainText('Application removed.');
  await site.open('/settings/security');
  await expect(page.getByText('No active grants')).toBeVisible();
  await page.goto(program.asks(keyward, client));
  await expect(page.getByRole('heading', { name: 'Invalid authorization request' })).toBeVisible();
});
