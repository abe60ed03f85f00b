import { type BrowserContext, expect, type Response } from '@playwright/test';

/** What the browser itself writes to the console when an answer has such a status. */
const LOADING = /^Failed to load resource: the server responded with a status of (\d+)/;

/** Listens to everything that happens in all tabs; what the test did not announce is a fault. */
export class Watch {
  private readonly faults: string[] = [];
  private readonly announced = new Set<number>();
  private readonly seen = new Set<number>();
  private readonly cookies: Promise<void>[] = [];
  private readonly failures: string[] = [];
  private readonly words: string[] = [];
  private unreachable = false;

  constructor(context: BrowserContext, scripted: boolean) {
    context.on('weberror', error => this.faults.push(`page error: ${error.error().stack ?? error.error()}`));
    context.on('console', message => {
      // Without scripts the browser warns that what they need was fetched in vain.
      if (message.type() !== 'error' && !(scripted && message.type() === 'warning')) return;
      const text = message.text();
      const status = Number(text.match(LOADING)?.[1]);
      const ours = this.announced.has(status) || (this.unreachable && text.includes('net::ERR_')) || this.words.some(it => text.includes(it));
      if (!ours) this.faults.push(`console ${message.type()}: ${text}`);
    });
    context.on('requestfailed', request => {
      const why = request.failure()?.errorText ?? '';
      // So does it call its own refusal to fetch a script when scripts are switched off.
      if (!scripted && request.resourceType() === 'script' && why === 'csp') return;
      // The page was left before the answer came.
      if (why === 'net::ERR_ABORTED') return;
      const ours = this.unreachable || this.failures.includes(why);
      if (!ours) this.faults.push(`request failed: ${request.method()} ${request.url()} ${why}`);
    });
    context.on('response', response => {
      this.seen.add(response.status());
      if (response.status() >= 400 && !this.announced.has(response.status())) {
        this.faults.push(`status ${response.status()}: ${response.request().method()} ${response.url()}`);
      }
      this.cookies.push(this.checkCookies(response));
    });
  }

  /** The test expects answers with this status from now on, and at least one. */
  expectStatus(...statuses: number[]): void {
    for (const status of statuses) this.announced.add(status);
  }

  /** The test expects the browser itself to refuse requests with this word. */
  expectFailure(why: string): void {
    this.failures.push(why);
  }

  /** The test expects the browser to write such words to the console. */
  expectWords(words: string): void {
    this.words.push(words);
  }

  /** The server is about to go away: requests may fail until `reachable`. */
  expectUnreachable(): void {
    this.unreachable = true;
  }

  reachable(): void {
    this.unreachable = false;
  }

  private async checkCookies(response: Response): Promise<void> {
    // A tab that is closed meanwhile takes its answers along.
    const headers = await response.headersArray().catch(() => []);
    for (const { name, value } of headers) {
      if (name.toLowerCase() !== 'set-cookie') continue;
      // A cookie that is taken back holds nothing.
      const taken = /^[^=]+=(;|$)/.test(value);
      if (!taken && !/;\s*httponly/i.test(value)) this.faults.push(`a cookie that scripts can read: ${response.url()}`);
    }
  }

  async verdict(): Promise<void> {
    await Promise.all(this.cookies);
    expect(this.faults).toEqual([]);
    for (const status of this.announced) expect(this.seen, `no answer had the status ${status}`).toContain(status);
  }
}
