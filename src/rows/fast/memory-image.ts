/** What stands in a module's memory before its first row: constants, fragments, tables and room for state. */

/** The first bytes stay unused, so that no address is 0, not even of a pointer that lags behind its text. */
export const FIRST_ADDRESS = 512;
const ALIGNMENT = 64;

export class MemoryImage {
  readonly #chunks: { readonly address: number; readonly bytes: Uint8Array }[] = [];
  readonly #constants = new Map<string, number>();
  #end = FIRST_ADDRESS;

  /** What was placed, and where. */
  get chunks(): readonly { readonly address: number; readonly bytes: Uint8Array }[] {
    return this.#chunks;
  }

  /** All that is placed or reserved lies below. A multiple of 64. */
  get end(): number {
    return this.#end;
  }

  /** The address of a copy of these bytes; the 64 bytes behind them may be read too. */
  place(bytes: Uint8Array): number {
    const address = this.reserve(bytes.length + ALIGNMENT);
    this.fill(address, bytes);
    return address;
  }

  /** What stands at a reserved address. */
  fill(address: number, bytes: Uint8Array): void {
    this.#chunks.push({ address, bytes });
  }

  /** The same for 16 bytes that many may want. */
  constant(bytes: Uint8Array): number {
    return this.once(bytes.toString(), () => bytes);
  }

  /** The same for what goes by a name. */
  once(name: string, bytes: () => Uint8Array): number {
    const known = this.#constants.get(name);
    if (known !== undefined) return known;
    const address = this.place(bytes());
    this.#constants.set(name, address);
    return address;
  }

  /** The address of so many bytes, 0 at the start. */
  reserve(bytes: number): number {
    const address = this.#end;
    this.#end = Math.ceil((address + bytes) / ALIGNMENT) * ALIGNMENT;
    return address;
  }
}
