import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const BINARY = process.env.KEYWARD_BIN ?? path.resolve(import.meta.dirname, '../../target/release/keyward');
/** A start that takes longer has failed. */
const PATIENCE = 20_000;

/** A secret, wherever it stands. */
export const SECRET = /\bkw_(live|test)_[0-9A-Za-z]{56}\b/;

export type Person = { name: string; email: string; password: string };

/** A person who can sign in, with a password that nobody chose before. */
export const somebody = (): Person => ({
  name: 'Maren Okafor',
  email: 'maren@pelagic.example',
  password: randomBytes(18).toString('base64url'),
});

export type Listed = { key_id: string; project_id: string; name: string; status: string; environment: string; issued_to: string | null };
export type Created = { secret: string; key_id: string; project_id: string };

/** The real server, in a folder of its own. */
export class Keyward {
  url = '';
  /** Everything that it ever said, on both outputs. */
  output = '';
  /** Settings besides, as the environment names them. */
  readonly variables: NodeJS.ProcessEnv = {};
  readonly person = somebody();
  private process?: ChildProcess;

  private constructor(readonly folder: string) {}

  static async in_a_new_folder(): Promise<Keyward> {
    return new Keyward(await mkdtemp(path.join(tmpdir(), 'keyward-end2end-')));
  }

  private get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, KEYWARD_DATABASE_URL: 'sqlite:keyward.db' };
  }

  /** Serves, at a free port or, after the first time, at the one it had. */
  async start(): Promise<void> {
    const listen = this.url ? new URL(this.url).host : '127.0.0.1:0';
    const started = spawn(BINARY, ['serve'], {
      cwd: this.folder,
      env: { ...this.environment, KEYWARD_LISTEN: listen, ...this.variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = started;
    const before = this.output.length;
    this.url = await new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`keyward ${why}\n${this.output}`));
      const timer = setTimeout(() => fail('did not start in time'), PATIENCE);
      const listener = (chunk: Buffer) => {
        this.output += chunk.toString();
        const said = this.output.slice(before).match(/answers at (http:\/\/\S+)\n/);
        if (said) {
          clearTimeout(timer);
          resolve(said[1]);
        }
      };
      started.stdout.on('data', listener);
      started.stderr.on('data', listener);
      started.once('error', error => fail(error.message));
      started.once('exit', code => fail(`ended with ${code}`));
    });
  }

  /** Ends it: asked to, or as a power failure would. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const ending = this.process;
    this.process = undefined;
    if (!ending || ending.exitCode !== null) return ending?.exitCode ?? 0;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    const timer = setTimeout(() => ending.kill('SIGKILL'), PATIENCE);
    const [code] = await ended;
    clearTimeout(timer);
    return code;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs a command on the same database, beside the server if it runs. */
  async run(command: string[], input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, stdout: string, stderr: string) =>
        error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout);
      const { stdin } = execFile(BINARY, command, { cwd: this.folder, env: this.environment }, done);
      // A command that reads nothing may be gone before it is written to.
      stdin?.on('error', () => undefined).end(input);
    });
  }

  async createPerson(admin = false): Promise<void> {
    const { name, email, password } = this.person;
    await this.run(['admin', 'create-user', '--name', name, '--email', email, '--password-stdin', ...(admin ? ['--admin'] : [])], password);
  }

  /** The id of the person's own project. */
  async project(): Promise<string> {
    const [project] = JSON.parse(await this.run(['projects', 'list', '--json']));
    return project.project_id;
  }

  async setConfig(config: unknown): Promise<void> {
    await writeFile(path.join(this.folder, 'config.json'), JSON.stringify(config));
    await this.run(['projects', 'config', '--project', await this.project(), '--set', 'config.json']);
  }

  async keys(): Promise<Listed[]> {
    return JSON.parse(await this.run(['keys', 'list', '--json']));
  }

  async createKey(name: string, ...more: string[]): Promise<Created> {
    const project = await this.project();
    return JSON.parse(await this.run(['keys', 'create', '--project', project, '--name', name, '--json', ...more]));
  }

  /** The code for the first start, as it was printed last. */
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
