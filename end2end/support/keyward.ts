import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Instance, SECRET } from './instance';
import { found, Visitor } from './visitor';

export { SECRET };

/** The name of the session cookie on plain HTTP. */
const COOKIE = 'keyward';

/** Signs in by the form; the visitor keeps the session. */
export async function signIn(visitor: Visitor, { email, password }: Person): Promise<string> {
  await visitor.post('/login', { email, password });
  const session = visitor.cookie(COOKIE);
  if (!session) throw new Error(`${email} could not sign in`);
  return session;
}

export type Person = { name: string; email: string; password: string };

/** A person, with a new password. */
export const newPerson = (email = 'maren@pelagic.example'): Person => ({
  name: 'Maren Okafor',
  email,
  password: randomBytes(18).toString('base64url'),
});

export type Listed = { key_id: string; project_id: string; name: string; status: string; environment: string; issued_to: string | null; created_by: string };
export type Created = { secret: string; key_id: string; project_id: string };

/** The form's field for each option of `keyward keys create`. */
const FIELDS: Record<string, string> = {
  '--environment': 'environment',
  '--expires': 'expires',
  '--issued-to': 'issued_to',
  '--not-before': 'not_before',
};

/** The options of `keyward keys create` as fields of the form. */
function fieldsOf(options: string[]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = { environment: 'live', expires: '90d' };
  const scopes: string[] = [];
  for (let at = 0; at < options.length; at += 2) {
    const [option, value] = options.slice(at, at + 2);
    const limit = option === '--rate' && value.match(/^(\d+)\/(\w+?)(?:,burst=(\d+))?$/);
    if (limit) Object.assign(fields, { rate: limit[1], per: limit[2], burst: limit[3] ?? '' });
    else if (option === '--scope') scopes.push(value);
    else if (option === '--network') fields.networks = `${fields.networks ?? ''}${value}\n`;
    else if (FIELDS[option]) fields[FIELDS[option]] = value;
    else throw new Error(`the form has no ${option} ${value}`);
  }
  return { ...fields, 'scopes[]': scopes };
}

/** The server of a test, and a person who has a project there. */
export class Keyward extends Instance {
  private visitor?: Visitor;
  private taken = false;

  constructor(
    folder: string,
    readonly person: Person,
    /** The cookie of a session of the person. */
    private readonly session?: string,
    private projectId?: string,
  ) {
    super(folder);
  }

  /** The session, for one browser: undefined the second time, since it may have ended in the first. */
  takeSession(): { name: string; value: string } | undefined {
    if (this.taken || !this.session) return undefined;
    this.taken = true;
    return { name: COOKIE, value: this.session };
  }

  /** A page of the person, or the answer to a form. They sign in again if their session has ended. */
  private async ask(act: (visitor: Visitor) => Promise<Response>): Promise<string> {
    this.visitor ??= new Visitor(this.url, this.session ? { [COOKIE]: this.session } : {});
    const answer = await act(this.visitor);
    if (!answer.headers.get('location')?.startsWith('/login')) return answer.text();
    await signIn(this.visitor, this.person);
    return (await act(this.visitor)).text();
  }

  /** The id of the person's own project. */
  async project(): Promise<string> {
    if (!this.projectId) [{ project_id: this.projectId }] = JSON.parse(await this.run(['projects', 'list', '--json']));
    return this.projectId as string;
  }

  async setConfig(config: unknown): Promise<void> {
    if (!this.session) {
      // No person signs in with a password here: the command line sets it.
      await writeFile(path.join(this.folder, 'config.json'), JSON.stringify(config));
      await this.run(['projects', 'config', '--project', await this.project(), '--set', 'config.json']);
      return;
    }
    const page = `/projects/${await this.project()}`;
    const id = await this.project();
    const version = found(await this.ask(visitor => visitor.get(page)), /name="version" value="(\w+)"/);
    await this.ask(visitor => visitor.post(page, { id, version, config: JSON.stringify(config) }));
  }

  async keys(): Promise<Listed[]> {
    return JSON.parse(await this.run(['keys', 'list', '--json']));
  }

  /** Makes a key in the person's project, by the form; the options are those of `keyward keys create`. */
  async createKey(name: string, ...options: string[]): Promise<Created> {
    const project = await this.project();
    const form = { number: randomUUID(), name, project, ...fieldsOf(options) };
    const page = await this.ask(visitor => visitor.post('/keys/new', form));
    const secret = found(page, new RegExp(`(${SECRET.source})`));
    // The list below the answer has the new key: its row shows how the secret begins.
    const row = page.split('<tr').find(it => it.includes(`>${secret.slice(0, 12)}`)) ?? '';
    return { secret, key_id: found(row, /id="key-([0-9a-f-]{36})"/), project_id: project };
  }

  /** Deactivates a key by its form. */
  async deactivate(key: string): Promise<void> {
    await this.ask(visitor => visitor.post(`/keys/${key}/deactivate`, { id: key }));
  }

  /** The setup code that was printed last. */
  get setupCode(): string {
    const printed = [...this.output.matchAll(/setup code: ([0-9A-Z]{26})/g)].at(-1);
    if (!printed) throw new Error(`no setup code was printed\n${this.output}`);
    return printed[1];
  }

  get setupLink(): string {
    const printed = [...this.output.matchAll(/(http:\/\/\S+\/setup\?code=\S+)/g)].at(-1);
    if (!printed) throw new Error(`no setup link was printed\n${this.output}`);
    return printed[1];
  }
}
