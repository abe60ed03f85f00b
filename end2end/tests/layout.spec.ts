import { expect, test } from '../support/test';

// The density and the geometry of pages.

test('a window of 800 px shows at least 12 keys', async ({ page, site, keyward }) => {
  for (let number = 1; number <= 14; number += 1) {
    await keyward.createKey(`Gateway ${number}`, '--issued-to', 'Contractor');
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await site.signIn();
  const bottoms = await page.locator('tbody tr').evaluateAll(rows => rows.map(row => row.getBoundingClientRect().bottom));
  expect(bottoms.filter(bottom => bottom <= 800).length).toBeGreaterThanOrEqual(12);
  // The head of the columns stays in the window.
  await page.mouse.wheel(0, 300);
  await expect(page.getByRole('columnheader', { name: 'Name' })).toBeInViewport({ ratio: 1 });
});

test('a short dialog is shorter than the window, and the page behind it does not scroll', async ({ page, site, keyward }) => {
  const { key_id } = await keyward.createKey('Gateway');
  await site.addSession();
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await site.open(`/keys/${key_id}/deactivate`);
    const box = await page.getByRole('dialog').boundingBox();
    expect.soft(box?.height, `${width} px`).toBeLessThan(480);
    expect.soft(await page.evaluate(() => getComputedStyle(document.documentElement).overflowY)).toBe('hidden');
  }
});

test('on a phone, a message covers neither the buttons of a dialog nor a menu', async ({ page, site, keyward }) => {
  await keyward.createKey('Gateway');
  await keyward.createKey('Relay');
  const project = await keyward.project();
  await page.setViewportSize({ width: 390, height: 800 });
  await site.signIn(`/projects/${project}/keys`);
  await page.getByRole('link', { name: 'Delete key Relay' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
  await expect(site.toast).toContainText('deleted');
  const toast = await site.toast.boundingBox();
  const dialog = await page.getByRole('dialog').boundingBox();
  if (!toast || !dialog) throw new Error('the toast and the dialog are visible');
  expect(toast.y + toast.height).toBeLessThanOrEqual(dialog.y);
});
