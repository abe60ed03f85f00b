import type { Page } from '@playwright/test';
import { expect, test } from '../support/test';

// Controls that show only an icon have a tooltip with their accessible name, on hover and on focus.

/** Returns the visible controls without text, and the text of their tooltips. */
const iconControls = (page: Page) =>
  page.evaluate(() => {
    const controls = [...document.querySelectorAll<HTMLElement>('a, button, summary, label:has(> input + .icon)')];
    return controls
      .filter(it => it.checkVisibility() && !it.innerText.trim() && it.querySelector('svg'))
      .map(it => {
        const name = it.getAttribute('aria-label') ?? it.querySelector('[aria-label]')?.getAttribute('aria-label') ?? '';
        const tip = getComputedStyle(it, '::after').content;
        return { name, tip };
      });
  });

test('every control that shows only an icon has a tooltip', async ({ page, site, keyward }) => {
  const { key_id } = await keyward.createKey('Gateway');
  const project = await keyward.project();
  await site.addSession();
  const paths = [
    '/keys', '/keys/new', `/keys/${key_id}`, `/keys/${key_id}/delete`, '/projects', `/projects/${project}`, `/projects/${project}/keys`,
    '/settings/account', '/settings/security', '/settings/developer/api-keys',
  ];
  let found = 0;
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const path of paths) {
      await site.open(path);
      for (const { name, tip } of await iconControls(page)) {
        found += 1;
        expect.soft(name, path).not.toBe('');
        expect.soft(tip, `${path}: ${name}`).toContain(name);
      }
    }
  }
  expect(found).toBeGreaterThan(10);
});

test('a tooltip appears on hover and on focus', async ({ page, site, keyward }) => {
  await keyward.createKey('Gateway');
  await site.signIn();
  const button = page.getByRole('button', { name: 'Actions for key Gateway' });
  const display = () => button.evaluate(it => getComputedStyle(it, '::after').display);
  expect(await display()).toBe('none');
  await button.hover();
  expect(await display()).toBe('block');
  await page.mouse.move(0, 0);
  expect(await display()).toBe('none');
  // After a key press, the focus is visible.
  await page.keyboard.press('Tab');
  await button.focus();
  expect(await display()).toBe('block');
  // The menu has the place of its tooltip.
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: 'Edit key Gateway' })).toBeVisible();
  expect(await display()).toBe('none');
});
