/** What a discarding target answers, whoever runs it: to every POST that all is stored, to all else who it is. */

/** What a client asks first, to see who is there: it must know that nothing is stored. */
const GREETING = JSON.stringify({
  ok: true,
  status: 200,
  name: 'discard',
  cluster_name: 'discard',
  version: { number: '6.4.3' },
  crategen: { kind: 'discard' },
});

/** A complete HTTP answer with a JSON body. */
function answer(body: string): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
  );
}

/** Complete answers to a POST of so many rows, and to anything else. */
export function discardAnswers(rows: number): { readonly reply: Buffer; readonly greeting: Buffer } {
  const results = new Array<string>(rows).fill('{"rowcount":1}').join(',');
  return { reply: answer(`{"cols":[],"duration":0.125,"results":[${results}]}`), greeting: answer(GREETING) };
}
