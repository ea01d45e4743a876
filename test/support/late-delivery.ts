/** A TCP proxy that keeps one INSERT to itself, and delivers it only when its client has long given up. */
import net from 'node:net';
import type { TestContext } from 'node:test';
import { tcpProxy } from './tcp-proxy.ts';

/** Its address, for the scheme http. The first INSERT arrives `lateMs` after its connection was closed. */
export async function lateDelivery(
  context: Pick<TestContext, 'after'>,
  target: string,
  lateMs: number,
): Promise<string> {
  const { hostname, port } = new URL(target);
  let hasKept = false;
  return await tcpProxy(context, target, (inner, outer) => {
    outer.pipe(inner);
    let kept: Buffer[] | null = null;
    inner.on('data', (bytes) => {
      if (!hasKept && bytes.includes('INSERT INTO')) [hasKept, kept] = [true, []];
      if (kept === null) outer.write(bytes);
      else kept.push(bytes);
    });
    inner.on('close', () => {
      if (kept === null) return;
      const late = Buffer.concat(kept);
      setTimeout(() => net.connect(Number(port), hostname).end(late).resume(), lateMs);
    });
  });
}
