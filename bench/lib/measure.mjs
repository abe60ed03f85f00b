// One run of one row: the server alone on one core, the load on the other.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Checker, isRight, parse } from './check.mjs';
import { Program, SERVER_CORE } from './program.mjs';
import { generator } from './random.mjs';
import { wrk } from './wrk.mjs';

/** Requests per second of the checker during the load. The responses to the load itself are only counted. */
const BESIDE = 200;
/** Duration and connections of the load in which every response is checked. */
const CHECKED = { seconds: 2, connections: 16 };

export const lines = (file) => readFileSync(file, 'utf8').trimEnd().split('\n').map(parse);

/** Returns a request with a valid key, to wait for the server. */
const good = (list) => list.find((line) => line.status < 300 && !line.expected.startsWith('"valid":false')) ?? list[0];

/** Verifies every key once, 1,000 per request. After that, a server that keeps keys in memory has all of them. */
async function touch(port, keys) {
  const checker = new Checker(port, { method: 'POST', path: '/v1/keys/verify:batch', header: '' });
  for (let from = 0; from < keys.length; from += 1000) {
    const part = keys.slice(from, from + 1000);
    const asked = { payload: JSON.stringify({ keys: part.map((key) => ({ key: key.secret })) }) };
    let { status, body } = await checker.ask(asked);
    // Busy: the server may still be loading its keys.
    for (let tries = 0; status === 503 && tries < 300; tries += 1) {
      await sleep(100);
      ({ status, body } = await checker.ask(asked));
    }
    const line = { status: 200, expected: `=${part.map((key) => key.verdict).join(',')}` };
    if (!isRight(line, status, body)) throw new Error(`wrong response to a batch: ${status} ${body.slice(0, 200)}`);
  }
  checker.close();
}

/** Fails if the checker or the load generator does not detect a wrong label. Otherwise their results would prove nothing. */
async function provesItself(row, made, list, checker) {
  const false_ = { ...good(list), status: 299 };
  const answer = await checker.ask(false_);
  if (isRight(false_, answer.status, answer.body)) throw new Error('the checker did not detect a wrong response');
  const file = `${made.file}.false`;
  const text = readFileSync(made.file, 'utf8').split('\n').filter(Boolean).slice(0, 20);
  const at = text.findIndex((line) => !line.split('\t')[1].startsWith('"valid":false') && Number(line.split('\t')[0]) < 300);
  // Changes only the result, or the status if the body is not checked.
  const [status, expected, payload] = text[at].split('\t');
  const lie = expected.startsWith('=')
    ? `=${expected.slice(1).split(',').map((word, i) => (i > 0 ? word : word === 'valid' ? 'unknown' : 'valid')).join(',')}`
    : '"valid":false,"code":"unknown"';
  const connections = Math.min(4, text.length);
  text[at] = expected === '' ? `299\t\t${payload}` : `${status}\t${lie}\t${payload}`;
  writeFileSync(file, text.join('\n') + '\n', { mode: 0o600 });
  const seen = { answers: 0, wrong: 0 };
  // With a slow server, 1 s may not be enough to send the changed request.
  for (let seed = 0; seen.wrong === 0 && seed < 10; seed += 1) {
    const again = await wrk({ port: row.port, form: row.form, file, seed, seconds: 1, connections, check: true });
    seen.answers += again.answers;
    seen.wrong += again.wrong;
  }
  if (seen.wrong === 0) throw new Error('the load generator did not detect a wrong response');
  if (text.length > 3 && seen.answers > 50 && seen.wrong > seen.answers / 2) throw new Error('the load generator reported most responses as wrong');
}

export async function serve(row, made, list, run = async () => {}) {
  const program = new Program(made.command, { env: made.env });
  const checker = new Checker(row.port, row.form);
  try {
    const start = await program.firstAnswer(checker, good(list));
    return await run(program, checker, start);
  } finally {
    checker.close();
    await program.stop();
  }
}

/** Returns the figures of one run. */
export async function measure(row, made, options, number) {
  const list = lines(made.file);
  const load = {
    port: row.port, form: row.form, file: made.file, seed: options.seed + number, connections: row.connections ?? options.connections,
  };
  return serve(row, made, list, async (program, checker, start) => {
    const rest = program.memory();
    if (number === 0 && !row.cannotBeWrong) await provesItself(row, made, list, checker);
    if (row.touch) await touch(row.port, row.touch());
    await wrk({ ...load, seconds: row.warm ?? 1 });

    const done = { now: false };
    const beside = checker.during(list, generator(options.seed + number), done, row.connections === 1 ? 1 : BESIDE);
    const from = performance.now();
    let seen, used;
    try {
      const cpu = program.cpu();
      seen = await wrk({ ...load, seconds: options.seconds });
      used = program.cpu() - cpu;
    } finally {
      done.now = true;
    }
    const exact = await beside;
    const memory = program.memory();
    const each = await wrk({ ...load, seconds: CHECKED.seconds, connections: Math.min(CHECKED.connections, list.length), check: true });

    const unit = row.unit ?? 1;
    const requests = (seen.requests + exact.asked) * unit;
    return {
      rate: (seen.requests * unit * 1e6) / seen.micros,
      cpu: used / requests,
      core: used / seen.micros,
      p50: seen.p50, p99: seen.p99,
      rest, memory, start,
      checked: (each.answers + exact.asked) * unit,
      wrong: seen.wrong + exact.wrong + each.wrong,
      first: exact.first || each.first || seen.first,
      elapsed: performance.now() - from,
    };
  });
}

/** The same for a program that creates its own load and prints its figures as JSON. */
export async function create(row, options, number) {
  const { command, env } = row.create(number);
  const words = command.includes('bench-create') ? ['--seconds', String(options.seconds)] : [String(options.seconds)];
  // bash reports the CPU time of a program after its end.
  const script = 'TIMEFORMAT="CPU %U %S"; time "$@"';
  const child = spawn('taskset', ['-c', SERVER_CORE, 'bash', '-c', script, 'bash', ...command, ...words], { env: { ...process.env, ...env } });
  const text = { out: '', err: '' };
  child.stdout.on('data', (part) => (text.out += part));
  child.stderr.on('data', (part) => (text.err += part));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${command[0]} exited with ${code}: ${text.err.slice(-500)}`);
  const said = JSON.parse(text.out);
  const cpu = /CPU ([\d.]+) ([\d.]+)/.exec(text.err);
  const micros = (Number(cpu[1]) + Number(cpu[2])) * 1e6;
  return {
    rate: said.created / said.seconds, cpu: micros / said.created, core: micros / 1e6 / said.seconds, p50: said.p50_us, p99: said.p99_us,
    checked: said.created, wrong: said.wrong, first: said.wrong ? `${said.wrong} acknowledged keys are missing` : '',
  };
}
