/** Who sends a request: the Authorization header as the server reads it. */

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export type Identity =
  | { readonly kind: 'user'; readonly name: string }
  /** 401 with this text. */
  | { readonly kind: 'refused'; readonly text: string }
  /** 500 with this text: a header that is no authentication at all. */
  | { readonly kind: 'broken'; readonly text: string };

/** The server's superuser, whom requests without a header act for. */
const DEFAULT_USER = 'crate';

/** Without credentials everybody is trusted; with them exactly that user gets in. */
export function identify(header: string | undefined, credentials: Credentials | null): Identity {
  if (header === undefined) {
    return credentials === null
      ? { kind: 'user', name: DEFAULT_USER }
      : { kind: 'refused', text: noEntry(DEFAULT_USER) };
  }
  const [scheme = '', value = ''] = header.trim().split(/\s+/, 2);
  if (scheme.toLowerCase() === 'bearer') return { kind: 'broken', text: bearerText(value) };
  if (scheme.toLowerCase() !== 'basic') {
    return { kind: 'broken', text: 'Only basic or bearer HTTP Authentication schemes are allowed.' };
  }
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const [name, password] = colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  if (credentials === null || (name === credentials.username && password === credentials.password))
    return { kind: 'user', name };
  if (password === '') return { kind: 'refused', text: noEntry(name) };
  return { kind: 'refused', text: `password authentication failed for user "${name}"\n` };
}

function noEntry(user: string): string {
  return (
    `No valid auth.host_based.config entry found for host "127.0.0.1", user "${user}", protocol "http". ` +
    'Did you enable TLS in your client?\n'
  );
}

function bearerText(token: string): string {
  const dots = token.split('.').length - 1;
  if (dots === 2) return 'The JWT token must contain a public key id (kid)';
  return `The token was expected to have 3 parts, but got ${dots === 0 ? 0 : dots + 1}.`;
}
