/** The part of WebAssembly that this room uses: Node has it, but neither its types nor TypeScript's ES libraries declare it. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>
  }
  class Memory {
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  interface MemoryDescriptor {
    initial: number
    maximum?: number
  }
  function compile(bytes: Uint8Array): Promise<Module>
}
