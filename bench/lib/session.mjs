// Sign-in, for the rows that measure pages.
import { Checker } from './check.mjs';
import { Program } from './program.mjs';

/** Returns the session cookie of the administrator of a filled folder. */
export async function session(keyward, folder, port, { email, password }) {
  const { command, env } = keyward.serve(folder, port);
  const program = new Program(command, { env });
  const page = new Checker(port, { method: 'GET', path: '/login', header: 'Accept' });
  try {
    await program.firstAnswer(page, { status: 200, expected: '<form', payload: 'text/html' });
    const origin = `http://127.0.0.1:${port}`;
    const answer = await fetch(`${origin}/login`, {
      method: 'POST', redirect: 'manual', headers: { Origin: origin, Accept: 'text/html' }, body: new URLSearchParams({ email, password }),
    });
    const cookie = answer.headers.getSetCookie().map((it) => it.split(';')[0]).join('; ');
    if (answer.status !== 303 || !cookie) throw new Error(`sign-in failed: ${answer.status}`);
    return cookie;
  } finally {
    page.close();
    await program.stop();
  }
}
