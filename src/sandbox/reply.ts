/** Replies as values, and how they reach the wire: the server's headers and nothing that node adds of itself. */
import type { ServerResponse } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Closes the connection after it; the server never says so in a header, except where `headers` does. */
  readonly close: boolean;
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=UTF-8' } as const;

export function jsonReply(status: number, body: string | Buffer): Reply {
  return { status, headers: JSON_HEADERS, body, close: false };
}

export function textReply(
  status: number,
  body: string,
  close = false,
  headers: Reply['headers'] = {},
): Reply {
  return { status, headers, body, close };
}

/** The names of statuses that the server writes in its own way. */
const REASONS: Readonly<Record<number, string>> = { 413: 'Request Entity Too Large' };

/** Head and body at once, with Content-Length. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  writeHead(response, reply);
  response.end(reply.body);
}

/** The head of a reply, with `length` as Content-Length or, for null, chunked. */
export function writeHead(
  response: ServerResponse,
  reply: Reply,
  length: number | null = Buffer.byteLength(reply.body),
): void {
  response.sendDate = false;
  if (reply.close) response.shouldKeepAlive = false;
  // Taken out before it is set, it stays out; the connection is kept or closed all the same.
  if (reply.headers['connection'] === undefined) response.removeHeader('connection');
  const headers = length === null ? reply.headers : { ...reply.headers, 'content-length': String(length) };
  const reason = REASONS[reply.status];
  if (reason === undefined) response.writeHead(reply.status, headers);
  else response.writeHead(reply.status, reason, headers);
}
