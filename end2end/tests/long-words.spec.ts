import { expect, test } from '../support/test';

// Regression tests.

test('the page of a key with long words fits a screen of 320 px', async ({ page, site, keyward }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await site.addSession();
  for (const more of [['W'.repeat(100)], ['Gateway', '--issued-to', 'M'.repeat(100)], ['Relay', '--description', 'M'.repeat(500)]]) {
    const { key_id } = await keyward.createKey(more[0], ...more.slice(1));
    await site.open(`/keys/${key_id}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect.soft(wide, more.join(' ')).toBeLessThanOrEqual(320);
  }
});

test('a truncated word is reported with its line', async ({ page, site, keyward, monitor }) => {
  monitor.expectStatus(422);
  await site.signIn(`/projects/${await keyward.project()}`);
  await page.getByRole('textbox', { name: 'Config' }).fill('{\n  "a": nul\n}');
  // The browser shows the same message before the form is sent: wait for the server's response.
  const refused = page.waitForResponse(response => response.status() === 422);
  await page.getByRole('button', { name: 'Save config' }).click();
  await refused;
  await expect(page.locator('#config-error')).toHaveText(/^Line 2, column/);
});
