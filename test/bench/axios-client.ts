/**
 * The client that the first mark is compared with: what a careful author writes in ten lines with axios. One agent
 * that keeps connections, as many requests in flight as crategen has, every reply parsed and looked at.
 */
import { Agent } from 'node:http';
import axios, { type AxiosRequestConfig } from 'axios';

/**
 * How the ready body is given to axios: as bytes, which it passes on as they are; as a string with its own handling
 * switched off; or as a string with its defaults, which parse a JSON string once more to see that it is JSON.
 */
export type AxiosBody = 'bytes' | 'string' | 'defaults';

export interface AxiosLoad {
  readonly url: string;
  readonly batchSize: number;
  readonly inFlight: number;
  readonly bodies: readonly Uint8Array[];
  readonly as: AxiosBody;
}

export interface AxiosClient {
  send(batches: number): Promise<void>;
  close(): Promise<void>;
}

interface Post {
  readonly url: string;
  readonly batchSize: number;
  readonly inFlight: number;
}

/** Sends batches as `openLoop` does, with axios. */
export function openAxios(load: AxiosLoad): AxiosClient {
  const { as } = load;
  const bodies = load.bodies.map((body) => {
    const bytes = Buffer.from(body);
    return as === 'bytes' ? bytes : bytes.toString('utf8');
  });
  const asItIs = { transformRequest: [(body: unknown) => body] };
  return openPosts(load, (batch) => bodies[batch % bodies.length], as === 'string' ? asItIs : {});
}

/** Sends batches whose rows are made on the way, as values that axios turns into JSON: the plain client. */
export function openPlainAxios(
  load: Post & { readonly statement: string; readonly rowOf: (seq: number) => readonly unknown[] },
): AxiosClient {
  const { batchSize, statement, rowOf } = load;
  const bodyOf = (batch: number): unknown => ({
    stmt: statement,
    bulk_args: Array.from({ length: batchSize }, (_, at) => rowOf(batch * batchSize + at)),
  });
  return openPosts(load, bodyOf, {});
}

function openPosts(post: Post, bodyOf: (batch: number) => unknown, more: AxiosRequestConfig): AxiosClient {
  const { url, batchSize, inFlight } = post;
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const options = {
    httpAgent: agent,
    headers: { 'content-type': 'application/json' },
    maxBodyLength: Infinity,
    ...more,
  };

  async function sendBatch(batch: number): Promise<number> {
    const reply = await axios.post<unknown>(`${url}/_sql`, bodyOf(batch), options);
    return storedRows(reply.data);
  }

  async function send(batches: number): Promise<void> {
    let [next, stored] = [0, 0];
    const slot = async (): Promise<void> => {
      while (next < batches) {
        const rows = await sendBatch(next++);
        stored += rows;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, slot));
    if (stored !== batches * batchSize)
      throw new Error(`${stored} of ${batches * batchSize} rows were stored`);
  }
  return { send, close: async () => agent.destroy() };
}

/** Rows that the reply calls stored. */
function storedRows(reply: unknown): number {
  if (typeof reply !== 'object' || reply === null || !('results' in reply)) throw new Error('no results');
  const { results } = reply;
  if (!Array.isArray(results)) throw new Error('results are no list');
  return results.reduce((sum: number, each: unknown) => sum + rowcountOf(each), 0);
}

function rowcountOf(result: unknown): number {
  if (typeof result !== 'object' || result === null || !('rowcount' in result)) return 0;
  return typeof result.rowcount === 'number' ? result.rowcount : 0;
}
