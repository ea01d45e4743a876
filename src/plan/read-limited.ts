/**
 * The text of a small file that a person wrote: settings, schemas, values. Nothing larger is read, and nothing that
 * is no file: neither can make the command wait or fill its memory.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { messageOf, systemCodeOf } from '../base/errors.ts';

/** Larger files are refused unread. */
export const MAX_FILE_BYTES = 2 ** 20;

export type LimitedText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' | 'refused'; readonly why: string };

/** The file's text, read once through one descriptor, so that it cannot grow between a check and the reading. */
export async function readLimited(path: string): Promise<LimitedText> {
  try {
    // Without O_NONBLOCK opening a named pipe would wait for a writer.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const facts = await file.stat();
      if (!facts.isFile()) return { kind: 'refused', why: 'not a regular file' };
      const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      if (bytesRead > MAX_FILE_BYTES || facts.size > MAX_FILE_BYTES) {
        return { kind: 'refused', why: 'larger than 1 MiB' };
      }
      return { kind: 'text', text: buffer.toString('utf8', 0, bytesRead) };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT') return { kind: 'missing', why: 'no such file' };
    return { kind: 'refused', why: `cannot be read (${code === '' ? messageOf(error) : code})` };
  }
}
