import { expect, test } from '../support/test';

test('a long list has pages of 50 keys, active keys first', async ({ page, site, keyward }) => {
  const made = Array.from({ length: 120 }, (_, n) => `Key ${String(n + 1).padStart(3, '0')}`);
  await keyward.createKeys(made);
  const inactive = (await keyward.keys()).filter(key => ['Key 060', 'Key 120'].includes(key.name));
  for (const key of inactive) await keyward.deactivate(key.key_id);

  await site.signIn();
  await expect(page.locator('caption')).toHaveText('120 keys');
  await expect(page.getByText('1–50 of 120')).toBeVisible();
  const seen: string[] = [];
  const gather = async (count: number) => {
    await expect(site.names()).toHaveCount(count);
    seen.push(...(await site.names().allInnerTexts()));
  };
  const next = page.getByRole('link', { name: 'Next' });
  await gather(50);
  await next.click();
  await expect(page).toHaveURL(/after=/);
  await expect(page.getByText('51–100 of 120', { exact: true })).toBeVisible();
  await gather(50);
  await next.click();
  await expect(page.getByText('101–120 of 120', { exact: true })).toBeVisible();
  await gather(20);
  await expect(next).toBeHidden();

  // Each key is listed once, inactive keys last.
  expect([...seen].sort()).toEqual(made);
  expect(seen.slice(-2).sort()).toEqual(['Key 060', 'Key 120']);

  // A dialog keeps the position in the list.
  const here = page.url();
  await site.chooseAction('Delete', seen[105]);
  await page.getByRole('dialog').getByRole('link', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page).toHaveURL(here);
  await expect(site.names()).toHaveCount(20);

  const previous = page.getByRole('link', { name: 'Previous' });
  await previous.click();
  await expect(page.getByText('51–100 of 120', { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/before=/);
  await expect(site.names()).toHaveText(seen.slice(50, 100));
  await previous.click();
  await expect(page.getByText('1–50 of 120')).toBeVisible();
  await expect(site.names()).toHaveText(seen.slice(0, 50));
  await expect(previous).toBeHidden();
  await page.goBack();
  await expect(page.getByText('51–100 of 120', { exact: true })).toBeVisible();
});

test('Back and Forward restore the filters and their controls', async ({ page, site, keyward }) => {
  await keyward.createKey('Gateway');
  await site.signIn();
  await site.showStatus('Deleted');
  await expect(page.getByText('No deleted keys')).toBeVisible();
  await page.goBack();
  await site.ready();
  await expect(site.names()).toHaveText(['Gateway']);
  await expect(page.getByLabel('Status')).toHaveValue('');
  await page.goForward();
  await site.ready();
  await expect(page.getByText('No deleted keys')).toBeVisible();
  await expect(page.getByLabel('Status')).toHaveValue('deleted');
});
