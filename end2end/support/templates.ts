import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFolder, Instance } from './instance';
import { Keyward, type User, newUser, signIn } from './keyward';
import { FormClient } from './form-client';

/** The data of a test's server at the start. */
export type Template =
  /** No account. */
  | 'empty'
  /** A user with a project. */
  | 'user'
  /** An administrator with a project. */
  | 'administrator'
  /** The demo with 40 keys; the user is its administrator. */
  | 'demo';

/** Maximum age of a template's session, in milliseconds. A sign-in counts as reauthentication for 15 minutes. */
const SESSION_MAX_AGE = 5 * 60_000;

/** The user of a template, and the user's project. */
type TemplateInfo = { user: User; project?: string };

/** A template with a session of its user. */
type Prepared = TemplateInfo & { folder: string; session: string; signedInAt: number };

const pathOf = (template: Template) => path.join(process.env.KEYWARD_TEMPLATES ?? '', template);

/**
 * The templates of a worker. A server starts on a copy of a template in about 0.1 s, with a session of its user. This is faster than a
 * new user on a shared server, and tests do not share data.
 */
export class Templates {
  private readonly prepared = new Map<Template, Prepared>();

  /** The user agent of the browser that uses the session. */
  constructor(private readonly agent: string) {}

  /** Returns a server, not yet started, on a copy of the template. */
  async copy(template: Template): Promise<Keyward> {
    if (template === 'empty') return new Keyward(await createFolder(), newUser());
    const { folder, user, session, project } = await this.get(template);
    return new Keyward(await createFolder(folder), user, session, project);
  }

  private async get(template: Template): Promise<Prepared> {
    const known = this.prepared.get(template);
    if (known && Date.now() - known.signedInAt < SESSION_MAX_AGE) return known;
    const info: TemplateInfo = JSON.parse(await readFile(`${pathOf(template)}.json`, 'utf8'));
    const instance = new Instance(await createFolder(pathOf(template)));
    try {
      await instance.start();
      const signedInAt = Date.now();
      const session = await signIn(new FormClient(instance.url, {}, this.agent), info.user);
      await stopCleanly(instance);
      await this.remove(template);
      const prepared = { ...info, folder: instance.folder, session, signedInAt };
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

/** Stops a server and checks its exit code, because its folder is copied next and must be complete. */
async function stopCleanly(instance: Instance): Promise<void> {
  const code = await instance.stop();
  if (code !== 0) throw new Error(`the server of a template ended with ${code}\n${instance.output}`);
}

/** Creates a template with a command of the binary. */
async function createTemplate(template: Template, user: User, command: string[]): Promise<void> {
  await mkdir(pathOf(template));
  const instance = new Instance(pathOf(template));
  try {
    // The server creates its signing keys before the setup, as in production.
    await instance.start();
    const printed = await instance.run(command, user.password);
    const demo = template === 'demo';
    if (demo) user.password = printed.match(/password {2}(\S+)/)?.[1] ?? '';
    const [{ project_id }] = JSON.parse(await instance.run(['projects', 'list', '--json']));
    await stopCleanly(instance);
    const info: TemplateInfo = { user, project: demo ? undefined : project_id };
    await writeFile(`${pathOf(template)}.json`, JSON.stringify(info));
  } finally {
    await instance.stop('SIGKILL');
  }
}

const createUserCommand = ({ name, email }: User, ...more: string[]) => ['admin', 'create-user', '--name', name, '--email', email, '--password-stdin', ...more];

/** Playwright calls this function before all tests, and the returned function after them. */
export default async function makeTemplates(): Promise<() => Promise<void>> {
  const root = await mkdtemp(path.join(tmpdir(), 'keyward-end2end-templates-'));
  process.env.KEYWARD_TEMPLATES = root;
  const remove = () => rm(root, { recursive: true, force: true });
  const [user, administrator] = [newUser(), newUser()];
  const made = await Promise.allSettled([
    createTemplate('user', user, createUserCommand(user)),
    createTemplate('administrator', administrator, createUserCommand(administrator, '--admin')),
    createTemplate('demo', newUser(), ['demo', '--keys', '40']),
  ]);
  const failed = made.find((it): it is PromiseRejectedResult => it.status === 'rejected');
  if (!failed) return remove;
  await remove();
  throw failed.reason;
}
