/** Text that came from outside (servers, files, names), made safe to show in a terminal or a log. */

/** Control characters, among them ESC and the C1 range, and the marks that turn the direction of text. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Control characters as visible symbols (ESC → ␛), everything on one line, at most `maxLength` characters. */
export function printable(text: string, maxLength = 200): string {
  const visible = text.slice(0, maxLength + 1).replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return code === 0x7f ? '\u2421' : `<${code.toString(16)}>`;
  });
  return text.length > maxLength ? `${visible.slice(0, maxLength)}…` : visible;
}

/** Removes every occurrence of the given secrets, raw or percent-encoded. Secrets shorter than 1 are ignored. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret === '') continue;
    for (const form of new Set([secret, encodeURIComponent(secret)])) clean = clean.replaceAll(form, '***');
  }
  return clean;
}
