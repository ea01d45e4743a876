/**
 * Rows of the presets as a careful author writes them in plain JavaScript: an array of values per row, objects for
 * object columns, numbers in the ranges and shapes of the preset, texts drawn from lists made beforehand.
 */
import { faker } from '@faker-js/faker/locale/en';
import { hostRecords } from '../../src/rows/host-records.ts';
import { between, pick } from './plain-draws.ts';

export type PlainPreset = 'metrics' | 'records';

/** The arguments of one row. */
export type PlainRow = readonly unknown[];

const RUN_ID = 'benchmark';
const TIME_ORIGIN_MS = Date.UTC(2026, 0, 1);
const HOST_STEP_MS = 10_000;
const RECORD_STEP_MS = 10;
const DAY_MS = 86_400_000;
const FAKER_SEED = 1;

/** Makes the function that makes row `seq` of a preset; lists and tables are ready when it returns. */
export function plainRows(preset: PlainPreset): (seq: number) => PlainRow {
  return preset === 'metrics' ? metricsRows() : recordsRows();
}

/** An exponential value from `min` on, with two digits. */
function exponential(min: number, mean: number): number {
  return min - mean * Math.log(1 - Math.random());
}

function metricsRows(): (seq: number) => PlainRow {
  const hosts = hostRecords('plain');
  // A level of its own for each host, a wave over the day, and something that changes from row to row.
  const levels = hosts.map(() => ({ user: between(2, 30), system: between(1, 8), guest: between(0, 3) }));
  return (seq) => {
    const host = seq % hosts.length;
    const level = levels[host] ?? { user: 0, system: 0, guest: 0 };
    const atMs = TIME_ORIGIN_MS + Math.floor(seq / hosts.length) * HOST_STEP_MS;
    const wave = 1 + Math.sin((2 * Math.PI * (atMs % DAY_MS)) / DAY_MS);
    const spike = Math.random() < 0.002 ? 7 : 0;
    const user = Math.round(level.user + 7 * wave + between(0, 13) + spike);
    const system = Math.round(level.system + 2 * wave + between(0, 5));
    const [nice, iowait, irq] = [between(0, 2), Math.round(between(0, 7) + wave / 2), between(0, 2)];
    const [softirq, steal] = [Math.round(between(0, 2) + wave / 2), between(0, 3)];
    const idle = 100 - user - system - nice - iowait - irq - softirq - steal;
    return [
      RUN_ID,
      seq,
      // A copy: an author reads the tags out of an inventory row by row.
      { ...hosts[host] },
      atMs,
      user,
      system,
      idle,
      nice,
      iowait,
      irq,
      softirq,
      steal,
      level.guest + between(0, 4),
      between(0, 2),
    ];
  };
}

/** Ranks with weights 1/rank^exponent, as a list of shares that a draw is looked up in. */
function zipfShares(ranks: number, exponent: number): Float64Array {
  const shares = new Float64Array(ranks);
  let sum = 0;
  for (let rank = 0; rank < ranks; rank += 1) shares[rank] = sum += (rank + 1) ** -exponent;
  return shares.map((share) => share / sum);
}

function drawFrom(shares: Float64Array): number {
  const drawn = Math.random();
  let [low, high] = [0, shares.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((shares[middle] ?? 1) < drawn) low = middle + 1;
    else high = middle;
  }
  return low;
}

function recordsRows(): (seq: number) => PlainRow {
  faker.seed(FAKER_SEED);
  const names = (make: () => string, count: number): { display: string; mail: string }[] =>
    Array.from({ length: count }, () => {
      const display = make();
      return { display, mail: display.toLowerCase().replaceAll(/[^a-z]/g, '') };
    });
  const firstNames = names(() => faker.person.firstName(), 1000);
  const lastNames = names(() => faker.person.lastName(), 500);
  const cities = Array.from({ length: 500 }, () => faker.location.city());
  const domains = ['example.com', 'example.net', 'example.org', 'mail.example'];
  const states = [
    ...Array<string>(60).fill('active'),
    ...Array<string>(20).fill('new'),
    ...Array<string>(12).fill('paused'),
    ...Array<string>(6).fill('closed'),
    ...Array<string>(2).fill('blocked'),
  ];
  const [orders, refunds] = [zipfShares(200, 1.1), zipfShares(20, 2.2)];
  return (seq) => {
    const [first, last] = [pick(firstNames), pick(lastNames)];
    return [
      RUN_ID,
      seq,
      TIME_ORIGIN_MS + seq * RECORD_STEP_MS + between(0, 9),
      `${first.display} ${last.display}`,
      `${first.mail}.${last.mail}${between(1, 99_999)}@${pick(domains)}`,
      pick(cities),
      Math.round(exponential(100, 7950)) / 100,
      pick(states),
      {
        visits: Math.round(exponential(1, 40)),
        orders: drawFrom(orders),
        refunds: drawFrom(refunds),
        points: between(0, 1_000_000),
      },
    ];
  };
}
