/**
 * The door of a target that discards and costs next to nothing: INSERTs whose number of rows is known before are answered
 * by the same bytes each, and pass by unread. Every other connection goes on to the sandbox behind it.
 */
import type { Server as HttpServer } from 'node:http';
import { type Server, type Socket, createServer } from 'node:net';
import { DiscardReplies, looksLikeInsert } from './discard.ts';

/** INSERTs that all hold as many rows. */
export interface KnownInserts {
  readonly rows: number;
  /** Rows as `bulk_args`, with a result for each; else one statement, whose answer counts them. */
  readonly isBulk: boolean;
}

export interface DoorParts {
  readonly known: KnownInserts;
  /** The answer to `GET /`. */
  readonly greeting: string;
  /** Takes the connections that ask for something else. */
  readonly behind: HttpServer;
  readonly onInsert: () => void;
}

/** What the beginning of a request shows; null while it is too short to tell. */
type Seen =
  | { readonly kind: 'insert'; readonly bytesLeft: number }
  | { readonly kind: 'greeting' }
  | { readonly kind: 'other' };

const END_OF_HEAD = '\r\n\r\n';
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;
const CONTENT_ENCODING = /\r\ncontent-encoding:/i;
/** Of a body: enough to see an INSERT in it. */
const BODY_START_BYTES = 64;
/** A longer head is none of a client of ours: the sandbox refuses it as CrateDB does. */
const MAX_HEAD_BYTES = 8192;

/** A server that does not listen yet. */
export function createUnreadDoor(parts: DoorParts): Server {
  const replies = { insert: httpReply(replyText(parts.known)), greeting: httpReply(parts.greeting) };
  return createServer({ noDelay: true }, (socket) => serve(socket, replies, parts));
}

/** One connection: a client of ours sends its next request when it has the answer to the last. */
function serve(
  socket: Socket,
  replies: { readonly insert: Buffer; readonly greeting: Buffer },
  { behind, onInsert }: DoorParts,
): void {
  let pending: Buffer | null = null;
  let bytesLeft = 0;
  const answerInsert = (): void => {
    onInsert();
    socket.write(replies.insert);
  };
  const onData = (piece: Buffer): void => {
    if (bytesLeft > 0) {
      bytesLeft -= piece.length;
      if (bytesLeft <= 0) answerInsert();
      return;
    }
    const start = pending === null ? piece : Buffer.concat([pending, piece]);
    const seen = lookAt(start);
    pending = seen === null ? start : null;
    if (seen?.kind === 'greeting') socket.write(replies.greeting);
    else if (seen?.kind === 'other') handOver(start);
    else if (seen?.kind === 'insert') {
      bytesLeft = seen.bytesLeft;
      if (bytesLeft <= 0) answerInsert();
    }
  };
  const drop = (): void => void socket.destroy();
  const handOver = (start: Buffer): void => {
    socket.pause();
    socket.off('data', onData).off('error', drop);
    behind.emit('connection', socket);
    socket.unshift(start);
    socket.resume();
  };
  // A client that goes is no concern of the target.
  socket.on('data', onData).on('error', drop);
}

function lookAt(start: Buffer): Seen | null {
  const end = start.indexOf(END_OF_HEAD);
  if (end === -1) return start.length > MAX_HEAD_BYTES ? { kind: 'other' } : null;
  const head = start.toString('latin1', 0, end);
  if (head.startsWith('GET / ')) return { kind: 'greeting' };
  const length = Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
  const body = start.subarray(end + END_OF_HEAD.length);
  const insert: Seen = { kind: 'insert', bytesLeft: length - body.length };
  // Clients of a sandbox compress nothing but INSERTs.
  if (CONTENT_ENCODING.test(head)) return insert;
  if (body.length < Math.min(length, BODY_START_BYTES)) return null;
  return looksLikeInsert(body) ? insert : { kind: 'other' };
}

function replyText({ rows, isBulk }: KnownInserts): string {
  if (isBulk) return new DiscardReplies().get(rows).toString('latin1');
  return `{"cols":[],"rows":[[]],"rowcount":${rows},"duration":0.125}`;
}

/** A complete answer over HTTP. */
function httpReply(body: string): Buffer {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: ${Buffer.byteLength(body)}`;
  return Buffer.from(`${head}${END_OF_HEAD}${body}`);
}
