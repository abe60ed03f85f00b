import { expect } from '@playwright/test';
import { ClientApp, applicationsOf, registerApplication } from './client-app';
import type { Site } from './site';

/** The pages and dialogs of consent, for an owner of a project. */
export async function* tourConsent(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  await site.addSession();
  const app = await ClientApp.open();
  const [id, resource] = [await keyward.project(), `${keyward.url}/projects/${await keyward.project()}`];
  try {
    await site.open(`/projects/${id}/clients/new`);
    yield 'client-new';
    await page.getByRole('dialog').getByLabel('Name').fill('  ');
    await page.getByRole('dialog').getByLabel('Redirect URLs').fill('http://buoywatch.example/done');
    await page.getByRole('dialog').getByRole('button', { name: 'Register application' }).click();
    await expect(page.getByText('Use https.')).toBeVisible();
    yield 'client-new-errors';
    const client = await registerApplication(site, 'Buoy Watch', `${app.redirect}\nhttps://buoywatch.example/a/rather/long/address/to/which/an/answer/goes`);

    await page.goto(app.authorizationUrl(keyward, client));
    await site.ready();
    yield 'authorize';
    await page.goto(app.authorizationUrl(keyward, 'loopback', { resource, scope: '' }));
    await site.ready();
    yield 'authorize-unregistered';
    await page.goto(app.authorizationUrl(keyward, 'loopback', { resource: `${keyward.url}/projects/0192f3a0-0000-7000-8000-000000000001` }));
    await site.ready();
    yield 'authorize-not-yours';
    await page.goto(app.authorizationUrl(keyward, 'client:nobody'));
    await site.ready();
    yield 'authorize-unknown';
    await page.goto(app.authorizationUrl(keyward, client));
    await page.getByRole('button', { name: 'Allow' }).click();
    await app.nextResponse();
    await site.open(`/projects/${id}`);
    await applicationsOf(page).scrollIntoViewIfNeeded();
    yield 'project-programs';
    await page.getByRole('link', { name: 'Revoke your grant to Buoy Watch' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    yield 'grant-revoke';
    await site.open(`/projects/${id}`);
    await applicationsOf(page).getByRole('link', { name: 'Remove Buoy Watch' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    yield 'client-remove';
    await site.open('/settings/security');
    await page.getByRole('region', { name: 'Grants' }).scrollIntoViewIfNeeded();
    yield 'security-grants';

    const answer = await fetch(`${keyward.url}/oauth/device_authorization`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: client, scope: 'data:read' }),
    });
    const { user_code } = await answer.json();
    await site.open('/device');
    yield 'device';
    await page.getByLabel('Code').fill('BBBB-BBBB');
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page.getByText('No device is waiting for this code.')).toBeVisible();
    yield 'device-wrong';
    await page.getByLabel('Code').fill(user_code);
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page.getByText(user_code)).toBeVisible();
    yield 'device-confirm';
    await page.getByRole('button', { name: 'Allow' }).click();
    await expect(page.getByRole('heading', { name: 'Access allowed' })).toBeVisible();
    yield 'device-allowed';
  } finally {
    app.close();
  }
}
