// The measured binary: its commands, filling a database, and the server.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export class Keyward {
  constructor(binary) {
    this.binary = binary;
  }

  async command(folder, ...words) {
    const env = { ...process.env, KEYWARD_DATABASE_URL: `sqlite:${join(folder, 'keyward.db')}` };
    return (await run(this.binary, words, { env, maxBuffer: 1 << 28 })).stdout;
  }

  /** Creates a folder with a database of `keys` keys and a file of their secrets. Returns the duration in seconds, and a user's sign-in. */
  async fill(folder, keys) {
    mkdirSync(folder, { recursive: true });
    const started = Date.now();
    const output = await this.command(folder, 'demo', '--keys', String(keys), '--secrets', join(folder, 'secrets'));
    const [, email, password] = /email +(\S+)\s+password +(\S+)/.exec(output);
    return { seconds: (Date.now() - started) / 1000, email, password };
  }

  /** Returns the command that serves such a folder. */
  serve(folder, port) {
    const env = {
      KEYWARD_DATABASE_URL: `sqlite:${join(folder, 'keyward.db')}`,
      KEYWARD_LISTEN: `127.0.0.1:${port}`,
      KEYWARD_KEY_FILE: join(folder, 'keyward.key'),
      KEYWARD_LOG: 'warn',
    };
    return { command: [this.binary, 'serve'], env };
  }
}
