/**
 * Builds the pools of a schema: values that rows take instead of calling faker for each. Only the parent does
 * this; workers get the result as bytes and never load faker.
 */
import { createHash } from 'node:crypto';
import type { Faker } from '@faker-js/faker';
import { assert, unreachable } from '../base/errors.ts';
import {
  aliasTable,
  boundsTable,
  exponentialTable,
  normalTable,
  secantTable,
  sineTable,
  zipfSpanTable,
  zipfSpanWeights,
  zipfWeights,
} from './distributions.ts';
import { keyOf } from './hashing.ts';
import { hostRecords } from './host-records.ts';
import { isTextPool, needsOf } from './pool-needs.ts';
import type { TableSource } from './pool-needs.ts';
import type { Pools } from './row-format.ts';
import type { FakerMethod, JsonValue, PoolSource, RecordSet, TableSchema } from './schema.ts';

/**
 * Pools depend on the schema alone, not on a run's seed, so that they can be kept and shared: runs differ by
 * which entries they draw.
 */
const POOL_SEED = 'crategen pools 1';

/** Faker's dates are relative to this instead of to now. */
const REFERENCE_DATE = '2026-01-01T00:00:00.000Z';

/** Names are composed (first × last × number), so that a few entries are many texts. */
const FIRST_NAMES = 1000;
const LAST_NAMES = 500;

type PoolRecord = Readonly<Record<string, string>>;

/** The pools and tables that the schema's generators draw from; the same bytes in every process. */
export async function buildPools(schema: TableSchema): Promise<Pools> {
  const needs = needsOf(schema);
  const faker = [...needs.pools.values()].some(needsFaker) ? await loadFaker() : null;
  const records = new Map<RecordSet, readonly PoolRecord[]>();

  const packer = new Packer();
  for (const [key, source] of needs.pools) packer.addPool(key, entriesOf(key, source, faker, records));
  const tables = [...needs.tables].map(([key, source]) => ({ key, values: buildTable(source) }));
  return packer.finish(tables);
}

function needsFaker(source: PoolSource): boolean {
  return source.from === 'faker' || (source.from === 'records' && source.set !== 'hosts');
}

/** One locale, not the package's root: that one costs 100 ms and 40 MiB more. */
async function loadFaker(): Promise<Faker> {
  const { faker } = await import('@faker-js/faker/locale/en');
  faker.setDefaultRefDate(REFERENCE_DATE);
  return faker;
}

/** JSON fragments of a pool's entries, texts without their quotes. */
function entriesOf(
  key: string,
  source: PoolSource,
  faker: Faker | null,
  records: Map<RecordSet, readonly PoolRecord[]>,
): string[] {
  if (source.from === 'values') return fragments(source.values, isTextPool(source));
  if (source.from === 'faker') {
    assert(faker !== null, 'faker was not loaded');
    seedFaker(faker, key);
    return fragments(
      Array.from({ length: source.entries }, () => cutTo(callFaker(faker, source.method), source.maxLength)),
      true,
    );
  }
  const known = records.get(source.set) ?? buildRecords(source.set, faker);
  records.set(source.set, known);
  return fragments(
    known.map((record) => record[source.field] ?? ''),
    true,
  );
}

/** Characters are cut as the server counts them, but none in two. */
function cutTo(text: string, maxLength: number | undefined): string {
  return maxLength === undefined || text.length <= maxLength
    ? text
    : text.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '');
}

function fragments(values: readonly JsonValue[], text: boolean): string[] {
  return values.map((value) => (text ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value)));
}

/** Each pool has a seed of its own: another pool beside it changes nothing. */
function seedFaker(faker: Faker, key: string): void {
  faker.seed(Number(keyOf(`${POOL_SEED}/${key}`) & 0x7fffffffn));
}

function buildRecords(set: RecordSet, faker: Faker | null): PoolRecord[] {
  if (set === 'hosts') return hostRecords(POOL_SEED);
  assert(faker !== null, 'faker was not loaded');
  seedFaker(faker, set);
  const [entries, method] =
    set === 'firstNames'
      ? ([FIRST_NAMES, 'person.firstName'] as const)
      : ([LAST_NAMES, 'person.lastName'] as const);
  return Array.from({ length: entries }, () => {
    const display = callFaker(faker, method);
    return { display, mail: display.toLowerCase().replaceAll(/[^a-z]/g, '') };
  });
}

/** The closed list of what a schema may call. */
function callFaker(faker: Faker, method: FakerMethod): string {
  switch (method) {
    case 'person.firstName':
      return faker.person.firstName();
    case 'person.lastName':
      return faker.person.lastName();
    case 'person.jobTitle':
      return faker.person.jobTitle();
    case 'location.city':
      return faker.location.city();
    case 'location.country':
      return faker.location.country();
    case 'location.countryCode':
      return faker.location.countryCode();
    case 'location.street':
      return faker.location.street();
    case 'location.zipCode':
      return faker.location.zipCode();
    case 'company.name':
      return faker.company.name();
    case 'company.catchPhrase':
      return faker.company.catchPhrase();
    case 'commerce.productName':
      return faker.commerce.productName();
    case 'commerce.department':
      return faker.commerce.department();
    case 'internet.userAgent':
      return faker.internet.userAgent();
    case 'internet.domainName':
      return faker.internet.domainName();
    case 'finance.currencyCode':
      return faker.finance.currencyCode();
    case 'hacker.phrase':
      return faker.hacker.phrase();
    case 'lorem.word':
      return faker.lorem.word();
    case 'lorem.sentence':
      return faker.lorem.sentence();
    case 'lorem.paragraph':
      return faker.lorem.paragraph();
    case 'system.mimeType':
      return faker.system.mimeType();
    case 'vehicle.vehicle':
      return faker.vehicle.vehicle();
    default:
      return unreachable(method);
  }
}

function buildTable(source: TableSource): Uint32Array {
  switch (source.kind) {
    case 'sine':
      return sineTable();
    case 'normal':
      return normalTable();
    case 'exponential':
      return exponentialTable();
    case 'zipf':
      return aliasTable(zipfWeights(source.ranks, source.exponent));
    case 'zipfSpans':
      return zipfSpanTable(source.ranks);
    case 'zipfSpanWeights':
      return aliasTable(zipfSpanWeights(source.ranks, source.exponent));
    case 'weights':
      return aliasTable(source.weights);
    case 'bounds':
      return boundsTable(source.bounds);
    case 'secants':
      return secantTable(source.south, source.north);
  }
}

/** Puts fragments one after the other and remembers where each ends. */
class Packer {
  readonly #texts: string[] = [];
  readonly #pools: { key: string; first: number; count: number }[] = [];

  addPool(key: string, entries: readonly string[]): void {
    assert(entries.length > 0, `the pool ${key} has no entries`);
    this.#pools.push({ key, first: this.#texts.length, count: entries.length });
    for (const entry of entries) this.#texts.push(entry);
  }

  finish(tables: Pools['tables']): Pools {
    const encoder = new TextEncoder();
    const encoded = this.#texts.map((text) => encoder.encode(text));
    const offsets = new Uint32Array(encoded.length + 1);
    encoded.forEach((bytes, index) => {
      offsets[index + 1] = (offsets[index] ?? 0) + bytes.length;
    });
    const bytes = new Uint8Array(offsets.at(-1) ?? 0);
    encoded.forEach((fragment, index) => bytes.set(fragment, offsets[index] ?? 0));
    const content = { bytes, offsets, pools: this.#pools, tables };
    return { ...content, hash: hashOf(content) };
  }
}

/** sha256 over names, fragments and tables; integers in little-endian order, whatever the machine's is. */
export function hashOf(content: Omit<Pools, 'hash'>): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([content.pools, content.tables.map(({ key, values }) => [key, values.length])]));
  hash.update(littleEndian(content.offsets));
  hash.update(content.bytes);
  for (const { values } of content.tables) hash.update(littleEndian(values));
  return hash.digest('hex');
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function littleEndian(values: Uint32Array): Uint8Array {
  if (IS_LITTLE_ENDIAN) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => view.setUint32(index * 4, value, true));
  return new Uint8Array(view.buffer);
}
