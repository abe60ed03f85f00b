// Medians, ratios, and the table.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The medians of the runs of a row. Wrong and checked responses are added up. */
export function middle(runs) {
  const of = (get) => (runs.every((run) => get(run) !== undefined) ? median(runs.map(get)) : undefined);
  const sum = (name) => runs.reduce((all, run) => all + run[name], 0);
  return {
    rate: of((run) => run.rate), cpu: of((run) => run.cpu), core: of((run) => run.core), p50: of((run) => run.p50), p99: of((run) => run.p99),
    rest: of((run) => run.rest?.rss), rss: of((run) => run.memory?.rss), anon: of((run) => run.memory?.anon),
    start: of((run) => run.start), checked: sum('checked'), wrong: sum('wrong'), first: runs.map((run) => run.first).find(Boolean) ?? '',
    spread: runs.map((run) => run.rate),
  };
}

const digits = (value) => (value >= 100 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const micros = (value) => (value >= 1000 ? `${digits(value / 1000)} ms` : `${Math.round(value)} µs`);
const megabytes = (kilobytes) => digits(kilobytes / 1024);
const none = '–';
const or = (value, say) => (value === undefined ? none : say(value));

const judged = (isAim, isLeast) => (isAim ? 'target met' : isLeast ? 'requirement met' : 'MISSED');

/** The comparison column of a row: the rate and CPU of other rows relative to it, and its own requirements. */
function beside(id, figures, { ratios, bounds }) {
  const compared = ratios.filter((ratio) => ratio.against === id && figures[ratio.of]).map((ratio) => {
    const [of, against] = [figures[ratio.of], figures[id]];
    const rate = of.rate / against.rate;
    const cpu = against.cpu / of.cpu;
    // If the load generator was the limit, the rates do not show the cost of a request, but the CPU time does. It does not apply to rows
    // that wait for the disk.
    const counts = ratio.disk ? rate : Math.min(rate, cpu);
    const result = judged(counts >= ratio.aim, counts >= ratio.least);
    return `${ratio.of} is ${rate.toFixed(2)}x (CPU ${cpu.toFixed(2)}x); required ${digits(ratio.least)}x, target ${digits(ratio.aim)}x: ${result}`;
  });
  const bounded = bounds.filter((bound) => bound.of === id).map((bound) => {
    const value = bound.get(figures[id]);
    const keeps = (limit) => (bound.up ? value >= limit : value <= limit);
    const limit = bound.up ? '' : 'at most ';
    return `${bound.what} required ${limit}${digits(bound.least)}, target ${digits(bound.aim)}: ${judged(keeps(bound.aim), keeps(bound.least))}`;
  });
  return [...compared, ...bounded].join('; ');
}

export function table(rows, figures, asked) {
  const measured = Object.fromEntries(Object.entries(figures).filter(([, it]) => !it.failed));
  const head = ['what', 'requests/s', 'CPU µs/request (core)', 'p50', 'p99', 'MB at rest; loaded (anonymous)', 'start ms', 'wrong / checked', 'comparison'];
  const body = rows.filter((row) => figures[row.id]).map((row) => {
    const it = figures[row.id];
    if (it.failed) return [`${row.id}: ${row.name}`, none, none, none, none, none, none, none, `not measured: ${it.failed}`];
    return [
      `${row.id}: ${row.name}`,
      digits(it.rate),
      `${digits(it.cpu)} (${Math.round(it.core * 100)} %)`,
      micros(it.p50),
      micros(it.p99),
      it.rest === undefined ? none : `${megabytes(it.rest)}; ${megabytes(it.rss)} (${megabytes(it.anon)})`,
      or(it.start, digits),
      `${it.wrong} / ${it.checked.toLocaleString('en')}`,
      beside(row.id, measured, asked),
    ];
  });
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|---|${'--:|'.repeat(head.length - 2)}---|`, ...body.map(line)].join('\n');
}

const version = (command, ...words) => {
  try {
    return execFileSync(command, words, { stdio: ['ignore', 'pipe', 'pipe'] }).toString().trim().split('\n')[0];
  } catch (error) {
    // wrk prints its version and exits with an error. nginx prints it to standard error.
    return String(error.stdout ?? '').trim().split('\n')[0] || 'unknown version';
  }
};

export function machine(keyward, packages) {
  const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown CPU';
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const nginx = execFileSync('bash', ['-c', 'nginx -v 2>&1']).toString().trim().replace('nginx version: ', '');
  const named = Object.entries(packages).map(([name, at]) => `${name} ${at}`).join(', ');
  return `${cpu}, ${os.cpus().length} cores, ${memory} GB, Linux ${os.release()}; ${version(keyward, '--version')}, ${version('wrk', '-v').split(' Copyright')[0]}, `
    + `${nginx}, Node ${process.versions.node}, ${named}.`;
}
