import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Instance, SECRET } from './instance';
import { capture, FormClient } from './form-client';

export { SECRET };

/** The name of the session cookie on plain HTTP. */
const COOKIE = 'keyward';

/** Signs in with the form. The client keeps the session. */
export async function signIn(client: FormClient, { email, password }: User): Promise<string> {
  await client.post('/login', { email, password });
  const session = client.cookie(COOKIE);
  if (!session) throw new Error(`${email} could not sign in`);
  return session;
}

export type User = { name: string; email: string; password: string };

/** A user with a new password. */
export const newUser = (email = 'maren@pelagic.example'): User => ({
  name: 'Maren Okafor',
  email,
  password: randomBytes(18).toString('base64url'),
});

export type ListedKey = { key_id: string; project_id: string; name: string; status: string; environment: string; issued_to: string | null; created_by: string };
export type CreatedKey = { secret: string; key_id: string; project_id: string };

/** The form field for each option of `keyward keys create`. */
const FIELDS: Record<string, string> = {
  '--environment': 'environment',
  '--expires': 'expires',
  '--issued-to': 'issued_to',
  '--description': 'description',
  '--not-before': 'not_before',
};

/** Converts options of `keyward keys create` to form fields. */
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

/** The server of a test, and a user with a project. */
export class Keyward extends Instance {
  private client?: FormClient;
  private isSessionTaken = false;

  constructor(
    folder: string,
    readonly user: User,
    /** The session cookie of the user. */
    private readonly session?: string,
    private projectId?: string,
  ) {
    super(folder);
  }

  /** Returns the session for one browser. Undefined at the second call, because the first browser can end the session. */
  takeSession(): { name: string; value: string } | undefined {
    if (this.isSessionTaken || !this.session) return undefined;
    this.isSessionTaken = true;
    return { name: COOKIE, value: this.session };
  }

  /** Sends a request as the user, with a new sign-in if the session has ended. Returns the body. */
  private async request(act: (client: FormClient) => Promise<Response>): Promise<string> {
    this.client ??= new FormClient(this.url, this.session ? { [COOKIE]: this.session } : {});
    const response = await act(this.client);
    if (!response.headers.get('location')?.startsWith('/login')) return response.text();
    await signIn(this.client, this.user);
    return (await act(this.client)).text();
  }

  /** The id of the user's project. */
  async project(): Promise<string> {
    if (!this.projectId) [{ project_id: this.projectId }] = JSON.parse(await this.run(['projects', 'list', '--json']));
    return this.projectId as string;
  }

  async setConfig(config: unknown): Promise<void> {
    if (!this.session) {
      // Without a password sign-in, the command line sets the config.
      await writeFile(path.join(this.folder, 'config.json'), JSON.stringify(config));
      await this.run(['projects', 'config', '--project', await this.project(), '--set', 'config.json']);
      return;
    }
    const page = `/projects/${await this.project()}`;
    const id = await this.project();
    const version = capture(await this.request(visitor => visitor.get(page)), /name="version" value="(\w+)"/);
    await this.request(visitor => visitor.post(page, { id, version, config: JSON.stringify(config) }));
  }

  async keys(): Promise<ListedKey[]> {
    return JSON.parse(await this.run(['keys', 'list', '--json']));
  }

  /** Creates a key in the user's project with the form. The options are those of `keyward keys create`. */
  async createKey(name: string, ...options: string[]): Promise<CreatedKey> {
    const project = await this.project();
    const form = { number: randomUUID(), name, project, ...fieldsOf(options) };
    const page = await this.request(visitor => visitor.post('/keys/new', form));
    const secret = capture(page, new RegExp(`(${SECRET.source})`));
    // The list below has the new key: its row shows the first characters of the secret.
    const row = page.split('<tr').find(it => it.includes(`>${secret.slice(0, 12)}`)) ?? '';
    return { secret, key_id: capture(row, /id="key-([0-9a-f-]{36})"/), project_id: project };
  }

  /** Creates many keys: the first with the form, the others with the API and the first key. */
  async createKeys([first, ...others]: string[]): Promise<void> {
    const scope = 'keyward:keys.write';
    const { key_id, project_id, secret } = await this.createKey(first, '--scope', scope);
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: `key:${key_id}`, client_secret: secret, scope });
    const { access_token } = await (await fetch(`${this.url}/oauth/token`, { method: 'POST', body })).json();
    const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
    for (const name of others) {
      const response = await fetch(`${this.url}/v1/projects/${project_id}/keys`, { method: 'POST', headers, body: JSON.stringify({ name }) });
      if (response.status !== 201) throw new Error(`${name}: ${response.status}`);
    }
  }

  /** Deactivates a key with its form. */
  async deactivate(key: string): Promise<void> {
    await this.request(visitor => visitor.post(`/keys/${key}/deactivate`, { id: key }));
  }

  /** The last printed setup code. */
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
