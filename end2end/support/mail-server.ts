import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Keyward } from './keyward';

/** Time limit for an email, in milliseconds. */
const TIME_LIMIT = 30_000;

export type Email = { to: string; subject: string; text: string };

/** A local SMTP server that stores the emails. */
export class MailServer {
  private readonly emails: Email[] = [];
  private constructor(private readonly server: Server) {}

  static async open(): Promise<MailServer> {
    const server = createServer(socket => {
      let rest = '';
      let to = '';
      let email: string[] | undefined;
      socket.setEncoding('utf8').write('220 mail ESMTP\r\n');
      socket.on('error', () => undefined);
      socket.on('data', (chunk: unknown) => {
        const lines = (rest + String(chunk)).split('\r\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (email && line === '.') {
            mailServer.emails.push(parseEmail(to, email));
            email = undefined;
            socket.write('250 accepted\r\n');
          } else if (email) email.push(line);
          else if (line.startsWith('EHLO')) socket.write('250 mail\r\n');
          else if (line === 'DATA') {
            email = [];
            socket.write('354 go on\r\n');
          } else {
            to = line.match(/^RCPT TO:<(.*)>$/)?.[1] ?? to;
            socket.write(line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
          }
        }
      });
    });
    const mailServer = new MailServer(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return mailServer;
  }

  /** Settings that make Keyward send emails to this server. */
  get settings(): Record<string, string> {
    return {
      KEYWARD_SMTP_URL: `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`,
      KEYWARD_MAIL_FROM: 'Pelagic <keys@pelagic.example>',
    };
  }

  /** Removes and returns the next email to an address. */
  async receive(to: string): Promise<Email> {
    for (const deadline = Date.now() + TIME_LIMIT; Date.now() < deadline; ) {
      const at = this.emails.findIndex(it => it.to === to);
      if (at >= 0) return this.emails.splice(at, 1)[0];
      await new Promise(resolve => setTimeout(resolve, 25));
    }
    throw new Error(`no email to ${to}`);
  }

  close(): void {
    this.server.close();
  }
}

const parseEmail = (to: string, lines: string[]): Email => {
  const end = lines.indexOf('');
  const subject = lines.find(it => it.startsWith('Subject: '))?.slice(9) ?? '';
  const encoded = lines.slice(0, end).includes('Content-Transfer-Encoding: quoted-printable');
  const text = lines.slice(end + 1).join('\n');
  return { to, subject, text: encoded ? text.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))) : text };
};

/** Returns the path and query of the link with this path in an email. */
export const linkIn = (email: Email, path: string): string => {
  const found = email.text.split(/\s+/).find(it => it.includes(path));
  if (!found) throw new Error(`no ${path} in ${email.text}`);
  return new URL(found).pathname + new URL(found).search;
};

/** Sets the sign-up policy directly in the database. */
export async function setSignUp(keyward: Keyward, mode: 'closed' | 'invite' | 'open'): Promise<void> {
  // Waits while the server writes.
  const database = path.join(keyward.folder, 'keyward.db');
  await promisify(execFile)('sqlite3', ['-cmd', '.timeout 10000', database, `UPDATE policy SET sign_up = '${mode}'`]);
}
