import { expect, test } from '../support/test';

test('a project is created, renamed, archived, and restored', async ({ page, site }) => {
  await site.signIn('/projects');
  await page.getByRole('link', { name: 'Create project' }).click();
  await page.getByRole('dialog', { name: 'Create project' }).getByLabel('Name').fill('Storm desk');
  await page.getByRole('button', { name: 'Create project' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Storm desk' })).toBeVisible();

  await page.getByRole('link', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Tide desk');
  await page.getByRole('button', { name: 'Rename project' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Tide desk' })).toBeVisible();

  await page.getByRole('link', { name: 'Archive', exact: true }).click();
  await page.getByRole('button', { name: 'Archive project' }).click();
  await expect(page.getByText('This project is archived')).toBeVisible();
  await site.open('/projects');
  await expect(site.row('Tide desk')).toContainText('archived');
  await page.getByRole('link', { name: 'Tide desk', exact: true }).click();
  await page.getByRole('link', { name: 'Unarchive' }).click();
  await page.getByRole('button', { name: 'Unarchive project' }).click();
  await expect(page.getByText('This project is archived')).toHaveCount(0);

  await page.getByRole('link', { name: 'Change maximum token lifetime' }).click();
  await page.getByRole('dialog').getByLabel('Maximum lifetime').fill('12');
  await page.getByRole('dialog').getByLabel('Unit').selectOption('hours');
  await page.getByRole('button', { name: 'Save lifetime', exact: true }).click();
  await expect(page.getByText('12 hours')).toBeVisible();
});

test('a concurrent rename shows an error and keeps the input', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(409);
  await site.addSession();
  const id = await keyward.project();
  await site.open(`/projects/${id}/edit`);
  const other = await site.tab(`/projects/${id}/edit`);
  await other.page.getByRole('dialog').getByLabel('Name').fill('Theirs');
  await other.page.getByRole('button', { name: 'Rename project' }).click();
  await expect(other.page.getByRole('heading', { level: 1, name: 'Theirs' })).toBeVisible();
  await page.getByRole('dialog').getByLabel('Name').fill('Mine');
  await page.getByRole('button', { name: 'Rename project' }).click();
  await expect(page.getByRole('alert')).toContainText('This project was renamed elsewhere');
  await expect(page.getByRole('dialog').getByLabel('Name')).toHaveValue('Mine');
});
