import { browser } from '../playwright.config';
import { Keyward } from '../support/keyward';
import { Site } from '../support/site';
import { expect, test } from '../support/test';

// On a machine in the house, without a certificate: a browser then has no clipboard to write to.
const NAME = 'keyward.home.arpa';
test.use({
  launchOptions: { ...browser.launchOptions, args: [...browser.launchOptions.args, `--host-resolver-rules=MAP ${NAME} 127.0.0.1`] },
});

test('on plain HTTP the secret is selected for the copy keys, and nothing says that it was copied', { tag: '@scripts' }, async ({ page, context, watch }) => {
  // A header that only HTTPS heeds.
  watch.expectWords('The Cross-Origin-Opener-Policy header has been ignored');
  const keyward = await Keyward.in_a_new_folder();
  try {
    await keyward.createPerson();
    await keyward.start();
    const { port } = new URL(keyward.url);
    await keyward.stop();
    keyward.variables.KEYWARD_PUBLIC_URL = `http://${NAME}:${port}`;
    keyward.url = `http://127.0.0.1:${port}`;
    await keyward.start();
    expect(keyward.url).toBe(`http://${NAME}:${port}`);
    const site = new Site(page, keyward, true);
    await page.goto(`${keyward.url}/login`);
    await site.ready();
    await site.fillSignIn();
    await site.at('/keys');
    expect(await page.evaluate(() => [window.isSecureContext, 'clipboard' in navigator])).toEqual([false, false]);

    const secret = await site.create('Gateway');
    const copy = site.reveal.getByRole('button', { name: 'Copy', exact: true });
    await copy.click();
    await expect(site.reveal.getByText('Selected. Press Ctrl+C to copy it.')).toBeVisible();
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
    await context.close();
  } finally {
    await keyward.stop('SIGKILL');
    await keyward.remove();
  }
});
