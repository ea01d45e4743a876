/**
 * V8 on one thread, for processes that are one of many on few cores: its other threads need 10 MB of their own, wake the
 * machine, and take more CPU for the same than the main thread does.
 */
import { boundGarbage } from './garbage-bound.ts';

/**
 * Compiling and collecting is left to the main thread from now on, each in one go: in small steps a collection of these
 * small heaps takes three times as long. V8 then looks for its limit late, so garbage is bounded too. `flags` are set with
 * it.
 *
 * `needed` are the modules of Node that the process will use. They are loaded first: the code that Node brings compiled
 * fits no other flags, and without it loading them takes twice as long. To be called before anything large is loaded.
 */
export function keepToOneThread(needed: readonly string[], flags: readonly string[] = []): void {
  for (const name of needed) process.getBuiltinModule(name);
  // Not imported: a command that sets no flags does not load it.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  for (const flag of ['--efficiency-mode', '--no-incremental-marking', ...flags]) setFlagsFromString(flag);
  boundGarbage();
}
