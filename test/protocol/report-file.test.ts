/** A report is read as it was written, once; half of one, or another file, is no report. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { record } from '../../src/metrics/histogram.ts';
import { type Snapshot, emptySnapshot } from '../../src/metrics/snapshot.ts';
import { createReportDesk, createReportFile, reportFileOf } from '../../src/protocol/report-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'crategen-test-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
const newPath = (): string => reportFileOf(join(folder, `worker-${files++}`));

/** The report of this number, with latencies over `octaves` and an error of that text. */
function report(sequence: number, octaves = 1, text = ''): Snapshot {
  const snapshot = { ...emptySnapshot(7), sequence };
  for (let valueUs = 1; valueUs < 2 ** octaves; valueUs *= 1.05) record(snapshot.serviceTime, valueUs);
  return text === ''
    ? snapshot
    : { ...snapshot, errors: [{ class: 'closed', code: null, rows: 5, batches: 1, example: text }] };
}

test('each report is read once, whole, whatever the others were like', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.string({ unit: 'binary', maxLength: 3000 })), {
        minLength: 1,
        maxLength: 6,
      }),
      (shapes) => {
        const path = newPath();
        const [writer, reader] = [createReportFile(path), createReportDesk()(path)];
        assert.equal(reader.read(), null);
        for (const [index, [octaves, text]] of shapes.entries()) {
          const snapshot = report(index + 1, octaves, text);
          writer.write(snapshot);
          assert.deepEqual(reader.read(), { ok: true, message: snapshot });
          assert.equal(reader.read(), null);
        }
        writer.close();
        reader.close();
      },
    ),
    { numRuns: 100 },
  );
});

test('the reports of several workers are read in any order through one desk', () => {
  const open = createReportDesk();
  const paths = [newPath(), newPath(), newPath()];
  const writers = paths.map(createReportFile);
  const readers = paths.map(open);
  const snapshots = [report(1, 2), report(5, 20, 'x'.repeat(9000)), report(9, 36, 'ü')];
  writers.forEach((writer, index) => writer.write(snapshots[index] ?? emptySnapshot(0)));
  for (const index of [2, 0, 1])
    assert.deepEqual(readers[index]?.read(), { ok: true, message: snapshots[index] });
});

test('a report that is half written, or half the next one, is not read, and the next whole one is', () => {
  const path = newPath();
  const [writer, reader] = [createReportFile(path), createReportDesk()(path)];
  writer.write(report(1, 20, 'first'));
  const before = readFileSync(path);
  writer.write(report(2, 24, 'second, longer'));
  const after = readFileSync(path);
  for (let cut = 0; cut < after.length; cut += 7) {
    const mixed = Buffer.concat([after.subarray(0, cut), before.subarray(cut)]);
    if (mixed.equals(before) || mixed.equals(after)) continue;
    writeFileSync(path, mixed);
    assert.equal(reader.read(), null, `${cut} bytes of the second`);
    truncateSync(path, cut);
    assert.equal(reader.read(), null, `${cut} bytes of a file`);
  }
  writer.write(report(3, 20, 'third'));
  assert.deepEqual(reader.read(), { ok: true, message: report(3, 20, 'third') });
});

test('a whole report that holds no snapshot is told, and a head that claims too much is none', () => {
  const path = newPath();
  const frame = (numbers: readonly number[], texts: string): Buffer => {
    const text = Buffer.from(texts);
    const head = new Uint32Array([0, numbers.length, text.length, 0]);
    const body = Buffer.concat([
      Buffer.from(head.buffer),
      Buffer.from(new Float64Array(numbers).buffer),
      text,
    ]);
    body.writeUInt32LE(crc32(body.subarray(4)), 0);
    return body;
  };
  for (const [numbers, texts] of [
    [[1, 2, 3], '[]'],
    [[], '{"__proto__":{"polluted":1}}'],
    [[1], 'no JSON'],
  ] as const) {
    writeFileSync(path, frame(numbers, texts));
    assert.deepEqual(createReportDesk()(path).read(), { ok: false, why: 'its report is no snapshot' });
  }
  const greedy = frame([1], '[]');
  greedy.writeUInt32LE(2 ** 32 - 1, 4);
  writeFileSync(path, greedy);
  assert.equal(createReportDesk()(path).read(), null);
});

test('a report for which there is no room is left out', { skip: process.platform !== 'linux' }, () => {
  const writer = createReportFile('/dev/full');
  writer.write(report(1));
  writer.close();
});
