/** Reads the answer to `GET /`: who is there, and whether it takes requests. */
import type { TargetKind } from '../base/target-kind.ts';
import { type Condition } from './classes.ts';
import type { FailureClass } from './outcome.ts';
import { type BulkReply, exampleOf, isRecord } from './reply.ts';

export type NodeGreeting =
  | {
      readonly ok: true;
      readonly version: string;
      readonly clusterName: string;
      readonly name: string;
      readonly kind: TargetKind;
    }
  | {
      readonly ok: false;
      readonly class: FailureClass;
      readonly condition: Condition;
      readonly message: string;
    };

/** A greeting from any answer; `clean` removes secrets from its text. Never throws. */
export function readGreeting(reply: BulkReply, clean: (text: string) => string): NodeGreeting {
  const text = Buffer.from(reply.body).toString('utf8');
  const failed = (name: FailureClass, condition: Condition): NodeGreeting => ({
    ok: false,
    class: name,
    condition,
    message: exampleOf(`HTTP ${reply.status}: ${text}`, clean),
  });
  if (reply.status === 401) return failed('unauthorized', 'troubled');
  // A node that joins, or whose cluster has no master.
  if (reply.status === 503) return failed('noMaster', 'unreachable');
  if (reply.status === 429) return failed('overloaded', 'overloaded');
  if (reply.status >= 300 && reply.status < 400) return failed('redirect', 'troubled');
  const greeting = reply.status === 200 ? parseGreeting(text) : null;
  return greeting ?? failed(reply.status >= 500 ? 'serverError' : 'badReply', 'troubled');
}

function parseGreeting(text: string): NodeGreeting | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || !isRecord(value['version'])) return null;
  const { name, cluster_name: clusterName, version, crategen } = value;
  const { number } = version;
  if (typeof number !== 'string' || typeof clusterName !== 'string' || typeof name !== 'string') return null;
  return { ok: true, version: number, clusterName, name, kind: kindOf(crategen) };
}

/** Our own sandbox names itself in the key `crategen`. */
function kindOf(crategen: unknown): TargetKind {
  if (!isRecord(crategen)) return 'cratedb';
  return crategen['kind'] === 'discard' ? 'discard' : 'sandbox';
}
