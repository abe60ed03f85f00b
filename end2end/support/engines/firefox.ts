import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';
import { clickActions, type Engine, keyActions, type Point } from './engine';
import { Program } from './process';

type Reply = { id?: number; type: string; result?: unknown; error?: string; message?: string };

/** Firefox without a window, driven by WebDriver BiDi. */
export class Firefox implements Engine {
  private readonly waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  private last = 0;
  private context = '';

  private constructor(
    private readonly program: Program,
    private readonly socket: WebSocket,
    private readonly folder: string,
  ) {
    socket.on('message', data => {
      const reply: Reply = JSON.parse(data.toString());
      const call = reply.id === undefined ? undefined : this.waiting.get(reply.id);
      if (!call || reply.id === undefined) return;
      this.waiting.delete(reply.id);
      if (reply.type === 'success') call.resolve(reply.result as never);
      else call.reject(new Error(`${reply.error}: ${reply.message}`));
    });
    socket.on('close', () => {
      for (const { reject } of this.waiting.values()) reject(new Error(`Firefox has ended\n${program.output}`));
      this.waiting.clear();
    });
  }

  static async start(width: number, height: number): Promise<Firefox> {
    const folder = await mkdtemp(path.join(tmpdir(), 'keyward-firefox-'));
    const program = Program.start('firefox-esr', ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port', '0', 'about:blank'], {
      env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8', MOZ_CRASHREPORTER_DISABLE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      const [, url] = await program.printed(/WebDriver BiDi listening on (ws:\/\/\S+)/);
      const socket = new WebSocket(`${url}/session`);
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const firefox = new Firefox(program, socket, folder);
      await firefox.send('session.new', { capabilities: {} });
      const { contexts } = await firefox.send<{ contexts: { context: string }[] }>('browsingContext.getTree', {});
      firefox.context = contexts[0].context;
      await firefox.send('browsingContext.setViewport', { context: firefox.context, viewport: { width, height } });
      return firefox;
    } catch (error) {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private send<R>(method: string, params: object): Promise<R> {
    const id = ++this.last;
    return new Promise<R>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  async open(url: string): Promise<void> {
    await this.send('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
  }

  async call<A extends unknown[], R>(run: (...args: A) => R, ...args: A): Promise<R> {
    const { result, exceptionDetails } = await this.send<{ result: { value: string }; exceptionDetails?: { text: string } }>('script.callFunction', {
      functionDeclaration: `args => JSON.stringify({ value: (${run})(...JSON.parse(args)) })`,
      arguments: [{ type: 'string', value: JSON.stringify(args) }],
      target: { context: this.context },
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return JSON.parse(result.value).value;
  }

  async click(at: Point): Promise<void> {
    await this.send('input.performActions', { context: this.context, actions: clickActions(at) });
  }

  async press(keys: Iterable<string>): Promise<void> {
    await this.send('input.performActions', { context: this.context, actions: keyActions(keys) });
  }

  async picture(): Promise<Buffer> {
    const { data } = await this.send<{ data: string }>('browsingContext.captureScreenshot', { context: this.context });
    return Buffer.from(data, 'base64');
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
