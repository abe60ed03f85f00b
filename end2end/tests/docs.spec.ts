import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../support/test';

test.use({ nobody: true });

test('the API, to be read: by anybody, without scripts, in any width', async ({ page, scripted }) => {
  await page.goto('/docs/api');
  await expect(page.getByRole('heading', { level: 1, name: 'The API of Keyward' })).toBeVisible();
  await page.getByRole('navigation', { name: 'Operations' }).getByRole('link', { name: 'Make a key' }).click();
  await expect(page).toHaveURL(/#createKey$/);
  const operation = page.getByRole('region', { name: 'Make a key' });
  await expect(operation).toBeInViewport();
  await expect(operation.getByText('/v1/projects/{id}/keys')).toBeVisible();
  for (const [language, words] of [['curl', 'curl --request POST'], ['JavaScript', 'await fetch('], ['Python', 'urllib.request']]) {
    await operation.getByText(language, { exact: true }).click();
    await expect(operation.getByRole('group', { name: `Make a key with ${language}` })).toContainText(words);
  }
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth).catch(() => width);
    expect(wide, 'as wide as the screen').toBeLessThanOrEqual(width);
  }
  if (!scripted) return;
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`))).toEqual([]);
});
