// The rows of the table: the program, the requests, and the correct responses.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mixed, read, said, write } from './lib/keys.mjs';
import { freePort } from './lib/program.mjs';
import { generator } from './lib/random.mjs';
import { session } from './lib/session.mjs';
import { tokens } from './lib/tokens.mjs';
import { fill as fillSqlite } from './servers/sqlite-fill.mjs';
import { configure as configureNginx } from './servers/nginx.mjs';

const server = (name) => fileURLToPath(new URL(`./servers/${name}.mjs`, import.meta.url));
const node = (name, ...words) => ({ command: [process.execPath, server(name), ...words.map(String)], env: { NODE_ENV: 'production' } });
const VERIFY = { method: 'POST', path: '/v1/keys/verify', header: '' };
const BATCH = 100;

/** All rows. `prepare` of a row creates its files once, and returns `{ command, env, file }`. */
export function rows({ keyward, work, seed, large, people }) {
  const random = generator(seed);
  const folder = (name) => join(work, name);
  const secrets = (name) => read(join(folder(name), 'secrets'));
  const lines = (name, list) => write(join(work, `${name}.requests`), list);
  const verify = (keys) => keys.map((key) => ({ status: 200, expected: said(key), payload: JSON.stringify({ key: key.secret }) }));
  const count = (keys) => Math.min(keys * 4, 400_000);
  const of = { small: 1000, large };

  const verifyRow = (id, name, size) => ({
    id, name, form: VERIFY, needs: [size],
    prepare: (port) => ({ ...keyward.serve(folder(size), port), file: lines(id, verify(mixed(secrets(size), count(of[size]), random))) }),
    // So that all keys are in memory.
    touch: size === 'large' ? () => secrets(size) : undefined,
  });
  const nginxRow = (id, name, size) => ({
    id, name, form: { method: 'GET', path: '/auth', header: 'X-API-Key' }, needs: [size],
    prepare: (port) => {
      const keys = secrets(size);
      const list = mixed(keys, count(of[size]), random);
      const answers = list.map((key) => ({ status: key.verdict === 'valid' ? 204 : 401, expected: '', payload: key.secret }));
      return { command: configureNginx(folder(id), port, keys), file: lines(id, answers) };
    },
  });
  const listRow = (id, name, size) => ({
    id, name, form: { method: 'GET', path: '/keys', header: 'Cookie' }, needs: [size], connections: 1,
    prepare: async (port) => {
      const cookie = await session(keyward, folder(size), port, people[size]);
      return { ...keyward.serve(folder(size), port), file: lines(id, [{ status: 200, expected: '/keys/0', payload: cookie }]) };
    },
  });
  const createRow = (id, name, size, command) => ({ id, name, needs: [size], create: (run) => {
    // Each run has a copy of the small database; the large one is used as it is.
    const from = folder(size);
    const to = size === 'large' ? from : folder(`${id}-${run}`);
    if (to !== from) cpSync(from, to, { recursive: true });
    return { command: command(join(to, 'keyward.db')), env: { KEYWARD_DATABASE_URL: `sqlite:${join(to, 'keyward.db')}` } };
  } });

  return [
    {
      id: 'empty', name: 'an empty axum `POST` in the same binary', form: VERIFY, needs: ['small'],
      prepare: (port) => ({
        command: [keyward.binary, 'bench-empty', '--listen', `127.0.0.1:${port}`], env: {},
        file: lines('empty', verify(mixed(secrets('small'), count(of.small), random)).map((line) => ({ ...line, expected: '' }))),
      }),
      cannotBeWrong: true,
    },
    verifyRow('verify-small', 'verify, 1,000 keys', 'small'),
    verifyRow('verify-large', `verify, ${large.toLocaleString('en')} keys`, 'large'),
    {
      id: 'gateway', name: '`GET /v1/auth`, 1,000 keys', form: { method: 'GET', path: '/v1/auth', header: 'X-API-Key' }, needs: ['small'],
      prepare: (port) => ({
        ...keyward.serve(folder('small'), port),
        file: lines('gateway', mixed(secrets('small'), count(of.small), random)
          .map((key) => ({
            status: key.verdict === 'valid' ? 200 : 401, payload: key.secret, expected: key.verdict === 'valid' ? '' : `"code":"${key.verdict}"`,
          }))),
      }),
    },
    {
      id: 'token', name: 'verify of an access token', form: VERIFY, needs: ['small'],
      prepare: async (port) => {
        const made = await tokens(keyward, folder('small'), folder('tokens'), port, secrets('small'));
        const mix = { valid: 85, inactive: 5, expired: 5, forged: 5 };
        const list = mixed(made, count(of.small), random, mix).map(({ token, verdict, id }) => ({
          status: 200, payload: JSON.stringify({ token }),
          expected: verdict === 'valid' ? said({ verdict, id }) : verdict === 'inactive' ? said({ verdict }) : '"valid":false',
        }));
        return { ...keyward.serve(folder('tokens'), port), file: lines('token', list) };
      },
    },
    {
      id: 'batch', name: `verify, ${BATCH} keys per request (figures per key)`, form: { ...VERIFY, path: '/v1/keys/verify:batch' }, needs: ['small'], unit: BATCH,
      prepare: (port) => {
        const keys = secrets('small');
        const list = Array.from({ length: 1000 }, () => mixed(keys, BATCH, random));
        const file = lines('batch', list.map((keys) => ({
          status: 200, expected: `=${keys.map((key) => key.verdict).join(',')}`,
          payload: JSON.stringify({ keys: keys.map((key) => ({ key: key.secret })) }),
        })));
        return { ...keyward.serve(folder('small'), port), file };
      },
    },
    nginxRow('nginx-small', 'nginx `map`, the same 1,000 keys', 'small'),
    nginxRow('nginx-large', `nginx \`map\`, the same ${large.toLocaleString('en')} keys`, 'large'),
    {
      id: 'node', name: 'hand-written Node + better-sqlite3, the same 1,000 keys', form: VERIFY, needs: ['small'],
      prepare: (port) => {
        mkdirSync(folder('node'));
        const file = join(folder('node'), 'keys.db');
        fillSqlite(file, join(folder('small'), 'secrets'));
        return { ...node('sqlite', file, port), file: lines('node', verify(mixed(secrets('small'), count(of.small), random))) };
      },
    },
    {
      id: 'better-auth', name: 'better-auth api-key on better-sqlite3, 1,000 keys', form: VERIFY, needs: [], warm: 3,
      prepare: (port) => {
        mkdirSync(folder('better-auth'));
        const file = join(folder('better-auth'), 'auth.db');
        const made = execFileSync(process.execPath, [server('better-auth'), file, 'fill', '1000'], { maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe'] });
        writeFileSync(join(folder('better-auth'), 'secrets'), made, { mode: 0o600 });
        // better-auth removes an expired key when it is verified. After that, the key is unknown.
        const list = verify(mixed(secrets('better-auth'), count(1000), random))
          .map((line) => (line.expected.startsWith('"valid":false') ? { ...line, expected: '"valid":false' } : line));
        return { ...node('better-auth', file, port), file: lines('better-auth', list) };
      },
    },
    {
      id: 'exchange', name: 'token exchange', form: { method: 'POST', path: '/authentication/token', header: '' }, needs: ['small'],
      prepare: (port) => ({
        ...keyward.serve(folder('small'), port),
        file: lines('exchange', mixed(secrets('small'), count(of.small), random).map((key) => ({
          status: key.verdict === 'valid' ? 200 : 401, payload: JSON.stringify({ secret_key: key.secret }),
          expected: key.verdict === 'valid' ? '"access_token":"ey' : `"code":"${key.verdict}"`,
        }))),
      }),
    },
    {
      id: 'oidc', name: 'oidc-provider, client credentials, 1,000 clients', form: { method: 'POST', path: '/token', header: 'form' }, needs: ['small'], warm: 3,
      prepare: (port) => {
        const list = mixed(secrets('small').filter((key) => key.verdict === 'valid'), count(of.small), random).map((key) => ({
          status: key.verdict === 'valid' ? 200 : 401,
          expected: key.verdict === 'valid' ? '"access_token":"ey' : 'invalid_client',
          payload: new URLSearchParams({
            grant_type: 'client_credentials', client_id: key.id ?? 'nobody', client_secret: key.secret, scope: 'tides:read',
          }).toString(),
        }));
        return { ...node('oidc', join(folder('small'), 'secrets'), port), file: lines('oidc', list) };
      },
    },
    createRow('create-small', 'durable create, the use case, 32 clients, no HTTP', 'small', () => [keyward.binary, 'bench-create', '--clients', '32']),
    createRow('bare', 'bare loop of the same two inserts', 'small', (file) => [process.execPath, server('bare'), file]),
    createRow('create-large', `durable create with ${large.toLocaleString('en')} keys in the database`, 'large', () => [keyward.binary, 'bench-create', '--clients', '32']),
    listRow('list-small', 'list page of 50 keys, 1,000 keys in the database, one connection', 'small'),
    listRow('list-large', `list page of 50 keys, ${large.toLocaleString('en')} keys in the database, one connection`, 'large'),
  ].map((row) => ({ ...row, port: freePort() }));
}

/** Comparisons of two rows, with their requirements (`least`) and targets (`aim`): `of` divided by `against`, in requests per second. */
export const RATIOS = [
  { of: 'verify-small', against: 'empty', least: 0.85, aim: 0.95 },
  { of: 'verify-small', against: 'nginx-small', least: 0.9, aim: 1.0 },
  { of: 'verify-large', against: 'nginx-large', least: 0.9, aim: 1.0 },
  { of: 'verify-small', against: 'node', least: 2.2, aim: 2.5 },
  { of: 'verify-small', against: 'better-auth', least: 55, aim: 68 },
  { of: 'exchange', against: 'oidc', least: 8, aim: 12 },
  { of: 'create-small', against: 'bare', least: 0.8, aim: 3, disk: true },
  { of: 'verify-large', against: 'verify-small', least: 1 / 1.1, aim: 1 / 1.03 },
  { of: 'list-large', against: 'list-small', least: 1 / 1.3, aim: 1 / 1.1 },
  { of: 'create-large', against: 'create-small', least: 1 / 1.3, aim: 1 / 1.1, disk: true },
];

/** Requirements and targets of single rows. `up`: more is better. */
export const BOUNDS = [
  { of: 'verify-small', what: 'MB at rest', get: (it) => it.rest / 1024, least: 15, aim: 8 },
  { of: 'verify-small', what: 'start ms', get: (it) => it.start, least: 60, aim: 30 },
  { of: 'verify-large', what: 'MB loaded', get: (it) => it.rss / 1024, least: 160, aim: 110 },
  { of: 'verify-large', what: 'start ms', get: (it) => it.start, least: 500, aim: 100 },
  { of: 'batch', what: 'keys/s', get: (it) => it.rate, least: 500_000, aim: 1_000_000, up: true },
  { of: 'list-large', what: 'p99 ms', get: (it) => it.p99 / 1000, least: 2, aim: 0.5 },
];
