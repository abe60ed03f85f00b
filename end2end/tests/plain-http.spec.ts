import { HOME } from '../playwright.config';
import { expect, test } from '../support/test';

// On a machine in the house, without a certificate: a browser then has no clipboard to write to.
test('on plain HTTP the secret is selected for the copy keys, and nothing says that it was copied', { tag: '@scripts' }, async ({ page, site, keyward, watch }) => {
  // A header that only HTTPS heeds.
  watch.expectWords('The Cross-Origin-Opener-Policy header has been ignored');
  const address = `http://${HOME}:${new URL(keyward.url).port}`;
  await keyward.stop();
  keyward.variables.KEYWARD_PUBLIC_URL = address;
  await keyward.start();
  expect(keyward.url).toBe(address);
  await page.goto(`${keyward.url}/login`);
  await site.ready();
  await site.fillSignIn();
  await site.at('/keys');
  expect(await page.evaluate(() => [window.isSecureContext, 'clipboard' in navigator])).toEqual([false, false]);

  const secret = await site.create('Gateway');
  const copy = site.reveal.getByRole('button', { name: 'Copy', exact: true });
  await copy.click();
  await expect(site.reveal.getByText('Selected. Press Ctrl+C to copy.')).toBeVisible();
  await expect(copy).not.toHaveAttribute('data-done');
  expect(await page.evaluate(() => getSelection()?.toString())).toBe(secret);
  // The copy keys do copy: pasting shows it.
  await page.keyboard.press('Control+c');
  await site.reveal.getByRole('link', { name: 'Done' }).click();
  await expect(site.reveal).toBeHidden();
  await site.openCreate();
  await site.createDialog.getByLabel('Name').focus();
  await page.keyboard.press('Control+v');
  await expect(site.createDialog.getByLabel('Name')).toHaveValue(secret);
});
