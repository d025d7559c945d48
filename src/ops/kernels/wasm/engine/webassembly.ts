/** The part of the WebAssembly API in use: it is in no library that the core is compiled against. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  /** Adds pages of 64 KiB; throws a RangeError beyond the maximum or when there is no more memory. */
  grow(pages: number): number;
}

/** A compiled module; can be sent to workers. */
export interface WasmModule {
  readonly __brand?: "WasmModule";
}

interface WebAssemblyApi {
  Memory: new (options: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
  Instance: new (
    module: WasmModule,
    imports: { env: { memory: WasmMemory } },
  ) => { readonly exports: object };
  compile(bytes: Uint8Array): Promise<WasmModule>;
  validate(bytes: Uint8Array): boolean;
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
