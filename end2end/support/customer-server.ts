import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Time limit for a start, in milliseconds. */
const TIME_LIMIT = 30_000;

/** The servers of `examples/token-endpoint/`, with their commands. */
export const SERVERS = {
  'Node.js': [process.execPath, path.join(ROOT, 'examples/token-endpoint/server.mjs')],
  Rust: [process.env.TOKEN_ENDPOINT_BIN ?? path.join(ROOT, 'target/debug/examples/token-endpoint')],
};

/** A customer's server. Its environment has only its settings. */
export class CustomerServer {
  url = '';
  /** All output of both streams. */
  output = '';
  private readonly process: ChildProcess;

  private constructor([program, ...rest]: string[], settings: Record<string, string>) {
    const env = { PATH: process.env.PATH, APP_LISTEN: '127.0.0.1:0', ...settings };
    this.process = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Starts the server, and waits until it prints its URL or exits. */
  static async start(command: string[], settings: Record<string, string>): Promise<CustomerServer> {
    const server = new CustomerServer(command, settings);
    await once(server.process, 'spawn');
    const deadline = Date.now() + TIME_LIMIT;
    while (!server.url && server.process.exitCode === null) {
      if (Date.now() > deadline) throw new Error(`it did not start in time\n${server.output}`);
      await new Promise(resolve => setTimeout(resolve, 25));
      server.url = server.output.match(/listening at (http:\/\/\S+)\n/)?.[1] ?? '';
    }
    return server;
  }

  /** The exit code; null while the server runs. */
  get exitCode(): number | null {
    return this.process.exitCode;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }
}
