/** What this process can truthfully say of its own load, where CrateDB tells of a node's: CPU, heap and its INSERTs. */
import { loadavg } from 'node:os';

export interface OwnLoad {
  /** Of one core, which is all that a process of JavaScript has; null before a second has passed. */
  readonly cpuPercent: number | null;
  /** Of the host, over 1, 5 and 15 minutes. */
  readonly loads: readonly [number, number, number];
  readonly inserts: { readonly count: number; readonly durationMs: number };
}

/** As the server, which looks at its CPU once a second at most. */
const CPU_AGE_MS = 1000;

/** Meters this process from the moment it was made. */
export class LoadMeter {
  readonly #nowMs: () => number;
  #cpu = process.cpuUsage();
  #readAtMs: number;
  #cpuPercent: number | null = null;
  #inserts = { count: 0, durationMs: 0 };

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#readAtMs = nowMs();
  }

  /** An INSERT has been answered, so long after it had come. */
  insertEnded(durationMs: number): void {
    this.#inserts = {
      count: this.#inserts.count + 1,
      durationMs: this.#inserts.durationMs + durationMs,
    };
  }

  read(): OwnLoad {
    const sinceMs = this.#nowMs() - this.#readAtMs;
    if (sinceMs >= CPU_AGE_MS) {
      const { user, system } = process.cpuUsage(this.#cpu);
      this.#cpuPercent = Math.round((user + system) / sinceMs / 10);
      this.#cpu = process.cpuUsage();
      this.#readAtMs += sinceMs;
    }
    const [one = 0, five = 0, fifteen = 0] = loadavg();
    return { cpuPercent: this.#cpuPercent, loads: [one, five, fifteen], inserts: this.#inserts };
  }
}
