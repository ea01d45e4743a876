/** C of the benchmarks, compiled for the machine that it runs on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

const COMPILERS = ['gcc', 'cc'] as const;
const FLAGS = ['-std=gnu11', '-O3', '-march=native', '-Wall', '-Wextra'] as const;
const COMPILE_TIMEOUT_MS = 120_000;

/**
 * The path of the program that this C text, or this file, becomes, alone in a temporary folder; null, with a line
 * on standard error, without a C compiler. Throws what the compiler says where it finds the text wrong.
 */
export async function compileC(source: string | { readonly file: string }): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'crategen-c-'));
  const program = join(folder, 'program');
  const isText = typeof source === 'string';
  const input = isText ? ['-x', 'c', '-'] : [source.file];
  for (const compiler of COMPILERS) {
    const result = await execa(compiler, [...FLAGS, '-o', program, ...input], {
      reject: false,
      timeout: COMPILE_TIMEOUT_MS,
      ...(isText && { input: source }),
    });
    if (result.code === 'ENOENT') continue;
    if (!result.failed) return program;
    await removeProgram(program);
    throw new Error(`${compiler} does not compile it: ${result.stderr}`, { cause: result });
  }
  await removeProgram(program);
  process.stderr.write(`there is no C compiler (${COMPILERS.join(', ')})\n`);
  return null;
}

/** Deletes a program of `compileC()` and its folder. */
export async function removeProgram(program: string): Promise<void> {
  await rm(dirname(program), { recursive: true });
}
