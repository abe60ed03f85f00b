import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clickActions, type Engine, keyActions, type Point } from './engine';
import { Program } from './process';

/** Makes the toolbar of MiniBrowser narrow. It otherwise prevents windows below 447 px. */
const GTK_CSS = `window, toolbar, toolbutton, button, entry, box, progressbar, image { min-width: 0; min-height: 0; padding: 0; margin: 0; border-width: 0; font-size: 1px; }
toolbar image, button image { -gtk-icon-transform: scale(0); }`;

/** Finds the test browser in the folder of its libraries, which has the name of the architecture. */
function miniBrowser(): string {
  const found = readdirSync('/usr/lib')
    .flatMap(folder => ['4.1', '4.0'].map(version => path.join('/usr/lib', folder, `webkit2gtk-${version}`)))
    .find(folder => {
      try {
        return readdirSync(folder).includes('MiniBrowser');
      } catch {
        return false;
      }
    });
  if (!found) throw new Error('MiniBrowser is missing. Install webkit2gtk-driver.');
  return path.join(found, 'MiniBrowser');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** WebKitGTK in a window of Xvfb, driven by WebDriver. */
export class WebKit implements Engine {
  private session = '';

  private constructor(
    private readonly programs: Program[],
    private readonly driver: string,
    private readonly folder: string,
  ) {}

  static async start(width: number, height: number): Promise<WebKit> {
    const folder = await mkdtemp(path.join(tmpdir(), 'keyward-webkit-'));
    const programs: Program[] = [];
    try {
      await mkdir(path.join(folder, '.config/gtk-3.0'), { recursive: true });
      await writeFile(path.join(folder, '.config/gtk-3.0/gtk.css'), GTK_CSS);
      const screen = Program.start('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
      programs.push(screen);
      const [, display] = await screen.printed(/^(\d+)\n/m);
      const port = await freePort();
      const env = { PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8', DISPLAY: `:${display}`, NO_AT_BRIDGE: '1', GSETTINGS_BACKEND: 'memory', LIBGL_ALWAYS_SOFTWARE: '1' };
      programs.push(Program.start('WebKitWebDriver', ['--host=127.0.0.1', `--port=${port}`], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
      const webkit = new WebKit(programs, `http://127.0.0.1:${port}`, folder);
      await webkit.waitForDriver();
      const options = { binary: miniBrowser(), args: ['--automation'] };
      const made = await webkit.request<{ sessionId: string }>('POST', '/session', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } } });
      webkit.session = `/session/${made.sessionId}`;
      await webkit.resize(width, height);
      return webkit;
    } catch (error) {
      for (const program of programs.reverse()) await program.stop();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private async waitForDriver(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.request('GET', '/status');
        return;
      } catch (error) {
        if (attempt === 300) throw error;
        await new Promise(resolve => setTimeout(resolve, 100));
      }
    }
  }

  /** Sets the size of the page. The window also has a toolbar. */
  private async resize(width: number, height: number): Promise<void> {
    await this.setWindow(width, height);
    const inner = await this.call(() => ({ width: innerWidth, height: innerHeight }));
    await this.setWindow(2 * width - inner.width, 2 * height - inner.height);
    const result = await this.call(() => ({ width: innerWidth, height: innerHeight }));
    if (result.width !== width) throw new Error(`the page is ${result.width} px wide instead of ${width} px`);
  }

  private async setWindow(width: number, height: number): Promise<void> {
    await this.request('POST', `${this.session}/window/rect`, { x: 0, y: 0, width, height });
  }

  private async request<R>(method: string, at: string, body?: object): Promise<R> {
    const response = await fetch(this.driver + at, { method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(60_000) });
    const { value } = (await response.json()) as { value: R & { error?: string; message?: string } };
    if (!response.ok) throw new Error(`${method} ${at}: ${value?.error}: ${value?.message}`);
    return value;
  }

  async open(url: string): Promise<void> {
    await this.request('POST', `${this.session}/url`, { url });
  }

  async call<A extends unknown[], R>(run: (...args: A) => R, ...args: A): Promise<R> {
    const script = `return JSON.stringify({ value: (${run})(...JSON.parse(arguments[0])) });`;
    const text = await this.request<string>('POST', `${this.session}/execute/sync`, { script, args: [JSON.stringify(args)] });
    return JSON.parse(text).value;
  }

  async click(at: Point): Promise<void> {
    await this.request('POST', `${this.session}/actions`, { actions: clickActions(at) });
  }

  async press(keys: Iterable<string>): Promise<void> {
    await this.request('POST', `${this.session}/actions`, { actions: keyActions(keys) });
  }

  async picture(): Promise<Buffer> {
    return Buffer.from(await this.request<string>('GET', `${this.session}/screenshot`), 'base64');
  }

  async close(): Promise<void> {
    if (this.session) await this.request('DELETE', this.session).catch(() => undefined);
    for (const program of this.programs.reverse()) await program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
