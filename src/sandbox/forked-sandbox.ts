/** The sandbox in a process of its own, as its parent orders it. */
import { CrategenError, messageOf } from '../base/errors.ts';
import type { SandboxOrder, SandboxReport } from './fork-sandbox.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from './server.ts';

/** From its parent's order to its end; `orphaned` resolves when the parent is gone. */
export async function serveParent(orphaned: Promise<void>): Promise<void> {
  const options = await new Promise<SandboxOptions>((resolve) => {
    // The parent and this file are of one build: the message is the type it is sent as.
    process.once('message', (order: SandboxOrder) => resolve(order.type === 'start' ? order.options : {}));
  });
  const sandbox = await startOrReport(options);
  if (sandbox === null) {
    process.exitCode = 1;
  } else {
    const stopped = new Promise<void>((resolve) => process.once('message', () => resolve()));
    await report({ type: 'ready', url: sandbox.url });
    await Promise.race([stopped, orphaned.then(() => sandbox.unused())]);
    await sandbox.close();
  }
  if (process.connected) process.disconnect();
}

async function startOrReport(wanted: SandboxOptions): Promise<Sandbox | null> {
  try {
    return await startSandbox(wanted);
  } catch (error) {
    const kind = error instanceof CrategenError && error.code === 'usage' ? 'usage' : 'target';
    const hint = error instanceof CrategenError ? (error.hint ?? null) : null;
    await report({ type: 'failed', kind, message: messageOf(error), hint });
    return null;
  }
}

function report(message: SandboxReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve();
    process.send(message, () => resolve());
  });
}
