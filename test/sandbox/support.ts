/** Helpers of the sandbox's tests: statements, what became of their rows, and a socket to see raw bytes. */
import { connect } from 'node:net';
import { type Posted, post } from '../support/sandbox.ts';

export const TABLE = 'CREATE TABLE t.r (id INT PRIMARY KEY, x TEXT) CLUSTERED INTO 1 SHARDS';
export const INSERT = 'INSERT INTO t.r (id, x) VALUES (?, ?)';

export interface BulkResult {
  readonly rowcount: number;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Inserts rows with these ids. */
export async function insert(url: string, ids: readonly number[]): Promise<Posted> {
  return post(url, { stmt: INSERT, bulk_args: ids.map((id) => [id, 'x']) });
}

export function resultsOf(posted: Posted): readonly BulkResult[] {
  const answer = JSON.parse(posted.text) as { readonly results: readonly BulkResult[] };
  return answer.results;
}

export interface RawAnswer {
  readonly bytes: string;
  /** Code of the error that ended the connection, or '' for an orderly end. */
  readonly error: string;
}

/** Sends bytes over a socket of its own; resolves at the end of the connection, or as soon as `enough` says so. */
export async function raw(
  port: number,
  request: string,
  enough: (bytes: string) => boolean = () => false,
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  let [bytes, error] = ['', ''];
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.toString('latin1');
    if (enough(bytes)) socket.destroy();
  });
  socket.on('error', (reason: NodeJS.ErrnoException) => (error = reason.code ?? ''));
  socket.write(request);
  // Not once(): it would reject with the error that is part of the answer here.
  await new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { bytes, error };
}

/** A request to `/_sql` as it stands on the wire. */
export function wire(body: unknown, length?: number): string {
  const text = JSON.stringify(body);
  return `POST /_sql HTTP/1.1\r\nHost: x\r\nContent-Length: ${length ?? Buffer.byteLength(text)}\r\n\r\n${text}`;
}
