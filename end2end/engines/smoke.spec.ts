import path from 'node:path';
import { expect, test } from '@playwright/test';
import { KEYS } from '../support/engines/engine';
import { Firefox } from '../support/engines/firefox';
import { Visitor } from '../support/engines/visitor';
import { WebKit } from '../support/engines/webkit';
import { SECRET } from '../support/keyward';
import { Templates } from '../support/templates';

const PICTURES = path.join(import.meta.dirname, '../test-results/engines');
const ENGINES = { firefox: Firefox, webkitgtk: WebKit };
const NAME = 'Nightly export';

for (const [engineName, Engine] of Object.entries(ENGINES)) {
  for (const width of [1280, 360]) {
    test(`${engineName} at ${width} px: the life of a key`, async () => {
      const templates = new Templates('keyward-end2end');
      const keyward = await templates.copy('user');
      const engine = await Engine.start(width, 800);
      try {
        await keyward.start();
        await keyward.run(['keys', 'create', '--project', await keyward.project(), '--name', NAME, '--expires', '30d', '--scope', 'data:read']);
        const visitor = new Visitor(engine, keyward.url, path.join(PICTURES, `${engineName}-${width}`));
        const menu = async (name: string) => {
          await visitor.click({ css: 'button', name: `Actions for key ${name}` });
          await visitor.see({ css: '.menu:popover-open a', name: `Edit key ${name}` });
        };
        /** Opens a dialog from the menu of a key. */
        const choose = async (verb: string, name: string) => {
          await menu(name);
          await visitor.click({ css: '.menu:popover-open a', name: `${verb} key ${name}` });
          await visitor.expectCompactDialog();
          await visitor.picture(verb.toLowerCase());
        };

        await visitor.open('/login');
        await visitor.type({ css: 'input[name=email]' }, keyward.user.email);
        await visitor.type({ css: 'input[name=password]' }, keyward.user.password);
        await visitor.picture('sign-in');
        await visitor.click({ css: 'main button', name: 'Sign in' });
        await visitor.waitForPath('/keys');

        await visitor.see({ css: 'tbody .key-name', name: NAME });
        await visitor.picture('list');
        await menu(NAME);
        await visitor.picture('menu');
        await engine.press(KEYS.escape);
        await visitor.gone('.menu:popover-open');

        await visitor.click({ css: 'main a', name: 'Create API key' });
        await visitor.expectCompactDialog();
        await visitor.type({ css: 'dialog[open] input[name=name]' }, 'Gateway');
        await visitor.picture('create');
        await visitor.click({ css: 'dialog[open] button', name: 'Create API key' });
        await visitor.expectText('.secret__value', SECRET);
        await visitor.expectCompactDialog();
        // The secret is hidden in the pictures.
        await visitor.click({ css: 'dialog[open] label.mask' });
        await visitor.picture('reveal');
        await visitor.click({ css: 'dialog[open] button', name: 'Copy' });
        await visitor.see({ css: 'dialog[open] button[data-done]', name: 'Copy' });
        await visitor.picture('copy');
        await visitor.click({ css: 'dialog[open] a.done' });
        await visitor.gone('dialog[open]');
        await visitor.see({ css: 'tbody .key-name', name: 'Gateway' });

        await choose('Edit', 'Gateway');
        await visitor.click({ css: 'dialog[open] input[name=name]' });
        await engine.press(`${KEYS.end} 2`);
        await visitor.click({ css: 'dialog[open] button', name: 'Save changes' });
        await visitor.see({ css: 'tbody .key-name', name: 'Gateway 2' });
        await visitor.gone('dialog[open]');

        await choose('Deactivate', 'Gateway 2');
        await visitor.click({ css: 'dialog[open] button', name: 'Deactivate key' });
        await visitor.gone('dialog[open]');
        await visitor.expectText('tbody tr[data-status=inactive]', 'Gateway 2');

        // At once: the message of the previous step must not cover the menu.
        await choose('Delete', 'Gateway 2');
        await visitor.click({ css: 'dialog[open] button', name: 'Delete key' });
        await visitor.gone('dialog[open]');
        await visitor.gone('tbody tr[data-status=inactive]');
        await visitor.picture('deleted');

        if (width < 600) await visitor.click({ css: 'button[popovertarget=nav]' });
        await visitor.click({ css: '#profile-button' });
        await visitor.see({ css: '#profile button', name: 'Sign out' });
        await visitor.picture('profile');
        await visitor.click({ css: '#profile button', name: 'Sign out' });
        await visitor.waitForPath('/login');
        await visitor.picture('signed-out');
        expect(await keyward.stop(), 'how the server ended').toBe(0);
      } finally {
        await engine.close();
        await keyward.stop('SIGKILL');
        await keyward.remove();
        await templates.removeAll();
      }
    });
  }
}
