// Sends requests one after the other over one connection, and checks each response. It runs during the load at a low rate, and waits for
// the first correct response after a start.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A line of a file of requests. */
export function parse(line) {
  const [status, expected, ...payload] = line.split('\t');
  return { status: Number(status), expected, payload: payload.join('\t') };
}

/** The result of each key of a batch: `valid`, or the reason code. */
function verdicts(body) {
  return [...body.matchAll(/"valid":(?:(true)|false,"code":"(\w+)")/g)].map(([, valid, code]) => (valid ? 'valid' : code));
}

export function isRight(line, status, body) {
  if (status !== line.status) return false;
  if (line.expected.startsWith('=')) return verdicts(body).join(',') === line.expected.slice(1);
  return body.includes(line.expected);
}

export class Checker {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port, form) {
    this.port = port;
    this.form = form;
  }

  /** Sends one request, and returns the status and the body. */
  ask(line) {
    const { method, path, header } = this.form;
    const headers = {};
    let body;
    if (header === '') [headers['content-type'], body] = ['application/json', line.payload];
    else if (header === 'form') [headers['content-type'], body] = ['application/x-www-form-urlencoded', line.payload];
    else headers[header] = line.payload;
    if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
    return new Promise((resolve, reject) => {
      const request = http.request({ port: this.port, host: '127.0.0.1', method, path, headers, agent: this.#agent }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(parts).toString() }));
        response.on('error', reject);
      });
      request.setTimeout(10_000, () => request.destroy(new Error('no response within 10 s')));
      request.on('error', reject);
      request.end(body);
    });
  }

  /** Sends random lines until `done.now` is set. */
  async during(lines, random, done, perSecond) {
    const seen = { asked: 0, wrong: 0, first: '' };
    while (!done.now) {
      const line = lines[Math.floor(random() * lines.length)];
      const { status, body } = await this.ask(line).catch((error) => ({ status: 0, body: String(error) }));
      seen.asked += 1;
      if (!isRight(line, status, body)) {
        seen.wrong += 1;
        seen.first ||= `${status}, expected ${line.status} ${line.expected}: ${body.slice(0, 200)}`;
      }
      await sleep(1000 / perSecond);
    }
    return seen;
  }

  close() {
    this.#agent.destroy();
  }
}
