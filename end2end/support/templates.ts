import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFolder, Instance } from './instance';
import { Keyward, type Person, newPerson, signIn } from './keyward';
import { Visitor } from './visitor';

/** What a test's server holds when it starts. */
export type Template =
  /** No account. */
  | 'empty'
  /** A person with a project. */
  | 'person'
  /** The same, and the person is an administrator. */
  | 'administrator'
  /** The demo with 40 keys; the person is its administrator. */
  | 'demo';

/** Sessions of templates are younger, in milliseconds: after a quarter of an hour a sign-in is no fresh proof any more. */
const FRESH = 5 * 60_000;

/** Who signs in, and their project. */
type About = { person: Person; project?: string };

/** A template with a session of its person. */
type Prepared = About & { folder: string; session: string; at: number };

const stored = (template: Template) => path.join(process.env.KEYWARD_TEMPLATES ?? '', template);

/**
 * The templates of a worker. A server that starts on a copy of one does so within a tenth of a second, with its person signed in: that
 * is less than a new person on a shared server takes, and no test meets the data of another.
 */
export class Templates {
  private readonly prepared = new Map<Template, Prepared>();

  /** Of the browser, which the session is for. */
  constructor(private readonly agent: string) {}

  /** A server on a copy of the template; it is not started yet. */
  async copy(template: Template): Promise<Keyward> {
    if (template === 'empty') return new Keyward(await createFolder(), newPerson());
    const { folder, person, session, project } = await this.get(template);
    return new Keyward(await createFolder(folder), person, session, project);
  }

  private async get(template: Template): Promise<Prepared> {
    const known = this.prepared.get(template);
    if (known && Date.now() - known.at < FRESH) return known;
    const about: About = JSON.parse(await readFile(`${stored(template)}.json`, 'utf8'));
    const instance = new Instance(await createFolder(stored(template)));
    try {
      await instance.start();
      const at = Date.now();
      const session = await signIn(new Visitor(instance.url, {}, this.agent), about.person);
      await stopCleanly(instance);
      await this.remove(template);
      const prepared = { ...about, folder: instance.folder, session, at };
      this.prepared.set(template, prepared);
      return prepared;
    } catch (error) {
      await instance.stop('SIGKILL');
      await instance.remove();
      throw error;
    }
  }

  private async remove(template: Template): Promise<void> {
    const known = this.prepared.get(template);
    if (known) await rm(known.folder, { recursive: true, force: true });
  }

  async removeAll(): Promise<void> {
    for (const template of this.prepared.keys()) await this.remove(template);
  }
}

/** Stops a server whose folder is copied next: everything has to be written. */
async function stopCleanly(instance: Instance): Promise<void> {
  const code = await instance.stop();
  if (code !== 0) throw new Error(`the server of a template ended with ${code}\n${instance.output}`);
}

/** Makes a template with a command of the binary. */
async function make(template: Template, person: Person, command: string[]): Promise<void> {
  await mkdir(stored(template));
  const instance = new Instance(stored(template));
  try {
    // It makes its keys for signing first, as a server does that is set up afterwards.
    await instance.start();
    const printed = await instance.run(command, person.password);
    const demo = template === 'demo';
    if (demo) person.password = printed.match(/password {2}(\S+)/)?.[1] ?? '';
    const [{ project_id }] = JSON.parse(await instance.run(['projects', 'list', '--json']));
    await stopCleanly(instance);
    const about: About = { person, project: demo ? undefined : project_id };
    await writeFile(`${stored(template)}.json`, JSON.stringify(about));
  } finally {
    await instance.stop('SIGKILL');
  }
}

const created = ({ name, email }: Person, ...more: string[]) => ['admin', 'create-user', '--name', name, '--email', email, '--password-stdin', ...more];

/** Playwright calls it once before all tests; what it returns is called after them. */
export default async function makeTemplates(): Promise<() => Promise<void>> {
  const root = await mkdtemp(path.join(tmpdir(), 'keyward-end2end-templates-'));
  process.env.KEYWARD_TEMPLATES = root;
  const remove = () => rm(root, { recursive: true, force: true });
  const [person, administrator] = [newPerson(), newPerson()];
  const made = await Promise.allSettled([
    make('person', person, created(person)),
    make('administrator', administrator, created(administrator, '--admin')),
    make('demo', newPerson(), ['demo', '--keys', '40']),
  ]);
  const failed = made.find((it): it is PromiseRejectedResult => it.status === 'rejected');
  if (!failed) return remove;
  await remove();
  throw failed.reason;
}
