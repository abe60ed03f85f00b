// The bare loop that a durable create is compared with: the two rows of a created key (the key and its audit event), in the same tables
// with the same indexes, each pair in its own transaction, `synchronous = FULL`. No validation, hash, or savepoint.
// bare.mjs FILE SECONDS
import Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';

const [file, seconds] = process.argv.slice(2);
const database = new Database(file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.pragma('foreign_keys = ON');
const copy = (table, order) => {
  const row = database.prepare(`SELECT * FROM ${table} ORDER BY ${order} LIMIT 1`).get();
  const names = Object.keys(row);
  const insert = database.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})`);
  return { row, insert };
};
const key = copy('keys', 'created_at DESC');
const event = copy('audit_events', 'seq DESC');
const count = database.prepare('SELECT COUNT(*) AS n FROM keys').pluck();
const before = count.get();
const make = database.transaction(() => {
  key.insert.run({ ...key.row, id: randomBytes(16), digest: randomBytes(32), form_number: null });
  event.row.seq += 1;
  event.insert.run(event.row);
});

const took = [];
const started = performance.now();
let last = started;
while (last - started < Number(seconds) * 1000) {
  make.immediate();
  const now = performance.now();
  took.push(Math.round((now - last) * 1000));
  last = now;
}
const wrong = Math.abs(count.get() - before - took.length);
database.close();
took.sort((a, b) => a - b);
const at = (share) => took[Math.floor((took.length * share) / 100)];
console.log(JSON.stringify({ created: took.length, seconds: (last - started) / 1000, p50_us: at(50), p99_us: at(99), wrong }));
