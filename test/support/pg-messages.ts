/** The frontend's half of the PostgreSQL protocol as a server reads it, as far as inserts need it. */

interface FrontendMessage {
  /** `B`, `E`, `P`, `S` …; `startup` has none. */
  readonly type: string;
  readonly body: Buffer;
}

/** Whole messages at the start of `bytes`, and how many bytes they are. */
export function messagesIn(bytes: Buffer): { messages: FrontendMessage[]; length: number } {
  const messages: FrontendMessage[] = [];
  let at = 0;
  while (bytes.length - at >= 5) {
    const length = bytes.readUInt32BE(at + 1);
    if (bytes.length - at < 1 + length) break;
    messages.push({
      type: bytes.toString('latin1', at, at + 1),
      body: bytes.subarray(at + 5, at + 1 + length),
    });
    at += 1 + length;
  }
  return { messages, length: at };
}

/** The statement's name and the values of a Bind, all of them texts. */
export function bindOf(body: Buffer): { statement: string; values: (string | null)[] } {
  const portalEnd = body.indexOf(0);
  const nameEnd = body.indexOf(0, portalEnd + 1);
  const statement = body.toString('utf8', portalEnd + 1, nameEnd);
  if (body.readUInt16BE(nameEnd + 1) !== 0) throw new Error('formats were given, text was expected');
  const count = body.readUInt16BE(nameEnd + 3);
  let at = nameEnd + 5;
  const values = Array.from({ length: count }, () => {
    const length = body.readInt32BE(at);
    at += 4 + Math.max(length, 0);
    return length === -1 ? null : body.toString('utf8', at - length, at);
  });
  if (at + 2 !== body.length) throw new Error(`${body.length - at - 2} bytes too many in a Bind`);
  return { statement, values };
}

/** A backend message. */
export function message(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)),
  );
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
