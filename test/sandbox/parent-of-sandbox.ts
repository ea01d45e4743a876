/** Fixture: starts a sandbox, says where, and waits to be killed. */
import { forkSandbox } from '../../src/sandbox/fork-sandbox.ts';

const { url, pid } = await forkSandbox();
process.send?.({ url, pid });
setInterval(() => undefined, 60_000);
