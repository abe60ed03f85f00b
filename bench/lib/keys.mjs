// Keys with their expected results, and requests with them.
import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { pick } from './random.mjs';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Percentage of requests with a key of each kind. */
export const MIX = { valid: 85, inactive: 4, expired: 4, deleted: 2, not_yet_valid: 1, unknown: 4 };

/** Reads the file that `keyward demo --secrets` writes. */
export function read(file) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => {
    const [secret, verdict, id] = line.split(' ');
    return { secret, verdict, id };
  });
}

/** Returns a secret of no key: well-formed, with a correct checksum. */
export function unknown(random) {
  let text = 'kw_live_';
  for (let i = 0; i < 50; i += 1) text += ALPHABET[Math.floor(random() * 62)];
  let rest = crc32(text);
  let sum = '';
  for (let i = 0; i < 6; i += 1, rest = Math.floor(rest / 62)) sum = ALPHABET[rest % 62] + sum;
  return text + sum;
}

/** Returns `count` random keys in the proportions of `MIX`. If a kind has no keys, valid keys take its place. */
export function mixed(keys, count, random, mix = MIX) {
  const kinds = Map.groupBy ? Map.groupBy(keys, (key) => key.verdict) : grouped(keys);
  const parts = Object.entries(mix).flatMap(([kind, part]) => {
    const there = kind === 'unknown' || kinds.has(kind);
    return Array(part).fill(there ? kind : 'valid');
  });
  return Array.from({ length: count }, () => {
    const kind = pick(random, parts);
    return kind === 'unknown' ? { secret: unknown(random), verdict: 'unknown' } : pick(random, kinds.get(kind));
  });
}

function grouped(keys) {
  const kinds = new Map();
  for (const key of keys) {
    if (!kinds.has(key.verdict)) kinds.set(key.verdict, []);
    kinds.get(key.verdict).push(key);
  }
  return kinds;
}

/** The expected part of Keyward's response for a key: for a valid key, its ID. */
export const said = (key) => (key.verdict === 'valid' ? `"key_id":"${key.id}"` : `"valid":false,"code":"${key.verdict}"`);

/** Writes a file of requests. Each line is `{ status, expected, payload }`. */
export function write(file, lines) {
  const text = lines.map(({ status, expected, payload }) => `${status}\t${expected}\t${payload}\n`);
  writeFileSync(file, text.join(''), { mode: 0o600 });
  return file;
}
