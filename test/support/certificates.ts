/** Certificates made for one test: an authority of its own and what it issues, as PEM texts and as files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { folderFor } from './folder.ts';

/** A reason to skip tests that need certificates, or false. */
export const NO_OPENSSL = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Issuing {
  /** Names as OpenSSL writes them (`IP:127.0.0.1,DNS:db`), or '' for a client. */
  readonly names: string;
  /** The common name: the user, where a client certificate names one. */
  readonly commonName?: string;
  /** From now; negative for a certificate that has expired. */
  readonly days?: number;
}

export interface Authority extends Certificate {
  issue(facts: Issuing): Certificate;
}

/** An authority whose certificates nobody else knows; its files are gone after the test. */
export function authority(context: Pick<TestContext, 'after'>): Authority {
  const folder = folderFor(context);
  const own = made(folder, 'authority', ['-x509', '-days', '2', '-subj', '/CN=crategen test authority']);
  let issued = 0;
  return {
    ...own,
    issue({ names, commonName = 'crategen test', days = 2 }) {
      issued += 1;
      const name = `issued-${issued}`;
      const request = join(folder, `${name}.csr`);
      const key = join(folder, `${name}.key`);
      openssl(['req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${commonName}`]);
      const extensions = join(folder, `${name}.ext`);
      writeFileSync(extensions, names === '' ? '' : `subjectAltName=${names}\n`);
      const cert = join(folder, `${name}.pem`);
      const by = ['-CA', own.certFile, '-CAkey', own.keyFile, '-CAcreateserial', '-days', String(days)];
      openssl(['x509', '-req', '-in', request, ...by, '-extfile', extensions, '-out', cert]);
      return read(cert, key);
    },
  };
}

/** A certificate that vouches for itself. */
export function selfSigned(context: Pick<TestContext, 'after'>, names: string): Certificate {
  const folder = folderFor(context);
  const subject = ['-subj', '/CN=crategen test', '-addext', `subjectAltName=${names}`];
  return made(folder, 'own', ['-x509', '-days', '2', ...subject]);
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function made(folder: string, name: string, parameters: readonly string[]): Certificate {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  openssl(['req', ...NEW_KEY, '-keyout', key, '-out', cert, ...parameters]);
  return read(cert, key);
}

function read(certFile: string, keyFile: string): Certificate {
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile };
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
