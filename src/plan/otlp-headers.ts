/**
 * The headers of OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, values percent-encoded
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables).
 */

/** Lower-case names and values, or the problem, which names no value: they are secrets more often than not. */
export function parseOtlpHeaders(
  text: string,
): { readonly headers: Readonly<Record<string, string>> } | { readonly problem: string } {
  const headers = new Map<string, string>();
  for (const [index, pair] of text.split(',').entries()) {
    if (pair.trim() === '') continue;
    const header = parseHeader(pair);
    if (header === null)
      return {
        problem: `OTEL_EXPORTER_OTLP_HEADERS: expected name=value,name=value with values percent-encoded; number ${index + 1} is none`,
      };
    headers.set(...header);
  }
  return { headers: Object.fromEntries(headers) };
}

function parseHeader(pair: string): [name: string, value: string] | null {
  const [, name = '', encoded = ''] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
  if (name === '') return null;
  const value = decoded(encoded);
  // What a header cannot hold would be refused by name and value when it is sent.
  return value === null || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? null : [name.toLowerCase(), value];
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
