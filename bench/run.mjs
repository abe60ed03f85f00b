// `make bench`: measures all rows in turn in each run, so that a slow minute affects all of them, and prints one table.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Keyward } from './lib/keyward.mjs';
import { create, measure } from './lib/measure.mjs';
import { options as read } from './lib/options.mjs';
import { profile } from './lib/profile.mjs';
import { machine, middle, table } from './lib/report.mjs';
import { BOUNDS, RATIOS, rows as all } from './rows.mjs';

const options = read();
const root = fileURLToPath(new URL('..', import.meta.url));
const binary = resolve(process.env.KEYWARD_BIN ?? join(root, 'target/release/keyward'));
const out = join(root, 'target/bench');
mkdirSync(out, { recursive: true });
// On the file system of the repository, because some rows depend on the disk. It contains secrets and is removed at the end.
const work = mkdtempSync(join(out, 'run-'));
const say = (text) => console.error(`==> ${text}`);
const keyward = new Keyward(binary);
const figures = {};
const people = {};

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
  process.once(signal, () => {
    rmSync(work, { recursive: true, force: true });
    process.exit(code);
  });
}

try {
  const chosen = all({ keyward, work, seed: options.seed, large: options.large, people });
  const wanted = options.profile ? [options.profile] : options.only;
  const unknown = wanted.filter((id) => !chosen.some((row) => row.id === id));
  if (unknown.length) throw new Error(`unknown row: ${unknown.join(', ')}. The rows are: ${chosen.map((row) => row.id).join(', ')}`);
  const rows = chosen.filter((row) => wanted.length === 0 || wanted.includes(row.id));
  const notes = await prepare(rows);
  if (options.profile) await profile(rows[0], options);
  else await measureAll(rows, notes);
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function prepare(rows) {
  const notes = [];
  for (const [size, keys] of [['small', 1000], ['large', options.large]]) {
    if (!rows.some((row) => row.needs.includes(size))) continue;
    say(`Creating ${keys.toLocaleString('en')} keys.`);
    people[size] = await keyward.fill(join(work, size), keys);
    notes.push(`\`keyward demo\` created ${keys.toLocaleString('en')} keys in ${people[size].seconds.toFixed(1)} s`);
  }
  for (const row of rows) {
    row.port = await row.port;
    row.runs = [];
    if (!row.prepare) continue;
    say(`Preparing ${row.id}.`);
    // A row that cannot be measured does not affect the others. The table and the exit code report it.
    row.made = await Promise.resolve().then(() => row.prepare(row.port)).catch((error) => void fail(row, error));
  }
  return notes;
}

function fail(row, error) {
  const message = (error?.message ?? String(error)).replaceAll(/\s+/g, ' ').slice(0, 300);
  figures[row.id] = { failed: message };
  say(`${row.id} was not measured: ${message}`);
}

async function measureAll(rows, notes) {
  for (let run = 0; run < options.runs; run += 1) {
    for (const row of rows) {
      if (figures[row.id]?.failed) continue;
      try {
        const seen = row.create ? await create(row, options, run) : await measure(row, row.made, options, run);
        row.runs.push(seen);
        say(`Run ${run + 1} of ${options.runs}, ${row.id}: ${Math.round(seen.rate)}/s, ${seen.cpu.toFixed(2)} µs CPU, ${seen.wrong} of ${seen.checked} responses wrong${seen.first ? ` (${seen.first})` : ''}`);
      } catch (error) {
        fail(row, error);
      }
    }
  }
  for (const row of rows) if (!figures[row.id]) figures[row.id] = middle(row.runs);
  report(rows, notes);
}

function report(rows, notes) {
  const { dependencies } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url)));
  const size = (statSync(binary).size / 2 ** 20).toFixed(1);
  const text = `${table(rows, figures, { ratios: RATIOS, bounds: BOUNDS })}

Medians of ${options.runs} runs of ${options.seconds} s, the rows in turn. Server on core 0, load (wrk, ${options.connections} connections) on core 1. Seed: ${options.seed}.
The latency is that of a closed loop at full load: a request waits for the ones before it. Requests that were not sent meanwhile are not counted.
The binary has ${size} MB with its assets. ${notes.join('; ')}.
Machine: ${machine(binary, dependencies)}
`;
  writeFileSync(join(out, 'result.md'), text);
  writeFileSync(join(out, 'result.json'), JSON.stringify({ options, figures, runs: Object.fromEntries(rows.map((row) => [row.id, row.runs])) }, null, 2));
  console.log(text);
  const wrong = rows.filter((row) => figures[row.id].failed || figures[row.id].wrong > 0);
  if (wrong.length) {
    say(`Wrong responses or no figures: ${wrong.map((row) => row.id).join(', ')}.`);
    process.exitCode = 1;
  }
}
