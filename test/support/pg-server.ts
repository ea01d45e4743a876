/**
 * A small server of the PostgreSQL protocol for tests: it answers Bind, Execute and Sync as CrateDB does, keeps what
 * it was sent, and fails as it is told.
 */
import { once } from 'node:events';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { bindOf, message, messagesIn } from './pg-messages.ts';

type Row = readonly (string | null)[];

/** What becomes of the rows of one Sync. */
export type PgAnswer =
  | { readonly kind: 'counts'; readonly counts: readonly number[] }
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly times?: number }
  | { readonly kind: 'reset' | 'silence' | 'garbage' };

export interface PgServerOptions {
  readonly answer?: (rows: readonly Row[], sync: number) => PgAnswer;
  readonly password?: string;
  /** Refuses a value that it cannot take at once, as Bind does. */
  readonly refuses?: (row: Row) => boolean;
}

export interface PgServer {
  readonly port: number;
  /** Statements as they were prepared. */
  readonly statements: readonly string[];
  readonly syncs: readonly (readonly Row[])[];
  readonly connections: () => number;
}

export async function pgServerFor(context: TestContext, options: PgServerOptions = {}): Promise<PgServer> {
  const statements: string[] = [];
  const syncs: (readonly Row[])[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    serve(socket, options, { statements, syncs });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A TCP server's address is always one with a port.
  const { port } = server.address() as AddressInfo;
  return { port, statements, syncs, connections: () => connections };
}

const READY = message('Z', Buffer.from('I'));
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

function errorOf(code: string, text: string, severity = 'ERROR'): Buffer {
  return message('E', `S${severity}`, `C${code}`, `M${text}`, Buffer.from([0]));
}

function serve(
  socket: Socket,
  { answer, password, refuses }: PgServerOptions,
  seen: { statements: string[]; syncs: (readonly Row[])[] },
): void {
  let bytes: Buffer = Buffer.alloc(0);
  let isStarted = false;
  let rows: Row[] = [];
  let isSkipping = false;
  const letIn = (): void => void socket.write(Buffer.concat([message('R', int32(0)), READY]));

  function sync(): void {
    if (isSkipping) {
      isSkipping = false;
      rows = [];
      socket.write(READY);
      return;
    }
    const taken = rows;
    rows = [];
    if (taken.length === 0) return void socket.write(READY);
    seen.syncs.push(taken);
    const what = answer?.(taken, seen.syncs.length) ?? { kind: 'counts', counts: taken.map(() => 1) };
    switch (what.kind) {
      case 'counts':
        for (const count of what.counts) socket.write(message('C', `INSERT 0 ${count}`));
        return void socket.write(READY);
      case 'error':
        for (let time = 0; time < (what.times ?? 1); time += 1)
          socket.write(errorOf(what.code, what.message));
        return void socket.write(READY);
      case 'reset':
        return void socket.resetAndDestroy();
      case 'garbage':
        return void socket.write(message('C', 'DELETE 7'), () => socket.write(READY));
      case 'silence':
        return;
    }
  }

  function take(type: string, body: Buffer): void {
    switch (type) {
      case 'p':
        if (body.toString('utf8', 0, body.length - 1) === password) return letIn();
        socket.end(errorOf('28000', 'password authentication failed for user "crate"', 'FATAL'));
        return;
      case 'P':
        seen.statements.push(
          body.toString('utf8', body.indexOf(0) + 1, body.indexOf(0, body.indexOf(0) + 1)),
        );
        return void socket.write(message('1'));
      case 'B': {
        if (isSkipping) return;
        const { values } = bindOf(body);
        if (refuses?.(values) === true) {
          isSkipping = true;
          return void socket.write(errorOf('XX000', 'For input string: "x"'));
        }
        rows.push(values);
        return void socket.write(message('2'));
      }
      case 'S':
        return sync();
      default:
    }
  }

  socket.on('error', () => undefined);
  socket.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece]);
    if (!isStarted) {
      const length = bytes.length >= 4 ? bytes.readUInt32BE(0) : Infinity;
      if (bytes.length < length) return;
      bytes = bytes.subarray(length);
      isStarted = true;
      if (password === undefined) letIn();
      else socket.write(message('R', int32(3)));
    }
    const { messages, length } = messagesIn(bytes);
    bytes = bytes.subarray(length);
    for (const { type, body } of messages) take(type, body);
  });
}
