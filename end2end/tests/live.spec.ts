import { elsewhere } from '../support/demo';
import { expect, test } from '../support/test';

// What others do meanwhile, and what a bad network does.

test.describe('alive', { tag: '@scripts' }, () => {
  test('a tab shows within seconds what another has made, renamed and deleted', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn();
    const other = await site.tab('/keys');
    await site.create('Second');
    await site.done();
    await expect(other.names()).toHaveText(['Second', 'Gateway']);
    await site.choose('Edit', 'Second');
    await page.getByRole('dialog').getByLabel('Name').fill('Third');
    await page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
    await expect(other.names()).toHaveText(['Third', 'Gateway']);
    await site.confirm('Delete', 'Gateway');
    await expect(other.names()).toHaveText(['Third']);
    // Undo in one is seen in the other as well.
    await site.toast.getByRole('button', { name: 'Undo' }).click();
    await expect(other.names()).toHaveText(['Third', 'Gateway']);
  });

  test('coming back to a tab shows what was changed by a program', async ({ page, site, keyward }) => {
    const { key_id } = await keyward.createKey('Gateway');
    await site.signIn();
    await expect(site.row('Gateway')).toContainText('Active');
    await keyward.run(['keys', 'deactivate', key_id]);
    await page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await expect(site.row('Gateway')).toContainText('Inactive');
  });

  test('a menu that is open stays open while its row changes', async ({ page, site, keyward }) => {
    const { key_id } = await keyward.createKey('Gateway');
    await site.signIn();
    await page.getByRole('button', { name: 'Actions for key Gateway' }).click();
    await expect(page.getByRole('link', { name: 'Delete key Gateway' })).toBeVisible();
    await keyward.run(['keys', 'deactivate', key_id]);
    await page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await expect(site.row('Gateway')).toContainText('Inactive');
    await expect(page.getByRole('link', { name: 'Delete key Gateway' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Activate key Gateway' })).toBeVisible();
  });

  test('a change while the form is open leaves what is typed', async ({ page, site, keyward }) => {
    await site.signIn();
    await site.openCreate();
    await site.createDialog.getByLabel('Name').fill('Typed');
    await site.createDialog.getByLabel('data:read').check();
    await keyward.createKey('By a program');
    await page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await expect(site.names()).toHaveText(['By a program']);
    await expect(site.createDialog.getByLabel('Name')).toHaveValue('Typed');
    await expect(site.createDialog.getByLabel('data:read')).toBeChecked();
  });

  test('without an answer a press in the list says so, and can be pressed again', async ({ page, site, keyward, watch }) => {
    const { key_id } = await keyward.createKey('Gateway');
    await keyward.deactivate(key_id);
    await site.signIn();
    watch.expectUnreachable();
    await keyward.stop('SIGKILL');
    await site.choose('Activate', 'Gateway');
    await expect(page.getByText('Keyward did not respond.')).toBeVisible();
    await expect(site.row('Gateway')).toContainText('Inactive');
    await keyward.start();
    watch.reachable();
    await site.choose('Activate', 'Gateway');
    await expect(site.row('Gateway')).toContainText('Active');
  });
});

test('what the server refuses is said, and the list shows what is true', async ({ page, site, keyward, watch, browser }) => {
  watch.expectStatus(409);
  const { key_id } = await keyward.createKey('Gateway');
  await keyward.deactivate(key_id);
  await site.signIn();
  const other = await elsewhere(site, browser, keyward.person);
  await other.confirm('Delete', 'Gateway');
  await other.page.context().close();
  await site.choose('Activate', 'Gateway');
  await expect(page.getByRole('alert')).toContainText('This key is deleted. Restore it first.');
  await expect(site.row('Gateway')).toHaveCount(0);
});
