/**
 * Request bodies for the PostgreSQL wire: each row of a batch as a Bind and an Execute, one Sync behind the last,
 * which CrateDB runs as one bulk. Made from the rows' JSON in one pass, byte by byte: no object is made per value.
 * Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { assert } from '../base/errors.ts';
import type { BatchBody } from './batch-body.ts';
import { type PgForm, type PgParameter, pgBodyBytes, statementName } from './insert-form.ts';
import type { RowGenerator } from './row-generator.ts';

/** So many slots for requests of up to `maxRows` rows. */
export function createBindBodies(
  form: PgForm,
  generator: RowGenerator,
  maxRows: number,
  count: number,
): BatchBody[] {
  const maxBodyBytes = pgBodyBytes(form, generator.maxRowBytes, maxRows);
  return generator.createBuffers(count, maxRows * (generator.maxRowBytes + 1)).map((rowsBuffer) => {
    const writer = new BindWriter(form, maxBodyBytes);
    return {
      maxBodyBytes,
      write(firstRow, rows) {
        assert(rows >= 1 && rows <= maxRows, `${rows} rows for a slot of ${maxRows}`);
        const end = generator.writeRows(rowsBuffer, 0, firstRow, rows);
        return writer.write(rowsBuffer, end);
      },
    };
  });
}

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, LETTER_N, LETTER_U] = [
  0x22, 0x5c, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d, 0x6e, 0x75,
];
const [OPEN_POINT, CLOSE_POINT] = [0x28, 0x29];
/** What stands behind a backslash in JSON, and the character that the two are. */
const [LETTERS, MEANT] = [Buffer.from('"\\/bfnrt'), Buffer.from('"\\/\b\f\n\r\t')];
const ESCAPES = new Map(Array.from(LETTERS, (letter, index) => [letter, MEANT[index] ?? letter]));
const NULL_LENGTH = -1;
/** Execute of the unnamed portal without a limit of rows, and Sync. */
const EXECUTE = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0]);
const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);

class BindWriter {
  readonly #parameters: readonly PgParameter[];
  /** Of a Bind, behind its length: portal, statement, text for all parameters, their number. */
  readonly #head: Buffer;
  readonly #target: Buffer;
  #source: Uint8Array = new Uint8Array();
  #at = 0;
  #end = 0;

  constructor(form: PgForm, maxBodyBytes: number) {
    this.#parameters = form.parameters;
    const count = Buffer.alloc(4);
    count.writeUInt16BE(form.parameters.length, 2);
    this.#head = Buffer.concat([Buffer.from(`\0${statementName(form)}\0`), count]);
    this.#target = Buffer.alloc(maxBodyBytes);
  }

  /** The messages for rows `[…],[…]`, a view of the writer's own buffer. */
  write(rows: Uint8Array, rowsEnd: number): Uint8Array {
    this.#source = rows;
    this.#at = 0;
    this.#end = 0;
    while (this.#at < rowsEnd) {
      this.#row();
      // The comma behind it.
      this.#at += 1;
    }
    this.#end += SYNC.copy(this.#target, this.#end);
    return this.#target.subarray(0, this.#end);
  }

  #row(): void {
    const start = this.#end;
    this.#target[start] = 0x42;
    this.#end = start + 5;
    this.#end += this.#head.copy(this.#target, this.#end);
    for (const parameter of this.#parameters) {
      // The bracket or comma before it.
      this.#at += 1;
      this.#parameter(parameter);
    }
    assert(this.#source[this.#at] === CLOSE_LIST, 'a row has as many values as the statement parameters');
    this.#at += 1;
    // Results in the default format.
    this.#end = this.#target.writeUInt16BE(0, this.#end);
    this.#target.writeUInt32BE(this.#end - start - 1, start + 1);
    this.#end += EXECUTE.copy(this.#target, this.#end);
  }

  #parameter(parameter: PgParameter): void {
    const start = this.#end;
    if (this.#source[this.#at] === LETTER_N) {
      this.#at += 4;
      this.#end = this.#target.writeInt32BE(NULL_LENGTH, start);
      return;
    }
    this.#end = start + 4;
    this.#value(parameter);
    this.#target.writeUInt32BE(this.#end - start - 4, start);
  }

  #value(parameter: PgParameter): void {
    const first = this.#source[this.#at];
    if (first === QUOTE) return this.#string(false);
    if (first !== OPEN_LIST || parameter === 'plain') return this.#copy(false);
    if (parameter === 'point') return this.#point();
    this.#list(parameter === 'pointArray');
  }

  /** `{1,"a",NULL,"(1,2)"}`: texts and everything that is no number in quotes. */
  #list(ofPoints: boolean): void {
    this.#put(OPEN_OBJECT);
    this.#at += 1;
    while (this.#source[this.#at] !== CLOSE_LIST) {
      const first = this.#source[this.#at];
      if (first === LETTER_N) {
        this.#at += 4;
        this.#end += this.#target.write('NULL', this.#end, 'latin1');
      } else if (first === QUOTE) this.#quoted(() => this.#string(true));
      else if (first === OPEN_LIST && ofPoints) this.#quoted(() => this.#point());
      else if (first === OPEN_LIST || first === OPEN_OBJECT) this.#quoted(() => this.#copy(true));
      else this.#copy(false);
      if (this.#source[this.#at] !== COMMA) continue;
      this.#put(COMMA);
      this.#at += 1;
    }
    this.#at += 1;
    this.#put(CLOSE_OBJECT);
  }

  #quoted(write: () => void): void {
    this.#put(QUOTE);
    write();
    this.#put(QUOTE);
  }

  /** `[lon,lat]` as `(lon,lat)`. */
  #point(): void {
    this.#put(OPEN_POINT);
    this.#at += 1;
    while (this.#source[this.#at] !== CLOSE_LIST) this.#next();
    this.#at += 1;
    this.#put(CLOSE_POINT);
  }

  /** A value as it stands, up to the comma or bracket behind it; in an array quotes and backslashes are escaped. */
  #copy(inArray: boolean): void {
    let depth = 0;
    let inString = false;
    for (;;) {
      const byte = this.#source[this.#at];
      if (inString) {
        if (byte === BACKSLASH) this.#nextEscaped(inArray);
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth += 1;
      else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) return;
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
      this.#nextEscaped(inArray);
    }
  }

  #nextEscaped(inArray: boolean): void {
    const byte = this.#source[this.#at];
    if (inArray && (byte === QUOTE || byte === BACKSLASH)) this.#put(BACKSLASH);
    this.#next();
  }

  /** A JSON text as the text that it means. */
  #string(inArray: boolean): void {
    const [source, target] = [this.#source, this.#target];
    let at = this.#at + 1;
    let end = this.#end;
    for (let byte = source[at]; byte !== QUOTE; byte = source[at]) {
      if (byte !== BACKSLASH) {
        target[end] = byte ?? 0;
        end += 1;
        at += 1;
        continue;
      }
      const escaped = source[at + 1] ?? 0;
      if (escaped === LETTER_U) {
        const length = unicodeLength(source, at);
        end += target.write(unicodeText(source, at, length), end, 'utf8');
        at += length;
        continue;
      }
      const meant = ESCAPES.get(escaped) ?? escaped;
      if (inArray && (meant === QUOTE || meant === BACKSLASH)) {
        target[end] = BACKSLASH;
        end += 1;
      }
      target[end] = meant;
      end += 1;
      at += 2;
    }
    this.#at = at + 1;
    this.#end = end;
  }

  #put(byte: number): void {
    this.#target[this.#end] = byte;
    this.#end += 1;
  }

  #next(): void {
    this.#put(this.#source[this.#at] ?? 0);
    this.#at += 1;
  }
}

/** Two `\uXXXX` that are one character stand together. */
function unicodeLength(source: Uint8Array, at: number): number {
  const isHigh = /^d[89ab]/i.test(latin1(source, at + 2, at + 6));
  return isHigh && /^\\ud[c-f]/i.test(latin1(source, at + 6, at + 12)) ? 12 : 6;
}

function unicodeText(source: Uint8Array, at: number, length: number): string {
  const text: unknown = JSON.parse(`"${latin1(source, at, at + length)}"`);
  return String(text);
}

function latin1(source: Uint8Array, from: number, to: number): string {
  return Buffer.from(source.subarray(from, to)).toString('latin1');
}
