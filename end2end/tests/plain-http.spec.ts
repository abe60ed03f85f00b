import { HOME } from '../playwright.config';
import { expect, test } from '../support/test';

// A server in a home network without a certificate: the browser has no clipboard API.
test('on plain HTTP, the secret is selected for manual copying, and no message confirms a copy', { tag: '@scripts' }, async ({ page, site, keyward, monitor }) => {
  // Browsers ignore this header without HTTPS.
  monitor.expectConsole('The Cross-Origin-Opener-Policy header has been ignored');
  const address = `http://${HOME}:${new URL(keyward.url).port}`;
  await keyward.stop();
  keyward.variables.KEYWARD_PUBLIC_URL = address;
  await keyward.start();
  expect(keyward.url).toBe(address);
  await page.goto(`${keyward.url}/login`);
  await site.ready();
  await site.fillSignIn();
  await site.waitForPath('/keys');
  expect(await page.evaluate(() => [window.isSecureContext, 'clipboard' in navigator])).toEqual([false, false]);

  const secret = await site.create('Gateway');
  const copy = site.reveal.getByRole('button', { name: 'Copy', exact: true });
  await copy.click();
  await expect(site.reveal.getByText('Selected. Press Ctrl+C to copy.')).toBeVisible();
  await expect(copy).not.toHaveAttribute('data-done');
  expect(await page.evaluate(() => getSelection()?.toString())).toBe(secret);
  // Ctrl+C copies the secret: pasting shows it.
  await page.keyboard.press('Control+c');
  await site.reveal.getByRole('link', { name: 'Done' }).click();
  await expect(site.reveal).toBeHidden();
  await site.openCreate();
  await site.createDialog.getByLabel('Name').focus();
  await page.keyboard.press('Control+v');
  await expect(site.createDialog.getByLabel('Name')).toHaveValue(secret);
});
