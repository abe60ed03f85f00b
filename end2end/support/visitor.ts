/** A browser without a page: it sends forms and keeps the cookies of the answers. */
export class Visitor {
  private readonly cookies: Map<string, string>;

  constructor(
    private readonly url: string,
    cookies: Record<string, string> = {},
    /** The user agent. */
    private readonly agent = 'keyward-end2end',
  ) {
    this.cookies = new Map(Object.entries(cookies));
  }

  /** The value of a cookie; undefined if the server has set none. */
  cookie(name: string): string | undefined {
    return this.cookies.get(name);
  }

  async get(path: string): Promise<Response> {
    return this.send(path);
  }

  /** Sends a form. An answer that is an error is thrown. */
  async post(path: string, fields: Record<string, string | string[]>): Promise<Response> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one);
    const answer = await this.send(path, { method: 'POST', body });
    if (answer.status >= 400) throw new Error(`POST ${path} was answered with ${answer.status}: ${wordsOf(await answer.text())}`);
    return answer;
  }

  private async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = {
      accept: 'text/html',
      origin: this.url,
      'user-agent': this.agent,
      cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    };
    const answer = await fetch(this.url + path, { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=');
      if (value) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return answer;
  }
}

/** What a page says, cut short. */
const wordsOf = (page: string) => page.replace(/.*<main/s, '<main').replace(/<svg.*/s, '').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').slice(0, 500);

/** What a pattern captures in a page. */
export function found(page: string, pattern: RegExp): string {
  const match = page.match(pattern);
  if (!match) throw new Error(`the page has no ${pattern}: ${wordsOf(page)}`);
  return match[1];
}
