import { type Browser, test } from '@playwright/test';
import type { Keyward, Person } from './keyward';
import { Site } from './site';

/** Of the demo's people: an administrator, the owner of a project of hers, and the owner of a project that she may only see. */
export const [MAREN, JONAS, TOMAS] = [
  ['Maren Okafor', 'maren@pelagic.example'],
  ['Jonas Lindqvist', 'jonas@pelagic.example'],
  ['Tomás Ferreira', 'tomas@pelagic.example'],
].map(([name, email]) => ({ name, email }));

/** A person of the demo, or the person of the test again, in a browser of their own. All people of the demo have the same password. */
export async function elsewhere(site: Site, browser: Browser, { email }: Pick<Person, 'email'>): Promise<Site> {
  const { javaScriptEnabled } = test.info().project.use;
  const context = await browser.newContext({ baseURL: site.keyward.url, javaScriptEnabled });
  // The browser outlives the test: its pages would ask a server that has ended.
  site.page.context().once('close', () => void context.close().catch(() => undefined));
  const other = new Site(await context.newPage(), site.keyward, site.scripted);
  await other.postSignIn({ email, password: site.keyward.person.password });
  await other.open('/keys');
  return other;
}

/** The id of one of the demo's projects. */
export async function project(keyward: Keyward, name: string): Promise<string> {
  const all: { name: string; project_id: string }[] = JSON.parse(await keyward.run(['projects', 'list', '--json']));
  const found = all.find(it => it.name === name);
  if (!found) throw new Error(`the demo has no project ${name}`);
  return found.project_id;
}
