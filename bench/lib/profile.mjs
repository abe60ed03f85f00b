// Profile of a row: `perf` and `strace` on the server under load.
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lines, serve } from './measure.mjs';
import { SERVER_CORE } from './program.mjs';
import { wrk } from './wrk.mjs';

const run = promisify(execFile);

/** Prints the functions with the most CPU time, and the number of system calls. */
export async function profile(row, options) {
  const load = { port: row.port, form: row.form, file: row.made.file, seed: options.seed, connections: options.connections };
  await serve(row, row.made, lines(row.made.file), async (program) => {
    await wrk({ ...load, seconds: 2 });
    const pids = program.pids().join(',');
    const data = join(process.cwd(), 'target/bench/perf.data');
    // By CPU clock, because a virtual machine often has no hardware counters.
    const record = ['-c', SERVER_CORE, 'perf', 'record', '-e', 'cpu-clock', '-F', '1999', '--call-graph', 'fp', '-o', data, '-p', pids];
    const recording = run('taskset', [...record, '--', 'sleep', String(options.seconds)]);
    const seen = await wrk({ ...load, seconds: options.seconds });
    await recording;
    const flat = await run('perf', ['report', '-i', data, '--no-children', '-g', 'none', '--stdio', '--percent-limit', '0.4'], { maxBuffer: 1 << 26 });
    console.log(flat.stdout.split('\n').filter((line) => line && !line.startsWith('#')).slice(0, 70).join('\n'));
    const inclusive = await run('perf', ['report', '-i', data, '--children', '-g', 'none', '--stdio', '--percent-limit', '2'], { maxBuffer: 1 << 26 });
    console.log(`\nIncluding called functions:\n${inclusive.stdout.split('\n').filter((line) => line && !line.startsWith('#')).slice(0, 60).join('\n')}`);
    console.log(`\n${seen.requests} requests in ${(seen.micros / 1e6).toFixed(1)} s while perf was recording.`);
    await calls(pids, { ...load, seconds: 2 });
  });
}

async function calls(pids, load) {
  const trace = spawn('strace', ['-c', '-f', ...pids.split(',').flatMap((pid) => ['-p', pid])], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  trace.stderr.on('data', (text) => (said += text));
  const ended = new Promise((resolve) => trace.on('close', resolve).on('error', (error) => resolve((said += error))));
  const seen = await wrk(load);
  trace.kill('SIGINT');
  await ended;
  console.log(`\nSystem calls in ${seen.requests} requests (slowed down by strace):\n${said}`);
}
