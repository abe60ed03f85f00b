import { openSession } from '../support/demo';
import { expect, test } from '../support/test';

// Concurrent changes by others, and network errors.

test.describe('live updates', { tag: '@scripts' }, () => {
  test('a tab shows keys that another tab creates, renames, and deletes', async ({ page, site, keyward }) => {
    await keyward.createKey('Gateway');
    await site.signIn();
    const other = await site.tab('/keys');
    await site.create('Second');
    await site.closeReveal();
    await expect(other.names()).toHaveText(['Second', 'Gateway']);
    await site.chooseAction('Edit', 'Second');
    await page.getByRole('dialog').getByLabel('Name').fill('Third');
    await page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
    await expect(other.names()).toHaveText(['Third', 'Gateway']);
    await site.confirm('Delete', 'Gateway');
    await expect(other.names()).toHaveText(['Third']);
    // Undo in one tab appears in the other.
    await site.toast.getByRole('button', { name: 'Undo' }).click();
    await expect(other.names()).toHaveText(['Third', 'Gateway']);
  });

  test('a tab that gets the focus shows changes of the command line', async ({ page, site, keyward }) => {
    const { key_id } = await keyward.createKey('Gateway');
    await site.signIn();
    await expect(site.row('Gateway')).toContainText('Active');
    await keyward.run(['keys', 'deactivate', key_id]);
    await page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await expect(site.row('Gateway')).toContainText('Inactive');
  });

  test('an open menu stays open while its row changes', async ({ page, site, keyward }) => {
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

  test('a change of the list keeps the input of an open form', async ({ page, site, keyward }) => {
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

  test('an action without a response shows an error and can be repeated', async ({ page, site, keyward, monitor }) => {
    const { key_id } = await keyward.createKey('Gateway');
    await keyward.deactivate(key_id);
    await site.signIn();
    monitor.expectReachableeachable();
    await keyward.stop('SIGKILL');
    await site.chooseAction('Activate', 'Gateway');
    await expect(page.getByText('Keyward did not respond.')).toBeVisible();
    await expect(site.row('Gateway')).toContainText('Inactive');
    await keyward.start();
    monitor.reachable();
    await site.chooseAction('Activate', 'Gateway');
    await expect(site.row('Gateway')).toContainText('Active');
  });
});

test('a rejected action shows an error, and the list shows the current state', async ({ page, site, keyward, monitor, browser }) => {
  monitor.expectStatus(409);
  const { key_id } = await keyward.createKey('Gateway');
  await keyward.deactivate(key_id);
  await site.signIn();
  const other = await openSession(site, browser, keyward.user);
  await other.confirm('Delete', 'Gateway');
  await other.page.context().close();
  await site.chooseAction('Activate', 'Gateway');
  await expect(page.getByRole('alert')).toContainText('This key is deleted. Restore it first.');
  await expect(site.row('Gateway')).toHaveCount(0);
});
