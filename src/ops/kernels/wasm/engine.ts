import { PupilError } from "../../../errors/index.js";
import { Allocator } from "./allocator.js";
import type { KernelExports } from "./exports.js";
import { type WasmMemory, type WasmModule, webAssembly } from "./webassembly.js";

export type KernelBuild = "relaxed" | "plain";
export type KernelFile = `kernels-${KernelBuild}.wasm`;

/** What the engine needs from its surroundings: Node or a browser. */
export interface EnginePlatform {
  /** Reads one of the files beside this one in `build/`. */
  loadKernels(file: KernelFile): Promise<Uint8Array>;
  /** Whether threads can share memory: everywhere but in pages that are not cross-origin isolated. */
  readonly sharesMemory: boolean;
  /** Whether this engine can compile relaxed SIMD; may switch it on first. */
  supportsRelaxedSimd(): boolean;
  /** Starts a thread that lives in `work()` of the module; absent where there are no threads. */
  startWorker?(task: WorkerTask): { terminate(): void };
  readonly numCores: number;
  /** Whether the calling thread may sleep (`Atomics.wait`): not in a browser's main thread. */
  readonly mayBlock: boolean;
}

/** What a worker gets: instantiate the module on the memory, call `setUp(scratch, 0, true)`, `work()`. */
export interface WorkerTask {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  readonly scratch: number;
}

export interface EngineOptions {
  /** Threads including the calling one; the number of cores by default. */
  readonly numThreads?: number;
  readonly build?: KernelBuild;
  /** Upper bound of the memory, 4096 MiB by default (the most that 32-bit addresses allow). */
  readonly maxMemoryMiB?: number;
}

const PAGE = 65536;
const MAX_PAGES = 65536;
const INITIAL_PAGES = 16;

/**
 * A tiny module with one relaxed instruction: engines that know it call it valid.
 * (func (result v128) i8x16.splat 0, i8x16.splat 0, i8x16.relaxed_swizzle)
 */
export const relaxedProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11],
);

/** One WebAssembly memory with the kernels, the threads and the allocator that work on it. */
export class WasmEngine implements Disposable {
  readonly kernels: KernelExports;
  readonly build: KernelBuild;
  readonly numThreads: number;
  readonly memory: WasmMemory;
  readonly allocator: Allocator;
  private readonly workers: { terminate(): void }[] = [];

  private constructor(
    module: WasmModule,
    build: KernelBuild,
    { mayBlock, sharesMemory: shared }: EnginePlatform,
    options: EngineOptions & { numThreads: number },
  ) {
    const { maxMemoryMiB = 4096, numThreads } = options;
    const maximum = Math.min(MAX_PAGES, Math.max(INITIAL_PAGES, Math.floor(maxMemoryMiB * 16)));
    this.memory = new webAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared });
    const instance = new webAssembly.Instance(module, { env: { memory: this.memory } });
    this.kernels = instance.exports as unknown as KernelExports;
    this.build = build;
    this.numThreads = numThreads;
    this.allocator = new Allocator(this.kernels.heapStart(), (end) => this.reserve(end));
    this.kernels.setUp(this.newScratch(), numThreads - 1, mayBlock);
  }

  static async start(platform: EnginePlatform, options: EngineOptions = {}): Promise<WasmEngine> {
    const build = chooseBuild(platform, options.build);
    const bytes = await platform.loadKernels(`kernels-${build}.wasm`);
    const module = await webAssembly.compile(platform.sharesMemory ? bytes : unshared(bytes));
    const wanted = options.numThreads ?? platform.numCores;
    const hasThreads = platform.startWorker !== undefined && platform.sharesMemory;
    const numThreads = hasThreads ? Math.max(1, wanted) : 1;
    const engine = new WasmEngine(module, build, platform, { ...options, numThreads });
    for (let i = 1; i < numThreads; i++) {
      const task = { module, memory: engine.memory, scratch: engine.newScratch() };
      const worker = platform.startWorker?.(task);
      if (worker) engine.workers.push(worker);
    }
    return engine;
  }

  /** Bytes of address space taken so far. */
  get reservedBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Whether an array is a view into this memory. */
  owns(buffer: ArrayBufferLike): boolean {
    // A shared memory has a new buffer object each time it has grown.
    const isShared =
      typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
    return isShared || buffer === this.memory.buffer;
  }

  private newScratch(): number {
    return this.allocator.allocate(this.kernels.scratchBytes()).address;
  }

  private reserve(end: number): void {
    const size = this.memory.buffer.byteLength;
    if (end <= size) return;
    const needed = Math.ceil((end - size) / PAGE);
    // An eighth more at a time, so that a growing model does not ask for every tensor.
    const generous = Math.max(needed, Math.min(1024, Math.ceil(size / PAGE / 8)));
    if (!this.tryGrow(generous) && !this.tryGrow(needed)) {
      const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
      throw new PupilError(
        `Out of memory: ${mib(end - size)} more were asked for, on top of ` +
          `${mib(this.allocator.bytesInUse)} in use.`,
        {
          field: "wasm memory",
          value: end - size,
          remedy: "Use a smaller batch, a shorter sequence or a smaller model.",
        },
      );
    }
  }

  private tryGrow(pages: number): boolean {
    try {
      this.memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }

  /** Ends the threads. The memory goes when nothing refers to it. */
  dispose(): void {
    if (this.workers.length > 0) this.kernels.stopWorkers();
    for (const worker of this.workers.splice(0)) worker.terminate();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The kernels with an ordinary memory: the import says `shared` in one bit. */
function unshared(bytes: Uint8Array): Uint8Array {
  // Name lengths, names, "a memory", "shared, with a maximum".
  const memoryImport = [3, ...ascii("env"), 6, ...ascii("memory"), 2, 3];
  const start = bytes.findIndex((_, i) => memoryImport.every((byte, j) => bytes[i + j] === byte));
  if (start < 0) throw new Error("The kernels import no shared memory.");
  const patched = bytes.slice();
  patched[start + memoryImport.length - 1] = 1;
  return patched;
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function chooseBuild(platform: EnginePlatform, wanted: KernelBuild | undefined): KernelBuild {
  if (wanted === "plain") return "plain";
  if (platform.supportsRelaxedSimd()) return "relaxed";
  if (wanted === undefined) return "plain";
  throw new PupilError("this runtime has no relaxed SIMD.", {
    field: "build",
    value: wanted,
    remedy: 'Use the "plain" build, or a newer runtime.',
  });
}
