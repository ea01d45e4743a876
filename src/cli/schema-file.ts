/** Schema files have their place on the command line before they are supported: what is missing is told apart. */
import { access, constants } from 'node:fs/promises';
import { printable } from '../base/text.ts';
import { whyUnreadable } from './secrets.ts';

/** Why this schema file cannot be used: it cannot be read, or it is too early for it. */
export async function schemaFileProblem(name: string, path: string): Promise<string> {
  try {
    await access(path, constants.R_OK);
    return `${name} ${printable(path)}: schema files are not supported yet`;
  } catch (error) {
    return `${name} ${printable(path)}: ${whyUnreadable(error)}`;
  }
}
