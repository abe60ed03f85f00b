// Debian's wrk, on the core of the load.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE } from './program.mjs';

const SCRIPT = fileURLToPath(new URL('../load/load.lua', import.meta.url));

/**
 * Runs wrk with a file of requests. `check`: each response is checked, with one thread per connection (see load.lua). Otherwise one
 * thread drives all connections.
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
  // Requests in progress at the end are counted as sent, but not as responses. wrk also calls the script once more to find out what it
  // sends.
  const off = Math.abs(seen.refused - seen.status);
  if (off > connections + 1) {
    seen.wrong += off;
    seen.first ||= `${seen.status} responses were errors, but ${seen.refused} were expected`;
  }
  seen.wrong += seen.socket + seen.timeout;
  if (seen.socket + seen.timeout > 0) seen.first ||= `${seen.socket} socket errors, ${seen.timeout} timeouts`;
  return seen;
}
