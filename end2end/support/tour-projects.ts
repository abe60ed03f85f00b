import { expect } from '@playwright/test';
import type { Site } from './site';

/** The pages and dialogs of projects, for an administrator who owns one. */
export async function* tourProjects(site: Site): AsyncGenerator<string> {
  const { page } = site;
  await site.signIn('/projects');
  yield 'projects';
  await page.locator('tbody .key-name').first().click();
  await page.getByRole('textbox', { name: 'Config' }).fill('{"a": 1,}');
  await expect(page.locator('#config-state')).toContainText('Line 1');
  yield 'project';
  const id = await site.keyward.project();
  const over = async (path: string) => {
    await site.open(path);
    await expect(page.getByRole('dialog')).toBeVisible();
  };
  await over('/projects/new');
  yield 'projects-new';
  await over(`/projects/${id}/keys`);
  yield 'projects-keys';
  await over(`/projects/${id}/keys/new`);
  yield 'projects-keys-new';
  for (const dialog of ['edit', 'archive', 'life', 'scopes', 'leave']) {
    await over(`/projects/${id}/${dialog}`);
    yield `project-${dialog}`;
  }
  await over(`/projects/${id}/invite`);
  yield 'project-invite';
  await page.getByRole('button', { name: 'Invite member', exact: true }).click();
  const link = await page.locator('.secret__value').innerText();
  yield 'project-invite-link';
  await site.open(link.trim());
  yield 'join';
}
