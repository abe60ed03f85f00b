import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** A start that takes longer has failed. */
const PATIENCE = 30_000;

/** The servers of `examples/token-endpoint/`, and how each is started. */
export const SERVERS = {
  'Node.js': [process.execPath, path.join(ROOT, 'examples/token-endpoint/server.mjs')],
  Rust: [process.env.TOKEN_ENDPOINT_BIN ?? path.join(ROOT, 'target/debug/examples/token-endpoint')],
};

/** A customer's own server, in an environment of nothing but its settings. */
export class OwnServer {
  url = '';
  /** Everything that it ever said, on both outputs. */
  output = '';
  private readonly process: ChildProcess;

  private constructor([program, ...rest]: string[], settings: Record<string, string>) {
    const env = { PATH: process.env.PATH, APP_LISTEN: '127.0.0.1:0', ...settings };
    this.process = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const said of [this.process.stdout, this.process.stderr]) said?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Starts it, and waits for what comes of it: its address, or its end. */
  static async start(command: string[], settings: Record<string, string>): Promise<OwnServer> {
    const server = new OwnServer(command, settings);
    await once(server.process, 'spawn');
    const over = Date.now() + PATIENCE;
    while (!server.url && server.process.exitCode === null) {
      if (Date.now() > over) throw new Error(`it did not start in time\n${server.output}`);
      await new Promise(resolve => setTimeout(resolve, 25));
      server.url = server.output.match(/listening at (http:\/\/\S+)\n/)?.[1] ?? '';
    }
    return server;
  }

  /** How it ended by itself; null while it runs. */
  get ended(): number | null {
    return this.process.exitCode;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }
}
