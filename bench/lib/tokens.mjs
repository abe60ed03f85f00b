// Access tokens for the requests: valid, of keys that were deactivated afterwards, expired, and with a changed signature.
import { cpSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from './program.mjs';
import { Checker } from './check.mjs';

const EXCHANGE = { method: 'POST', path: '/authentication/token', header: '' };

/** Creates the tokens on a copy of the folder, at the address at which it is served later, because each token contains the address. */
export async function tokens(keyward, from, folder, port, keys) {
  cpSync(from, folder, { recursive: true });
  const { command, env } = keyward.serve(folder, port);
  const program = new Program(command, { env });
  const checker = new Checker(port, EXCHANGE);
  const exchange = async (key, life) => {
    const { status, body } = await checker.ask({ payload: JSON.stringify({ secret_key: key.secret, expires_in: life }) });
    if (status !== 200) throw new Error(`the exchange of a valid key failed: ${status} ${body}`);
    return JSON.parse(body).access_token;
  };
  const good = keys.filter((key) => key.verdict === 'valid');
  const made = [];
  try {
    const first = JSON.stringify({ secret_key: good[0].secret });
    await program.firstAnswer(checker, { status: 200, expected: 'access_token', payload: first });
    for (const [number, key] of good.entries()) {
      const verdict = number % 10 === 0 ? 'expired' : number % 10 === 1 ? 'forged' : number % 50 === 2 ? 'inactive' : 'valid';
      const token = await exchange(key, verdict === 'expired' ? 1 : 86_400);
      made.push({ token: verdict === 'forged' ? forged(token) : token, verdict, id: key.id });
    }
    for (const { id } of made.filter((token) => token.verdict === 'inactive')) {
      await keyward.command(folder, 'keys', 'deactivate', id);
    }
    await sleep(2000);
  } finally {
    checker.close();
    await program.stop();
  }
  return made;
}

/** Returns the token with another signature: the first character is changed. */
function forged(token) {
  const at = token.lastIndexOf('.') + 1;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}
