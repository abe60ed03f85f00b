import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Keyward } from './keyward';

/** A letter that takes longer has failed. */
const TIME_LIMIT = 30_000;

export type Letter = { to: string; subject: string; text: string };

/** A server for mail on this machine, which keeps what it is given. */
export class Post {
  private readonly letters: Letter[] = [];
  private constructor(private readonly server: Server) {}

  static async open(): Promise<Post> {
    const server = createServer(socket => {
      let rest = '';
      let to = '';
      let letter: string[] | undefined;
      socket.setEncoding('utf8').write('220 mail ESMTP\r\n');
      socket.on('error', () => undefined);
      socket.on('data', (chunk: unknown) => {
        const lines = (rest + String(chunk)).split('\r\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (letter && line === '.') {
            post.letters.push(read(to, letter));
            letter = undefined;
            socket.write('250 taken\r\n');
          } else if (letter) letter.push(line);
          else if (line.startsWith('EHLO')) socket.write('250 mail\r\n');
          else if (line === 'DATA') {
            letter = [];
            socket.write('354 go on\r\n');
          } else {
            to = line.match(/^RCPT TO:<(.*)>$/)?.[1] ?? to;
            socket.write(line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
          }
        }
      });
    });
    const post = new Post(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return post;
  }

  /** What makes Keyward send its letters here. */
  get settings(): Record<string, string> {
    return {
      KEYWARD_SMTP_URL: `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`,
      KEYWARD_MAIL_FROM: 'Pelagic <keys@pelagic.example>',
    };
  }

  /** The next letter to somebody, taken out. */
  async letter(to: string): Promise<Letter> {
    for (const over = Date.now() + TIME_LIMIT; Date.now() < over; ) {
      const at = this.letters.findIndex(it => it.to === to);
      if (at >= 0) return this.letters.splice(at, 1)[0];
      await new Promise(resolve => setTimeout(resolve, 25));
    }
    throw new Error(`no letter to ${to}`);
  }

  close(): void {
    this.server.close();
  }
}

const read = (to: string, lines: string[]): Letter => {
  const end = lines.indexOf('');
  const subject = lines.find(it => it.startsWith('Subject: '))?.slice(9) ?? '';
  const encoded = lines.slice(0, end).includes('Content-Transfer-Encoding: quoted-printable');
  const text = lines.slice(end + 1).join('\n');
  return { to, subject, text: encoded ? text.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))) : text };
};

/** The address in a letter that has this path. */
export const linkIn = (letter: Letter, path: string): string => {
  const found = letter.text.split(/\s+/).find(it => it.includes(path));
  if (!found) throw new Error(`no ${path} in ${letter.text}`);
  return new URL(found).pathname + new URL(found).search;
};

/** Says who may make an account, past the service. */
export async function signUp(keyward: Keyward, mode: 'closed' | 'invite' | 'open'): Promise<void> {
  // The server may be writing: it is waited for.
  const database = path.join(keyward.folder, 'keyward.db');
  await promisify(execFile)('sqlite3', ['-cmd', '.timeout 10000', database, `UPDATE policy SET sign_up = '${mode}'`]);
}
