/** The recordings of a real CrateDB, and how an answer of ours is compared with one. */
import { readFileSync } from 'node:fs';
import { request, type Agent } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyBase64?: string;
}

export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly bodyText?: string;
  readonly closed: boolean;
}

export interface Exchange {
  readonly request: RecordedRequest;
  readonly response: RecordedResponse;
}

export interface Recording {
  readonly id: string;
  readonly title: string;
  readonly area: string;
  readonly node: string;
  readonly setup?: readonly string[];
  readonly request?: RecordedRequest;
  readonly response?: RecordedResponse;
  readonly steps?: readonly Exchange[];
  readonly after?: readonly { readonly stmt: string; readonly status: number; readonly rowsText: string }[];
}

interface Recordings {
  readonly cases: readonly Recording[];
}

export function readRecordings(): readonly Recording[] {
  const file = join(import.meta.dirname, '..', 'fixtures', 'recordings.json');
  const recordings = JSON.parse(readFileSync(file, 'utf8')) as Recordings;
  return recordings.cases;
}

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends one recorded request over the agent's connection. */
export function send(url: string, recorded: RecordedRequest, agent: Agent): Promise<Received> {
  const body = bodyOf(recorded);
  return new Promise((resolve, reject) => {
    // Without it, node's client sends the body of a GET or DELETE unannounced.
    const length =
      recorded.headers['Transfer-Encoding'] === undefined && body.length > 0
        ? { 'Content-Length': body.length }
        : {};
    const options = { method: recorded.method, headers: { ...recorded.headers, ...length }, agent };
    const outgoing = request(`${url}${recorded.path}`, options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const headers = Object.fromEntries(
          Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
        );
        resolve({ status: incoming.statusCode ?? 0, headers, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body.length > 0 ? body : undefined);
  });
}

function bodyOf(recorded: RecordedRequest): Buffer {
  // A chunked body was recorded with its chunks; node makes its own.
  if (recorded.bodyBase64 !== undefined && recorded.headers['Transfer-Encoding'] === undefined)
    return Buffer.from(recorded.bodyBase64, 'base64');
  const plain = Buffer.from(wholeBody(recorded.body ?? ''));
  return recorded.headers['Content-Encoding'] === 'gzip' ? gzipSync(plain) : plain;
}

/** Long bodies of one repeated letter are shortened in the recordings. */
function wholeBody(body: string): string {
  return body.replace(/(.)<\.\.\. (\d+) characters left out \.\.\.>/, (_, letter: string, count: string) =>
    letter.repeat(Number(count) + 1),
  );
}

/** One statement, as the recordings' setup has it. */
export async function run(url: string, stmt: string, agent: Agent): Promise<Received> {
  return send(
    url,
    {
      method: 'POST',
      path: '/_sql',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ stmt }),
    },
    agent,
  );
}

/** The parts of an answer that differ from run to run, masked as in the recordings. */
export function masked(text: string): string {
  return text
    .replace(/"duration":[-\d.E]+/, '"duration":"<duration>"')
    .replaceAll(/_check_[0-9a-fA-F]{12}/g, '_check_<id>')
    .replace(/("error_trace":".*?\\n).*?"/, '$1<trace>"');
}

/** The rows of an answer, byte for byte. */
export function rowsText(text: string): string {
  const start = text.indexOf('"rows":') + '"rows":'.length;
  return text.slice(start, text.lastIndexOf(',"rowcount":'));
}

/** The recorded body as text. */
export function expectedText(response: RecordedResponse): string {
  return (
    response.bodyText ?? (typeof response.body === 'string' ? response.body : JSON.stringify(response.body))
  );
}
