// better-auth with its API key plugin on better-sqlite3, behind Node's `http`. Verification is a server-side function there
// (`auth.api.verifyApiKey`), so this is a route around it. Its rate limit is on and never reached.
// better-auth.mjs FILE PORT serves; better-auth.mjs FILE fill COUNT creates keys, and prints "SECRET VERDICT ID" for each.
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import Database from 'better-sqlite3';
import { createServer } from 'node:http';

const [file, port, count] = process.argv.slice(2);
const database = new Database(file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');
const auth = betterAuth({
  database,
  baseURL: 'http://127.0.0.1',
  // Used only in this benchmark.
  secret: 'the-secret-of-the-benchmark-protects-nothing',
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 1000, maxRequests: 1_000_000 } })],
});

if (port === 'fill') await fill(Number(count));
else serve(Number(port));

async function fill(keys) {
  await (await getMigrations(auth.options)).runMigrations();
  const email = 'maren@pelagic.example';
  const { user } = await auth.api.signUpEmail({ body: { email, password: crypto.randomUUID(), name: 'Maren' } });
  for (let number = 0; number < keys; number += 1) {
    const verdict = number % 20 === 0 ? 'inactive' : number % 20 === 1 ? 'expired' : 'valid';
    const made = await auth.api.createApiKey({ body: { userId: user.id, name: `Key ${number}`, expiresIn: 90 * 86_400 } });
    if (verdict === 'inactive') await auth.api.updateApiKey({ body: { userId: user.id, keyId: made.id, enabled: false } });
    if (verdict === 'expired') {
      database.prepare('UPDATE apikey SET expiresAt = ? WHERE id = ?').run(new Date(Date.now() - 86_400_000).toISOString(), made.id);
    }
    console.log(`${made.key} ${verdict} ${made.id}`);
  }
  database.close();
}

function serve(at) {
  createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part) => (body += part));
    request.on('end', async () => {
      let said;
      let status = 200;
      try {
        const { valid, error, key } = await auth.api.verifyApiKey({ body: { key: JSON.parse(body).key } });
        said = valid ? { valid, key_id: key.id } : { valid, code: error?.code };
      } catch (error) {
        [status, said] = [500, { code: String(error) }];
      }
      const text = JSON.stringify(said);
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
    });
  }).listen(at, '127.0.0.1');
}
