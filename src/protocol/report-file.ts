/**
 * A worker's reports: its newest snapshot in a file beside its counter file, written in place by one write and read when
 * the coordinator looks. As messages, each one woke the coordinator and cost it ten times what a read of memory does; the
 * line is left to what must be answered.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Snapshot } from '../metrics/snapshot.ts';
import { packSnapshot, unpackSnapshot } from './packed-snapshot.ts';
import type { Parsed } from './parse-message.ts';

/** Checksum of all that follows, how many numbers there are, how many bytes the texts are as JSON; then both. */
const HEAD_BYTES = 16;
const [CHECKSUM, NUMBERS, TEXT_BYTES] = [0, 1, 2] as const;
/** A snapshot of one node and latencies over some octaves takes two thousand. */
const USUAL_BYTES = 8192;
/** More than any report has, so that a foreign head costs no memory. */
const MAX_BYTES = 2 ** 24;

/** Where an incarnation reports. */
export function reportFileOf(counterFile: string): string {
  return `${counterFile}.report`;
}

export interface ReportWriter {
  /** Replaces the last report. Never throws: a full disk costs the picture of the run, its last word has another way. */
  write(snapshot: Snapshot): void;
  close(): void;
}

/** Creates the file, empty. Throws what the system says when it cannot. */
export function createReportFile(path: string): ReportWriter {
  const fd = openSync(path, 'w', 0o600);
  let frame = new Uint8Array(USUAL_BYTES);
  return {
    write(snapshot) {
      const { numbers, texts } = packSnapshot(snapshot);
      const text = Buffer.from(JSON.stringify(texts));
      const bytes = HEAD_BYTES + numbers.byteLength + text.byteLength;
      if (bytes > frame.byteLength) frame = new Uint8Array(2 * bytes);
      new Float64Array(frame.buffer, HEAD_BYTES, numbers.length).set(numbers);
      frame.set(text, HEAD_BYTES + numbers.byteLength);
      const head = new Uint32Array(frame.buffer, 0, HEAD_BYTES / 4);
      head[NUMBERS] = numbers.length;
      head[TEXT_BYTES] = text.byteLength;
      head[CHECKSUM] = crc32(frame.subarray(4, bytes));
      try {
        writeSync(fd, frame, 0, bytes, 0);
      } catch {
        // No room. What stands there does not match its checksum, and is not read.
      }
    },
    close: () => closeSync(fd),
  };
}

/** One incarnation's reports, as the coordinator sees them. */
export interface ReportReader {
  /**
   * What has been reported since the last reading; null when nothing has, or nothing that is whole: a report that is
   * just being written is there at the next look. Not `ok` when a whole one holds no snapshot.
   */
  read(): Parsed<Snapshot> | null;
  close(): void;
}

/** Opens the reports of any number of workers; they are read one after the other into one buffer. */
export function createReportDesk(): (path: string) => ReportReader {
  let frame = new Uint8Array(USUAL_BYTES);
  /** The bytes of the report that is in the frame now; null when there is none, or not all of it. */
  const readFrame = (fd: number): number | null => {
    const read = readSync(fd, frame, 0, frame.byteLength, 0);
    if (read < HEAD_BYTES) return null;
    const head = headOf(frame);
    const bytes = HEAD_BYTES + 8 * (head[NUMBERS] ?? 0) + (head[TEXT_BYTES] ?? 0);
    if (bytes <= read) return bytes;
    if (bytes <= frame.byteLength || bytes > MAX_BYTES) return null;
    frame = new Uint8Array(2 * bytes);
    return readFrame(fd);
  };
  return (path) => {
    let fd: number | null = null;
    let last = -1;
    return {
      read() {
        fd ??= openIfThere(path);
        const bytes = fd === null ? null : readFrame(fd);
        if (bytes === null) return null;
        const checksum = headOf(frame)[CHECKSUM] ?? 0;
        if (checksum === last || crc32(frame.subarray(4, bytes)) !== checksum) return null;
        last = checksum;
        const snapshot = snapshotIn(frame, bytes);
        return snapshot === null
          ? { ok: false, why: 'its report is no snapshot' }
          : { ok: true, message: snapshot };
      },
      close() {
        if (fd !== null) closeSync(fd);
        fd = null;
      },
    };
  };
}

function headOf(frame: Uint8Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(frame.buffer, 0, HEAD_BYTES / 4);
}

function snapshotIn(frame: Uint8Array<ArrayBuffer>, bytes: number): Snapshot | null {
  const numbers = new Float64Array(frame.buffer, HEAD_BYTES, headOf(frame)[NUMBERS] ?? 0);
  try {
    const texts: unknown = JSON.parse(
      Buffer.from(
        frame.buffer,
        HEAD_BYTES + numbers.byteLength,
        bytes - HEAD_BYTES - numbers.byteLength,
      ).toString(),
    );
    return unpackSnapshot({ numbers, texts });
  } catch {
    // Whole, and yet no JSON: whoever wrote it is no worker of ours.
    return null;
  }
}

/** Null until its worker has made it. */
function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    // Not there yet, or no descriptor is left: the next look tries again.
    return null;
  }
}
