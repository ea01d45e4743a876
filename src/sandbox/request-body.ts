/** Reads a request's body within the size limit, chunked or not, and takes gzip and deflate off. */
import type { IncomingMessage } from 'node:http';
import { constants, crc32, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

export type BodyResult =
  | { readonly kind: 'body'; readonly body: Buffer }
  /** `close`: the server cannot find the next request on this connection any more. */
  | { readonly kind: 'tooLarge'; readonly close: boolean }
  /** A failure in the pipeline before the SQL handler: text and close. */
  | { readonly kind: 'broken'; readonly message: string }
  | { readonly kind: 'aborted' };

/** Never rejects. `onHalf` is called once when half of an announced body has arrived. */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  onHalf?: (head: Buffer) => void,
): Promise<BodyResult> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    request.resume();
    return { kind: 'tooLarge', close: false };
  }
  const chunks: Buffer[] = [];
  let length = 0;
  let pendingHalf = onHalf;
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) continue;
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) return { kind: 'tooLarge', close: true };
      if (pendingHalf !== undefined && length * 2 >= announced) {
        pendingHalf(chunks[0] ?? chunk);
        pendingHalf = undefined;
      }
    }
  } catch {
    return { kind: 'aborted' }; // the client went away in the middle of its body
  }
  const [first] = chunks;
  const body = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, length);
  return decode(body, String(request.headers['content-encoding'] ?? '').toLowerCase(), maxBytes);
}

/** Unknown encodings pass through undecoded. */
function decode(body: Buffer, encoding: string, maxBytes: number): BodyResult {
  if (encoding !== 'gzip' && encoding !== 'x-gzip' && encoding !== 'deflate') return { kind: 'body', body };
  // A body that is cut off is taken as far as it goes.
  const options = { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    if (encoding !== 'deflate') return { kind: 'body', body: gunzipSync(body, options) };
    return { kind: 'body', body: isZlib(body) ? inflateSync(body, options) : inflateRawSync(body, options) };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'tooLarge', close: true };
    return { kind: 'broken', message: brokenMessage(body, encoding, error) };
  }
}

/** Zlib's two header bytes; raw DEFLATE has none. */
function isZlib(body: Buffer): boolean {
  const [method = 0, flags = 0] = body;
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0;
}

const GZIP_HEADER_BYTES = 10;

function brokenMessage(body: Buffer, encoding: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (encoding === 'deflate' || !text.includes('incorrect data check')) return text;
  const expected = body.readUInt32LE(body.length - 8);
  const content = inflateRawSync(body.subarray(GZIP_HEADER_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  return `CRC value mismatch. Expected: ${expected}, Got: ${crc32(content)}`;
}
