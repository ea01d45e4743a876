/** What faults do to a request: instead of it, to its rows, and to the reply on its way out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { formatFailure } from './answers.ts';
import type { Answer } from './engine/engine.ts';
import { BLOCKS, SqlFailure, blocked, duplicateKey } from './failure.ts';
import { unitHash, type Fault } from './faults.ts';
import type { ElementResult } from './engine/insert.ts';
import { jsonReply, sendReply, textReply, writeHead, type Reply } from './reply.ts';

/** Milliseconds that the faults of one request hold it back. */
export function delayOf(faults: readonly Fault[], requestNumber: number): number {
  let delayMs = 0;
  for (const { delayMs: range, text } of faults) {
    if (range !== null)
      delayMs += range[0] + (range[1] - range[0]) * unitHash(requestNumber, `delay ${text}`);
  }
  return delayMs;
}

/** The answer of a fault that keeps the statement from running, or null. */
export function replyInstead(faults: readonly Fault[]): Reply | null {
  for (const fault of faults) {
    const reply = insteadOf(fault);
    if (reply !== null) return reply;
  }
  return null;
}

const ONE_YEAR_MS = 365 * 86_400_000;

function insteadOf(fault: Fault): Reply | null {
  switch (fault.name) {
    case '429':
    case '503':
      return textReply(Number(fault.name), '', false, retryHeaders(fault.argument));
    case '401':
      return textReply(401, 'password authentication failed for user "crate"\n', true, {
        'www-authenticate': 'Basic realm="CrateDB Authenticator"',
      });
    case 'redirect':
      return textReply(307, '', false, { location: 'http://127.0.0.1:1/_sql' });
    case 'not-recovered':
      return failureReply(new SqlFailure(404, 4045, "SchemaUnknownException[Schema 'crategen' unknown]"));
    default:
      return null;
  }
}

function failureReply(failure: SqlFailure): Reply {
  return jsonReply(failure.status, formatFailure(failure, { types: false, errorTrace: false }));
}

function retryHeaders(argument: string): Reply['headers'] {
  if (argument === '') return {};
  const value = argument === 'date' ? new Date(Date.now() + ONE_YEAR_MS / 365).toUTCString() : argument;
  return { 'retry-after': value };
}

/** Which rows fail without being stored, and why. */
export function refusedRows(
  faults: readonly Fault[],
  rows: number,
  insertNumber: number,
): ReadonlyMap<number, SqlFailure | 'bare'> {
  const refused = new Map<number, SqlFailure | 'bare'>();
  for (const fault of faults) {
    const failure = rowFailure(fault);
    if (failure === null) continue;
    for (let row = 0; row < rows; row += 1) if (hitsRow(fault, row, insertNumber)) refused.set(row, failure);
  }
  return refused;
}

function hitsRow(fault: Fault, row: number, insertNumber: number): boolean {
  return fault.rowShare >= 1 || unitHash(row, `row ${insertNumber} ${fault.text}`) < fault.rowShare;
}

function rowFailure(fault: Fault): SqlFailure | 'bare' | null {
  switch (fault.name) {
    case 'overload':
      return new SqlFailure(
        500,
        5000,
        `EsRejectedExecutionException[rejected execution of processing of [1][internal:crate:sql/data/write[p]]: request: ShardRequest{, shardId=[sandbox][0], timeout=1m}, target allocation id: sandbox, primary term: 1 on EsThreadPoolExecutor[name = sandbox/write, queue capacity = 2000]]`,
      );
    case 'breaker':
      return new SqlFailure(
        500,
        5000,
        "CircuitBreakingException[Allocating 121.9kb for 'upsert request' failed, breaker would use 121.9kb in total. Limit is 1b. Either increase memory and limit, change the query or reduce concurrent query load]",
      );
    case 'unavailable':
      return new SqlFailure(
        500,
        5002,
        'UnavailableShardsException[[sandbox][0] primary shard is not active Timeout: [1m], request: [ShardUpsertRequest{sandbox}]]',
      );
    case 'blocked':
      return blocked(
        fault.argument === '4033'
          ? BLOCKS.readOnly
          : fault.argument === '4035'
            ? BLOCKS.write
            : BLOCKS.readOnlyAllowDelete,
      );
    case 'bare':
      return 'bare';
    default:
      return null;
  }
}

/** The failures put back between the results of the rows that were run. */
export function withRefused(
  results: readonly ElementResult[],
  refused: ReadonlyMap<number, SqlFailure | 'bare'>,
  rows: number,
): readonly ElementResult[] {
  const left = results[Symbol.iterator]();
  return Array.from({ length: rows }, (_, row): ElementResult => {
    const failure = refused.get(row);
    if (failure !== undefined) return { rowcount: -2, failure: failure === 'bare' ? null : failure };
    return left.next().value ?? { rowcount: 0, failure: null };
  });
}

/** Stored rows that are said to be duplicates, and results that go missing. */
export function falsified(answer: Answer, faults: readonly Fault[], insertNumber: number): Answer {
  if (answer.kind !== 'bulk') return answer;
  let results = answer.results;
  for (const fault of faults) {
    if (fault.name === 'own-duplicate') {
      results = results.map((result, row) =>
        result.rowcount > 0 && hitsRow(fault, row, insertNumber)
          ? { rowcount: -2, failure: duplicateKey() }
          : result,
      );
    }
    if (fault.name === 'wrong-results') results = results.slice(0, -1);
  }
  return { kind: 'bulk', results };
}

const DRIP_MS = 300;
const LARGE_HEADER_CHARACTERS = 100_000;
const BOMB_PART_BYTES = 16 * 2 ** 20;
const BOMB_PARTS = 64;

/** Sends a reply as its faults have it. Never waits for the client. */
export function sendFaulty(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  faults: readonly Fault[],
): void {
  const fault = faults.find(({ name }) => WIRE_FAULTS.has(name));
  if (fault === undefined) return sendReply(response, reply);
  const body = Buffer.from(reply.body);
  const half = body.subarray(0, Math.floor(body.length / 2));
  switch (fault.name) {
    case 'silence':
      return;
    case 'reset':
      return reset(request, response, reply, half, fault.argument);
    case 'truncated':
      writeHead(response, reply, body.length);
      response.write(half, () => request.socket.end());
      return;
    case 'wrong-length':
      writeHead(response, { ...reply, close: true }, body.length + 10);
      response.write(body, () => request.socket.end());
      return;
    case 'invalid-json':
      return sendReply(response, { ...reply, body: Buffer.concat([half, Buffer.from('\u0000}}]')]) });
    case 'no-rowcount':
      return sendReply(response, { ...reply, body: body.toString().replaceAll(/"rowcount":-?\d+,?/g, '') });
    case 'drip':
      return drip(response, reply, body);
    case 'endless':
      return endless(response, reply);
    case 'big-header':
      return sendReply(response, {
        ...reply,
        headers: { ...reply.headers, 'x-large': 'x'.repeat(LARGE_HEADER_CHARACTERS) },
      });
    default:
      return sendReply(response, {
        ...reply,
        headers: { ...reply.headers, 'content-encoding': 'gzip' },
        body: gzipBomb(),
      });
  }
}

const WIRE_FAULTS: ReadonlySet<string> = new Set([
  'silence',
  'reset',
  'truncated',
  'wrong-length',
  'invalid-json',
  'no-rowcount',
  'drip',
  'endless',
  'big-header',
  'gzip-bomb',
]);

function reset(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  half: Buffer,
  place: string,
): void {
  const { socket } = request;
  const breakOff = (): void => void socket.resetAndDestroy();
  if (place === 'mid-headers') {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: appli', breakOff);
  } else if (place === 'mid-body') {
    writeHead(response, reply);
    response.write(half, breakOff);
  } else {
    breakOff();
  }
}

function drip(response: ServerResponse, reply: Reply, body: Buffer): void {
  writeHead(response, reply, body.length);
  response.flushHeaders();
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, at + 1));
    at += 1;
    if (at < body.length) return;
    clearInterval(timer);
    response.end();
  }, DRIP_MS);
  response.once('close', () => clearInterval(timer));
}

/** Goes on for as long as the client reads. */
function endless(response: ServerResponse, reply: Reply): void {
  writeHead(response, reply, null);
  response.write('{"cols":[],"duration":1.0,"results":[');
  const piece = '{"rowcount":1},'.repeat(4096);
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
}

/** Many gzip members of zeros: small on the wire, 1 GiB when unpacked. */
function gzipBomb(): Buffer {
  const part = gzipSync(Buffer.alloc(BOMB_PART_BYTES));
  return Buffer.concat(new Array<Buffer>(BOMB_PARTS).fill(part));
}
