import { type Browser, test } from '@playwright/test';
import type { Keyward, User } from './keyward';
import { Site } from './site';

/** Users of the demo: an administrator, the owner of one of her projects, and the owner of a project that she can only view. */
export const [MAREN, JONAS, TOMAS] = [
  ['Maren Okafor', 'maren@pelagic.example'],
  ['Jonas Lindqvist', 'jonas@pelagic.example'],
  ['Tomás Ferreira', 'tomas@pelagic.example'],
].map(([name, email]) => ({ name, email }));

/** Signs in a user of the demo, or the user of the test, in another browser. All users of the demo have the same password. */
export async function openSession(site: Site, browser: Browser, { email }: Pick<User, 'email'>): Promise<Site> {
  const { javaScriptEnabled } = test.info().project.use;
  const context = await browser.newContext({ baseURL: site.keyward.url, javaScriptEnabled });
  // The browser outlives the test: its pages would send requests to a stopped server.
  site.page.context().once('close', () => void context.close().catch(() => undefined));
  const other = new Site(await context.newPage(), site.keyward, site.scripted);
  await other.postSignIn({ email, password: site.keyward.user.password });
  await other.open('/keys');
  return other;
}

/** Returns the id of a project of the demo. */
export async function findProject(keyward: Keyward, name: string): Promise<string> {
  const all: { name: string; project_id: string }[] = JSON.parse(await keyward.run(['projects', 'list', '--json']));
  const found = all.find(it => it.name === name);
  if (!found) throw new Error(`the demo has no project ${name}`);
  return found.project_id;
}
