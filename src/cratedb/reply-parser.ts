/**
 * undici reads replies with a parser in WebAssembly, its largest function 33 kB. V8 compiles that a second time after a
 * hundred and forty pieces of replies, which takes 80 ms of CPU and pays after more than a thousand. So the parser gets a
 * budget of its own (docs/decisions/0018-the-parser-is-compiled-late.md); other modules keep V8's.
 */
import { setFlagsFromString } from 'node:v8';

/** V8 counts down roughly a byte of code for each byte that runs: its own budget, and one that half a million rows do not spend. */
const BUDGET = { usual: 13_000_000, parser: 400_000_000 } as const;

/**
 * To be called before the first connection of the process, and what it returns when there is one: a module's budget
 * is set when it is made. Left as it was, the flag would make compiled code that is kept unfit for the next start.
 */
export function deferTierUp(): () => void {
  setFlagsFromString(`--wasm-tiering-budget=${BUDGET.parser}`);
  return () => setFlagsFromString(`--wasm-tiering-budget=${BUDGET.usual}`);
}
