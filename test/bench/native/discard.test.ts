import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import type { DiscardTask } from '../discard-target.ts';
import { discardAnswers } from '../discard-answers.ts';
import { type DiscardProcess, withDiscard, withNativeDiscard } from '../fork-discard.ts';

const TASK: DiscardTask = { rows: 3, latencyMs: 5 };
/** More than a socket takes at once. */
const BODY = Buffer.alloc(10_000_000, 0x20);

test('Both targets answer a body of any size with one result for each row, after the latency, and greet without.', async () => {
  const { reply, greeting } = discardAnswers(TASK.rows);
  const seen: string[][] = [];
  const see = async ({ url }: DiscardProcess): Promise<void> => {
    const startedMs = performance.now();
    const posted = [await ask(url, 'POST', BODY), await ask(url, 'POST', Buffer.from('{}'))];
    assert.ok(performance.now() - startedMs >= 2 * TASK.latencyMs - 1, 'each answer waits');
    seen.push([...posted, await ask(url, 'GET', null)]);
  };
  await withDiscard(TASK, see);
  await withNativeDiscard(TASK, see);
  for (const answers of seen)
    assert.deepEqual(answers, [bodyOf(reply), bodyOf(reply), bodyOf(greeting)], 'the same from both');
});

function bodyOf(answer: Buffer): string {
  return answer.toString('latin1').split('\r\n\r\n')[1] ?? '';
}

function ask(url: string, method: 'GET' | 'POST', body: Buffer | null): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/_sql`, { method }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
