/** An HTTP client that sends forms and keeps cookies. */
export class FormClient {
  private readonly cookies: Map<string, string>;

  constructor(
    private readonly url: string,
    cookies: Record<string, string> = {},
    /** The user agent. */
    private readonly agent = 'keyward-end2end',
  ) {
    this.cookies = new Map(Object.entries(cookies));
  }

  /** The value of a cookie, or undefined. */
  cookie(name: string): string | undefined {
    return this.cookies.get(name);
  }

  async get(path: string): Promise<Response> {
    return this.send(path);
  }

  /** Sends a form. Throws for an error status. */
  async post(path: string, fields: Record<string, string | string[]>): Promise<Response> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one);
    const response = await this.send(path, { method: 'POST', body });
    if (response.status >= 400) throw new Error(`POST ${path} failed with ${response.status}: ${textOf(await response.text())}`);
    return response;
  }

  private async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = {
      accept: 'text/html',
      origin: this.url,
      'user-agent': this.agent,
      cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    };
    const response = await fetch(this.url + path, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=');
      if (value) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return response;
  }
}

/** The text of a page, shortened. */
const textOf = (page: string) => page.replace(/.*<main/s, '<main').replace(/<svg.*/s, '').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').slice(0, 500);

/** Returns the first capture of a pattern in a page. Throws without a match. */
export function capture(page: string, pattern: RegExp): string {
  const match = page.match(pattern);
  if (!match) throw new Error(`the page has no ${pattern}: ${textOf(page)}`);
  return match[1];
}
