import { type BrowserContext, expect, type Response } from '@playwright/test';

/** The console message of the browser for an error status. */
const FAILED_LOAD = /^Failed to load resource: the server responded with a status of (\d+)/;

/** Records console messages, failed requests, and error statuses of all tabs. Each one that the test does not expect is a problem. */
export class PageMonitor {
  private readonly problems: string[] = [];
  private readonly expectedStatuses = new Set<number>();
  private readonly seenStatuses = new Set<number>();
  private readonly cookieChecks: Promise<void>[] = [];
  private readonly failures: string[] = [];
  private readonly consoleTexts: string[] = [];
  private isUnreachable = false;

  constructor(context: BrowserContext, scripted: boolean) {
    context.on('weberror', error => this.problems.push(`page error: ${error.error().stack ?? error.error()}`));
    context.on('console', message => {
      // Without scripts, the browser warns about unused preloads.
      if (message.type() !== 'error' && !(scripted && message.type() === 'warning')) return;
      const text = message.text();
      const status = Number(text.match(FAILED_LOAD)?.[1]);
      const ours = this.expectedStatuses.has(status) || (this.isUnreachable && text.includes('net::ERR_')) || this.consoleTexts.some(it => text.includes(it));
      if (!ours) this.problems.push(`console ${message.type()}: ${text}`);
    });
    context.on('requestfailed', request => {
      const reason = request.failure()?.errorText ?? '';
      // The browser reports a script that it does not load, because scripts are off, as blocked by CSP.
      if (!scripted && request.resourceType() === 'script' && reason === 'csp') return;
      // The page was left before the response.
      if (reason === 'net::ERR_ABORTED') return;
      const ours = this.isUnreachable || this.failures.includes(reason);
      if (!ours) this.problems.push(`request failed: ${request.method()} ${request.url()} ${reason}`);
    });
    context.on('response', response => {
      this.seenStatuses.add(response.status());
      if (response.status() >= 400 && !this.expectedStatuses.has(response.status())) {
        this.problems.push(`status ${response.status()}: ${response.request().method()} ${response.url()}`);
      }
      this.cookieChecks.push(this.checkCookies(response));
    });
  }

  /** Expects at least one response with each status. */
  expectStatus(...statuses: number[]): void {
    for (const status of statuses) this.expectedStatuses.add(status);
  }

  /** Expects failed requests with this error text. */
  expectFailure(reason: string): void {
    this.failures.push(reason);
  }

  /** Expects console messages that contain this text. */
  expectConsole(text: string): void {
    this.consoleTexts.push(text);
  }

  /** Expects failed requests until `expectReachable`. */
  expectReachableeachable(): void {
    this.isUnreachable = true;
  }

  reachable(): void {
    this.isUnreachable = false;
  }

  private async checkCookies(response: Response): Promise<void> {
    // The headers of a closed tab are not available.
    const headers = await response.headersArray().catch(() => []);
    for (const { name, value } of headers) {
      if (name.toLowerCase() !== 'set-cookie') continue;
      // A deleted cookie has no value.
      const isCleared = /^[^=]+=(;|$)/.test(value);
      if (!isCleared && !/;\s*httponly/i.test(value)) this.problems.push(`a cookie without HttpOnly: ${response.url()}`);
    }
  }

  async check(): Promise<void> {
    await Promise.all(this.cookieChecks);
    expect(this.problems).toEqual([]);
    for (const status of this.expectedStatuses) expect(this.seenStatuses, `no response had the status ${status}`).toContain(status);
  }
}
