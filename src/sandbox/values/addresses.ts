/** IP addresses as CrateDB stores them: IPv4 dotted, IPv6 compressed, IPv4-mapped ones as IPv4. UUIDs likewise. */

/** The stored form of an address text, or null where CrateDB refuses it. */
export function normaliseIp(text: string): string | null {
  if (!/^[0-9a-f:.]+$/i.test(text)) return null;
  if (!text.includes(':')) return isIpv4(text) ? text : null;
  const words = ipv6Words(text);
  if (words === null) return null;
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff)
    return ipv4Of(words[6] ?? 0, words[7] ?? 0);
  return compressed(words);
}

/** The low 32 bits of a number as a dotted address; larger numbers wrap silently, as in CrateDB. */
export function ipv4FromNumber(value: bigint): string {
  const low = Number(BigInt.asUintN(32, value));
  return ipv4Of(low >>> 16, low & 0xffff);
}

function ipv4Of(high: number, low: number): string {
  return [high >>> 8, high & 0xff, low >>> 8, low & 0xff].join('.');
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function ipv6Words(text: string): readonly number[] | null {
  const dotted = /^(.*:)([^:]*\.[^:]*)$/.exec(text);
  if (dotted !== null) {
    const quad = dotted[2] ?? '';
    if (!isIpv4(quad)) return null;
    const [a = 0, b = 0, c = 0, d = 0] = quad.split('.').map(Number);
    return ipv6Words(`${dotted[1] ?? ''}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`);
  }
  if (text.includes('.')) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = [...(head ?? []), ...(tail ?? [])];
  if (!given.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return null;
  if (tail === undefined) return given.length === 8 ? given.map((word) => Number.parseInt(word, 16)) : null;
  if (given.length > 7) return null;
  const zeros = new Array<string>(8 - given.length).fill('0');
  return [...(head ?? []), ...zeros, ...tail].map((word) => Number.parseInt(word, 16));
}

/** The longest run of at least two zero words becomes `::`. */
function compressed(words: readonly number[]): string {
  let [bestStart, bestLength] = [-1, 1];
  for (let start = 0; start < words.length; start += 1) {
    let length = 0;
    while (words[start + length] === 0) length += 1;
    if (length > bestLength) [bestStart, bestLength] = [start, length];
  }
  const hex = words.map((word) => word.toString(16));
  if (bestStart === -1) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}

/** Bits of the five groups of a UUID. */
const UUID_GROUP_DIGITS = [8, 4, 4, 4, 12] as const;
const MAX_UUID_CHARACTERS = 36;

/** The canonical form of a UUID text as Java's `UUID.fromString` reads it (short groups are filled), or null. */
export function normaliseUuid(text: string): string | null {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)) return text;
  const groups = text.split('-');
  if (text.length > MAX_UUID_CHARACTERS || groups.length !== UUID_GROUP_DIGITS.length) return null;
  if (!groups.every((group) => /^\+?[0-9a-f]{1,16}$/i.test(group))) return null;
  return groups
    .map((group, index) => {
      const digits = UUID_GROUP_DIGITS[index] ?? 0;
      return group.replace('+', '').toLowerCase().padStart(digits, '0').slice(-digits);
    })
    .join('-');
}
