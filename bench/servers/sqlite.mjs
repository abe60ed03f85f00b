// A hand-written server: Node's `http`, better-sqlite3 with one prepared statement, secrets stored as SHA-256, every status checked, the
// last use written once per second. No rate limit, no counts of denied requests, no audit log.
import Database from 'better-sqlite3';
import { hash } from 'node:crypto';
import { createServer } from 'node:http';

const [file, port] = process.argv.slice(2);
const database = new Database(file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');
const find = database.prepare('SELECT id, active, deleted, not_before, expires_at FROM keys WHERE digest = ?');
const use = database.prepare('UPDATE keys SET last_used_at = ? WHERE id = ?');
const used = new Map();

const flush = database.transaction((uses) => uses.forEach(([id, at]) => use.run(at, id)));
setInterval(() => {
  const uses = [...used];
  used.clear();
  flush(uses);
}, 1000).unref();

const FORM = /^kw_(live|test)_[0-9A-Za-z]{56}$/;

function verify(secret) {
  if (typeof secret !== 'string' || !FORM.test(secret)) return { valid: false, code: 'malformed' };
  const key = find.get(hash('sha256', secret, 'buffer'));
  const now = Date.now();
  if (!key) return { valid: false, code: 'unknown' };
  if (key.deleted) return { valid: false, code: 'deleted' };
  if (!key.active) return { valid: false, code: 'inactive' };
  if (key.not_before !== null && now < key.not_before) return { valid: false, code: 'not_yet_valid' };
  if (key.expires_at !== null && now >= key.expires_at) return { valid: false, code: 'expired' };
  used.set(key.id, now);
  return { valid: true, key_id: key.id };
}

function answer(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
}

createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.method !== 'POST' || request.url !== '/v1/keys/verify') return answer(response, 404, { code: 'not_found' });
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    let asked;
    try {
      asked = JSON.parse(body);
    } catch {
      return answer(response, 400, { code: 'malformed_json' });
    }
    answer(response, 200, verify(asked.key));
  });
}).listen(Number(port), '127.0.0.1');
