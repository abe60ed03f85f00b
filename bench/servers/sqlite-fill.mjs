// Fills the database of the hand-written server with the keys of a file of secrets.
import Database from 'better-sqlite3';
import { hash } from 'node:crypto';
import { read } from '../lib/keys.mjs';

export function fill(file, secrets) {
  const database = new Database(file);
  database.exec(`CREATE TABLE keys (id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, active INTEGER NOT NULL, deleted INTEGER NOT NULL,
    not_before INTEGER, expires_at INTEGER, last_used_at INTEGER) STRICT`);
  const insert = database.prepare('INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, NULL)');
  const day = 86_400_000;
  database.transaction(() => {
    for (const { secret, verdict, id } of read(secrets)) {
      const expires = Date.now() + (verdict === 'expired' ? -day : 90 * day);
      const from = verdict === 'not_yet_valid' ? Date.now() + day : null;
      insert.run(id, hash('sha256', secret, 'buffer'), Number(verdict !== 'inactive'), Number(verdict === 'deleted'), from, expires);
    }
  })();
  database.close();
}
