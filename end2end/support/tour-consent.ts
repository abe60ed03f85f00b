import { expect } from '@playwright/test';
import { Program, programs, register } from './program';
import type { Site } from './site';

/** The pages and dialogs of consent, for an owner of a project. */
export async function* tourConsent(site: Site): AsyncGenerator<string> {
  const { page, keyward } = site;
  await site.addSession();
  const program = await Program.open();
  const [id, resource] = [await keyward.project(), `${keyward.url}/projects/${await keyward.project()}`];
  try {
    await site.open(`/projects/${id}/clients/new`);
    yield 'client-new';
    await page.getByRole('dialog').getByLabel('Name').fill('  ');
    await page.getByRole('dialog').getByLabel('Redirect URLs').fill('http://buoywatch.example/done');
    await page.getByRole('dialog').getByRole('button', { name: 'Register application' }).click();
    await expect(page.getByText('Use https.')).toBeVisible();
    yield 'client-new-errors';
    const client = await register(site, 'Buoy Watch', `${program.redirect}\nhttps://buoywatch.example/a/rather/long/address/to/which/an/answer/goes`);

    await page.goto(program.asks(keyward, client));
    await site.ready();
    yield 'authorize';
    await page.goto(program.asks(keyward, 'loopback', { resource, scope: '' }));
    await site.ready();
    yield 'authorize-unregistered';
    await page.goto(program.asks(keyward, 'loopback', { resource: `${keyward.url}/projects/0192f3a0-0000-7000-8000-000000000001` }));
    await site.ready();
    yield 'authorize-not-yours';
    await page.goto(program.asks(keyward, 'client:nobody'));
    await site.ready();
    yield 'authorize-unknown';
    await page.goto(program.asks(keyward, client));
    await page.getByRole('button', { name: 'Allow' }).click();
    await program.heard();
    await site.open(`/projects/${id}`);
    await programs(page).scrollIntoViewIfNeeded();
    yield 'project-programs';
    await page.getByRole('link', { name: 'Revoke your grant to Buoy Watch' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    yield 'grant-revoke';
    await site.open(`/projects/${id}`);
    await programs(page).getByRole('link', { name: 'Remove Buoy Watch' }).click();
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
    program.close();
  }
}
