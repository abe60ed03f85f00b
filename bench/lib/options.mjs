// Options of `make bench`. Each has a default.
import { parseArgs } from 'node:util';

export function options() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: process.env.BENCH_RUNS ?? '3' },
      seconds: { type: 'string', default: process.env.BENCH_SECONDS ?? '8' },
      connections: { type: 'string', default: '32' },
      seed: { type: 'string', default: process.env.BENCH_SEED ?? '20261121' },
      large: { type: 'string', default: process.env.BENCH_LARGE ?? '1000000' },
      only: { type: 'string', default: process.env.BENCH_ONLY ?? '' },
      profile: { type: 'string', default: '' },
    },
  });
  const number = (name) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number of 1 or more, not ${values[name]}`);
    return value;
  };
  return {
    runs: number('runs'),
    seconds: number('seconds'),
    connections: number('connections'),
    seed: number('seed'),
    large: number('large'),
    only: values.only ? values.only.split(',') : [],
    profile: values.profile,
  };
}
