// A server under test: started alone on its core, measured with /proc, and stopped.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRight } from './check.mjs';

export const SERVER_CORE = '0';
export const LOAD_CORE = '1';
// USER_HZ, the unit of /proc/<pid>/stat, is 100 on every Linux that Node.js supports.
const TICK_MICROS = 10_000;

/** Time limits in milliseconds for the first response after the start, and for the first correct response after that. */
const SILENT = 180_000;
const WRONG = 20_000;

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Returns the child processes of a thread, or an empty list if the thread has ended. */
function children(pid, task) {
  try {
    return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return [];
    throw error;
  }
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Program {
  constructor(command, { env = {}, cwd } = {}) {
    this.started = performance.now();
    this.child = spawn('taskset', ['-c', SERVER_CORE, ...command], {
      env: { ...process.env, ...env }, cwd, stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.add(this.child);
    this.child.on('exit', () => running.delete(this.child));
    this.said = '';
    this.child.stderr.on('data', (text) => (this.said = (this.said + text).slice(-2000)));
    this.ended = new Promise((resolve) => this.child.on('exit', (code, signal) => resolve((this.end = code ?? signal))));
  }

  /** Sends requests until the first correct response. Returns the milliseconds since the start of the server. */
  async firstAnswer(checker, line) {
    let spoke;
    for (;;) {
      const answer = await checker.ask(line).catch((error) => ({ status: 0, body: String(error) }));
      if (isRight(line, answer.status, answer.body)) return performance.now() - this.started;
      if (this.end !== undefined) throw new Error(`the server exited with ${this.end}: ${this.said}`);
      // The server does not respond while it loads its keys. After the first response it should soon respond correctly.
      if (answer.status !== 0) spoke ??= performance.now();
      if (performance.now() - this.started > SILENT || performance.now() - spoke > WRONG) {
        throw new Error(`no correct response; the last one was ${answer.status} ${answer.body.slice(0, 300)} ${this.said}`);
      }
      await sleep(0.5);
    }
  }

  /** Returns the server process and all its descendants. */
  pids() {
    const all = [this.child.pid];
    for (const pid of all) {
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        all.push(...children(pid, task));
      }
    }
    return all;
  }

  /** Returns the CPU time so far in microseconds, in user and kernel mode. */
  cpu() {
    return this.pids().reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return sum + (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
    }, 0);
  }

  /** Returns the resident memory in kilobytes, and its anonymous part. */
  memory() {
    const total = { rss: 0, anon: 0 };
    for (const pid of this.pids()) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      total.rss += Number(/VmRSS:\s+(\d+)/.exec(status)[1]);
      total.anon += Number(/RssAnon:\s+(\d+)/.exec(status)[1]);
    }
    return total;
  }

  async stop() {
    if (this.end !== undefined) return;
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    await this.ended;
    clearTimeout(late);
  }
}

