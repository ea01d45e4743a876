/**
 * Entry of a target that costs next to nothing: bodies are counted by their length and thrown away unread, and
 * every POST gets the same prepared reply, at once or after a fixed latency. Its first message up says its port.
 */
import { type Socket, createServer } from 'node:net';
import { discardAnswers } from './discard-answers.ts';

export interface DiscardTask {
  /** So many results has the reply to a POST. */
  readonly rows: number;
  readonly latencyMs: number;
}

const END_OF_HEAD = '\r\n\r\n';
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;
/** Answers the requests of one connection, one after the other: nobody here sends the next one early. */
function serve(socket: Socket, latencyMs: number, reply: Buffer, greeting: Buffer): void {
  let head = '';
  let bodyLeft = 0;
  let next = reply;
  const write = (): void => void socket.write(next);
  const finish = (): void => {
    if (latencyMs > 0 && next === reply) setTimeout(write, latencyMs);
    else write();
  };
  socket.setNoDelay(true);
  // A client that goes is no concern of the target.
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece: Buffer) => {
    if (bodyLeft > 0) {
      bodyLeft -= piece.length;
      if (bodyLeft === 0) finish();
      return;
    }
    const end = piece.indexOf(END_OF_HEAD);
    if (end === -1) {
      head += piece.toString('latin1');
      return;
    }
    head += piece.toString('latin1', 0, end);
    next = head.startsWith('POST') ? reply : greeting;
    bodyLeft = Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0) - (piece.length - end - END_OF_HEAD.length);
    head = '';
    if (bodyLeft === 0) finish();
  });
}

/** What the parent reads back from a child of this file. */
export interface DiscardReady {
  readonly port: number;
}

if (process.send !== undefined) {
  const task = JSON.parse(process.argv[2] ?? '') as DiscardTask;
  const { reply, greeting } = discardAnswers(task.rows);
  const server = createServer((socket) => serve(socket, task.latencyMs, reply, greeting));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the target has no port');
    process.send?.({ port: address.port } satisfies DiscardReady);
  });
  process.on('disconnect', () => process.exit(0));
}
