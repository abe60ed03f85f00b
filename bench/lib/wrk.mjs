// Debian's wrk, on the load's core.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE } from './program.mjs';

const SCRIPT = fileURLToPath(new URL('../load/load.lua', import.meta.url));

/**
 * Runs wrk on a file of requests. `check`: each answer is looked at, with a thread a connection (load.lua says why); otherwise one
 * thread drives them all.
 */
export async function wrk({ port, form, file, seed, seconds, connections, check = false }) {
  const threads = check ? connections : 1;
  const flags = ['-c', LOAD_CORE, 'wrk', `-t${threads}`, `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', SCRIPT];
  const words = [file, seed, form.method, form.path, form.header, check ? 'check' : 'count', threads];
  const child = spawn('taskset', [...flags, `http://127.0.0.1:${port}`, '--', ...words.map(String)]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  const result = /^RESULT (.*)$/m.exec(said);
  if (code !== 0 || !result) throw new Error(`wrk failed (${code}): ${said.slice(-1000)}`);
  const seen = JSON.parse(result[1]);
  // Requests that were under way at the end have been counted as sent and not as answered; wrk asks the script once more to
  // learn what it sends.
  const off = Math.abs(seen.refused - seen.status);
  if (off > connections + 1) {
    seen.wrong += off;
    seen.first ||= `${seen.status} answers were errors, and ${seen.refused} should have been`;
  }
  seen.wrong += seen.socket + seen.timeout;
  if (seen.socket + seen.timeout > 0) seen.first ||= `${seen.socket} socket errors, ${seen.timeout} timeouts`;
  return seen;
}
