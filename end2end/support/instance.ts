import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const BINARY = path.resolve(process.env.KEYWARD_BIN || path.join(import.meta.dirname, '../../target/debug/keyward'));
/** Time limit for a start or a stop, in milliseconds. */
const TIME_LIMIT = 30_000;
/** Attempts to start at the same port, if another process uses it. */
const ATTEMPTS = 20;

/** The listen address of the first start. */
const ANY_PORT = '127.0.0.1:0';

/** Matches a secret key in a text. */
export const SECRET = /\bkw_(live|test)_[0-9A-Za-z]{56}\b/;

/** Creates a folder, with a copy of the files of another folder if given. */
export async function createFolder(from?: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keyward-end2end-'));
  if (from) await cp(from, folder, { recursive: true });
  return folder;
}

/** A server process with its folder and output. */
export class Instance {
  url = '';
  /** Both output streams since the first start. */
  output = '';
  /** Environment variables for the next start. */
  readonly variables: NodeJS.ProcessEnv = {};
  private address = ANY_PORT;
  private process?: ChildProcess;

  constructor(readonly folder: string) {}

  private get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, KEYWARD_DATABASE_URL: 'sqlite:keyward.db' };
  }

  /** Starts the server at a free port, and at the same port after a restart. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const before = this.output.length;
      try {
        this.url = await this.launch();
        break;
      } catch (error) {
        await this.stop('SIGKILL');
        // While the server is stopped, other processes can use the port.
        const isTaken = this.address !== ANY_PORT && this.output.slice(before).includes('cannot listen on');
        if (!isTaken || attempt === ATTEMPTS) throw error;
        await new Promise(resolve => setTimeout(resolve, 500));
      }
    }
    // A public URL may name another host; the port is the same.
    this.address = `127.0.0.1:${new URL(this.url).port}`;
  }

  /** Starts a process, and returns the URL that it prints. */
  private async launch(): Promise<string> {
    const started = spawn(BINARY, ['serve'], {
      cwd: this.folder,
      env: { ...this.environment, KEYWARD_LISTEN: this.address, ...this.variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = started;
    const before = this.output.length;
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        clearTimeout(timer);
        reject(new Error(`keyward ${reason}\n${this.output}`));
      };
      const timer = setTimeout(() => fail('did not start in time'), TIME_LIMIT);
      const listener = (chunk: Buffer) => {
        this.output += chunk.toString();
        const printed = this.output.slice(before).match(/is running at (http:\/\/\S+)\n/);
        if (printed) {
          clearTimeout(timer);
          resolve(printed[1]);
        }
      };
      started.stdout.on('data', listener);
      started.stderr.on('data', listener);
      started.once('error', error => fail(error.message));
      // Not `exit`: output can arrive after it.
      started.once('close', (code, signal) => fail(`ended with ${code ?? signal}`));
    });
  }

  /** Stops the server, and returns its exit code. SIGKILL simulates a power failure. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const ending = this.process;
    this.process = undefined;
    if (!ending) return 0;
    // It never ran or has already ended: no event follows.
    if (ending.pid === undefined || ending.exitCode !== null || ending.signalCode !== null) return ending.exitCode;
    const closed = once(ending, 'close');
    ending.kill(signal);
    const timer = setTimeout(() => ending.kill('SIGKILL'), TIME_LIMIT);
    const [code] = await closed;
    clearTimeout(timer);
    return code;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs a command on the same database, also while the server runs. */
  async run(command: string[], input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, stdout: string, stderr: string) =>
        error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout);
      const { stdin } = execFile(BINARY, command, { cwd: this.folder, env: this.environment }, done);
      // A command without input can end before its input is written.
      stdin?.on('error', () => undefined).end(input);
    });
  }
}
