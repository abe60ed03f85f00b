import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Time limit for the start of a program, in milliseconds. */
const TIME_LIMIT = 60_000;

/** A running program with its output. */
export class Program {
  output = '';

  private constructor(private readonly child: ChildProcess) {
    // Without a listener, a full pipe would stop the program.
    for (const stream of child.stdio.slice(1)) (stream as Readable | null)?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  static start(command: string, args: string[], options: SpawnOptions): Program {
    return new Program(spawn(command, args, options));
  }

  /** Waits until the program has printed a text, and returns the match. */
  async printed(text: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const finish = (done: () => void) => {
        clearTimeout(timer);
        for (const stream of this.child.stdio.slice(1)) stream?.off('data', look);
        done();
      };
      const fail = (reason: string) => finish(() => reject(new Error(`${this.child.spawnfile} ${reason}\n${this.output}`)));
      const look = () => {
        const found = this.output.match(text);
        if (found) finish(() => resolve(found));
      };
      const timer = setTimeout(() => fail('did not start in time'), TIME_LIMIT);
      for (const stream of this.child.stdio.slice(1)) stream?.on('data', look);
      this.child.once('error', error => fail(error.message));
      this.child.once('exit', code => fail(`ended with ${code}`));
      look();
    });
  }

  async stop(): Promise<void> {
    if (this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  }
}
