import { SECRET } from '../support/keyward';
import { expect, test } from '../support/test';

test('ThinkDeli: the API Keys button of a channel opens its keys, grouped by user', async ({ page, site, keyward }) => {
  await site.signInOnPage();
  await site.open('/projects');
  const id = await keyward.project();
  await page.getByRole('link', { name: /^API Keys of / }).click();
  await site.waitForPath(`/projects/${id}/keys`);
  const dialog = page.getByRole('dialog', { name: /^API keys of / });
  await expect(dialog.getByText('No API keys yet')).toBeVisible();

  const secrets: string[] = [];
  for (const [name, user] of [['Desk', 'Ada'], ['Phone', 'Ada'], ['Bo’s script', 'Bo']]) {
    await dialog.getByRole('link', { name: 'Generate API key' }).click();
    const form = page.getByRole('dialog', { name: /^Generate API key/ });
    await form.getByLabel('Name').fill(name);
    await form.getByLabel('Issued to').fill(user);
    await form.getByRole('button', { name: 'Generate API key' }).click();
    await expect(site.secret).toBeVisible();
    const secret = await site.secret.innerText();
    expect(secret).toMatch(SECRET);
    expect(secret).toHaveLength(64);
    secrets.push(secret);
    if (site.scripted) {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await site.reveal.getByRole('button', { name: 'Copy', exact: true }).click();
    }
    await site.reveal.getByRole('link', { name: 'Done' }).click();
    await site.waitForPath(`/projects/${id}/keys`);
    await expect(dialog.getByRole('link', { name, exact: true })).toBeVisible();
  }
  expect(new Set(secrets).size).toBe(3);
  await expect(dialog.getByRole('rowheader', { name: 'Ada 2 keys' })).toBeVisible();
  await expect(dialog.getByRole('rowheader', { name: 'Bo 1 key' })).toBeVisible();
  for (const secret of secrets) await site.expectNowhere(secret);

  await dialog.getByRole('link', { name: 'Delete key Phone' }).click();
  await page.getByRole('dialog', { name: 'Delete “Phone”?' }).getByRole('button', { name: 'Delete key' }).click();
  await expect(dialog.getByRole('rowheader', { name: 'Ada 1 key' })).toBeVisible();
  const response = await fetch(`${keyward.url}/v1/keys/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: secrets[1] }),
  });
  expect(await response.json()).toMatchObject({ valid: false, code: 'deleted' });
});
