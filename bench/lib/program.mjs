// A program under test: started alone on its core, looked at in /proc, stopped.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRight } from './check.mjs';

export const SERVER_CORE = '0';
export const LOAD_CORE = '1';
// USER_HZ, the unit of /proc/<pid>/stat: 100 on every Linux that Node runs on.
const TICK_MICROS = 10_000;

/** Milliseconds that a server may be silent after its start, and wrong after its first word. */
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

/** What a thread has started; nothing, if it has ended meanwhile. */
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

  /** Asks until the first right answer. Milliseconds from the start of the program. */
  async firstAnswer(checker, line) {
    let spoke;
    for (;;) {
      const answer = await checker.ask(line).catch((error) => ({ status: 0, body: String(error) }));
      if (isRight(line, answer.status, answer.body)) return performance.now() - this.started;
      if (this.end !== undefined) throw new Error(`it ended with ${this.end}: ${this.said}`);
      // Silent while it reads what it serves; once it speaks it should soon be right.
      if (answer.status !== 0) spoke ??= performance.now();
      if (performance.now() - this.started > SILENT || performance.now() - spoke > WRONG) {
        throw new Error(`no right answer; the last was ${answer.status} ${answer.body.slice(0, 300)} ${this.said}`);
      }
      await sleep(0.5);
    }
  }

  /** It and all that it started. */
  pids() {
    const all = [this.child.pid];
    for (const pid of all) {
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        all.push(...children(pid, task));
      }
    }
    return all;
  }

  /** Microseconds of CPU so far, in user and kernel mode. */
  cpu() {
    return this.pids().reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return sum + (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
    }, 0);
  }

  /** Kilobytes in memory, and how many of them are no file's. */
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

