/** The part of the WebAssembly JavaScript interface that is used here; Node's types leave it to the DOM's. */
declare namespace WebAssembly {
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Memory {
    constructor(descriptor: { readonly initial: number });
    readonly buffer: ArrayBuffer;
  }
  class Instance {
    constructor(module: Module, imports: { readonly env: { readonly memory: Memory } });
    /** Of modules that export functions of numbers alone. */
    readonly exports: Readonly<Record<string, (...numbers: number[]) => number>>;
  }
}
