/**
 * A small server of the PostgreSQL protocol for tests: it answers Bind, Execute and Sync as CrateDB does, keeps what
 * it was sent, and fails as it is told.
 */
import { once } from 'node:events';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { bindOf, message, messagesIn } from './pg-messages.ts';

type Row = readonly (string | null)[];

/** What becomes of the rows of one Sync. */
export type PgAnswer =
  | { readonly kind: 'counts'; readonly counts: readonly number[] }
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly times?: number }
  | { readonly kind: 'reset' | 'silence' | 'garbage' };

export interface PgServerOptions {
  readonly answer?: (rows: readonly Row[], sync: number) => PgAnswer;
  /** How many rows a SELECT gives; none unless set. */
  readonly select?: (statement: string) => number;
  readonly password?: string;
  /** Who asks for TLS gets it; without this he hears that there is none. */
  readonly tls?: TlsOptions;
  /** Refuses a value that it cannot take at once, as Bind does. */
  readonly refuses?: (row: Row) => boolean;
}

export interface PgServer {
  readonly port: number;
  /** Statements as they were prepared. */
  readonly statements: readonly string[];
  readonly syncs: readonly (readonly Row[])[];
  readonly connections: () => number;
  /** Clients that came as far as to name themselves. */
  readonly logIns: () => number;
}

export async function pgServerFor(context: TestContext, options: PgServerOptions = {}): Promise<PgServer> {
  const statements: string[] = [];
  const syncs: (readonly Row[])[] = [];
  const sockets = new Set<Socket>();
  let [connections, logIns] = [0, 0];
  const onLogIn = (): number => (logIns += 1);
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    void negotiated(socket, options.tls).then((agreed) =>
      serve(agreed, options, { statements, syncs, onLogIn }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A TCP server's address is always one with a port.
  const { port } = server.address() as AddressInfo;
  return { port, statements, syncs, connections: () => connections, logIns: () => logIns };
}

const SSL_REQUEST = 80_877_103;

/** The connection as both sides go on with it, nothing read of it yet but a request for TLS. */
async function negotiated(socket: Socket, tls: TlsOptions | undefined): Promise<Socket> {
  socket.on('error', () => undefined);
  await once(socket, 'readable');
  // Eight bytes in one piece: what a client sends first.
  const first: Buffer | null = socket.read();
  if (first?.length !== 8 || first.readUInt32BE(4) !== SSL_REQUEST) {
    if (first !== null) socket.unshift(first);
    return socket;
  }
  socket.write(tls === undefined ? 'N' : 'S');
  return tls === undefined ? socket : new TLSSocket(socket, { ...tls, isServer: true });
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
  { answer, select, password, refuses }: PgServerOptions,
  seen: { statements: string[]; syncs: (readonly Row[])[]; onLogIn: () => void },
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
      case 'Q': {
        const statement = body.toString('utf8', 0, body.length - 1);
        return void socket.write(Buffer.concat([message('C', `SELECT ${select?.(statement) ?? 0}`), READY]));
      }
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
      seen.onLogIn();
      if (password === undefined) letIn();
      else socket.write(message('R', int32(3)));
    }
    const { messages, length } = messagesIn(bytes);
    bytes = bytes.subarray(length);
    for (const { type, body } of messages) take(type, body);
  });
}
