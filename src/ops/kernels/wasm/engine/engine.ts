import { PupilError } from "../../../../errors/index.js";
import { Allocator } from "./allocator.js";
import { describeExecutor, type Executor, type NativeKernels } from "./executor.js";
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
  /**
   * Native kernels: the fastest that run here, or those asked for, or why there are none. Throws a
   * PupilError where those asked for do not run here. Absent in browsers.
   */
  nativeKernels?(wanted: Executor | undefined): NativeKernels | { readonly reason: string };
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
  /** Which kernels in WebAssembly; implies the executor `wasm`. */
  readonly build?: KernelBuild;
  /** What runs the kernels; by default the fastest that there is. */
  readonly executor?: Executor;
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

/**
 * One WebAssembly memory with the kernels, the threads and the allocator that work on it. A kernel that
 * has a native twin runs as machine code, the others in WebAssembly.
 */
export class WasmEngine implements Disposable {
  readonly kernels: KernelExports;
  readonly build: KernelBuild;
  readonly executor: Executor;
  /** What runs the kernels, and why it is WebAssembly where that is so. */
  readonly executorDescription: string;
  readonly numThreads: number;
  readonly memory: WasmMemory;
  readonly allocator: Allocator;
  private hasStartedWorkers = false;
  private readonly workers: { terminate(): void }[] = [];
  private readonly module: WasmModule;
  private readonly platform: EnginePlatform;
  private readonly ownKernels: KernelExports;

  private constructor(
    module: WasmModule,
    build: KernelBuild,
    platform: EnginePlatform,
    native: NativeKernels | { readonly reason?: string },
    { maxMemoryMiB = 4096, numThreads }: EngineOptions & { numThreads: number },
  ) {
    const { sharesMemory: shared } = platform;
    const maximum = Math.min(MAX_PAGES, Math.max(INITIAL_PAGES, Math.floor(maxMemoryMiB * 16)));
    this.memory = new webAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared });
    const instance = new webAssembly.Instance(module, { env: { memory: this.memory } });
    this.ownKernels = instance.exports as unknown as KernelExports;
    this.module = module;
    this.platform = platform;
    this.build = build;
    this.numThreads = numThreads;
    this.allocator = new Allocator(this.ownKernels.heapStart(), (end) => this.reserve(end));
    if ("attach" in native) {
      this.executor = native.executor;
      this.executorDescription = describeExecutor(native.executor);
      const twins = native.attach(new Uint8Array(this.memory.buffer), numThreads, maximum * PAGE);
      this.kernels = { ...this.whenNeeded(twins), ...twins };
    } else {
      this.executor = "wasm";
      this.executorDescription = describeExecutor("wasm", native.reason);
      this.kernels = this.ownKernels;
      this.startWorkers();
    }
  }

  static async start(platform: EnginePlatform, options: EngineOptions = {}): Promise<WasmEngine> {
    const build = chooseBuild(platform, options.build);
    const bytes = await platform.loadKernels(`kernels-${build}.wasm`);
    const module = await webAssembly.compile(platform.sharesMemory ? bytes : unshared(bytes));
    const wanted = options.numThreads ?? platform.numCores;
    const hasThreads = platform.startWorker !== undefined && platform.sharesMemory;
    const numThreads = hasThreads ? Math.max(1, wanted) : 1;
    const executor = options.executor ?? (options.build === undefined ? undefined : "wasm");
    const native = (platform.sharesMemory ? platform.nativeKernels?.(executor) : undefined) ?? {};
    return new WasmEngine(module, build, platform, native, { ...options, numThreads });
  }

  /** The kernels without a twin: threads of their own are started when the first of them is called. */
  private whenNeeded(twins: Partial<KernelExports>): KernelExports {
    const kernels: Record<string, unknown> = {};
    for (const [name, kernel] of Object.entries(this.ownKernels)) {
      if (name in twins) continue;
      kernels[name] = (...args: number[]) => {
        if (!this.hasStartedWorkers) this.startWorkers();
        return (kernel as (...args: number[]) => unknown)(...args);
      };
    }
    return kernels as unknown as KernelExports;
  }

  private startWorkers(): void {
    const { module, memory, numThreads, platform } = this;
    this.hasStartedWorkers = true;
    this.ownKernels.setUp(this.newScratch(), numThreads - 1, platform.mayBlock);
    for (let i = 1; i < numThreads; i++) {
      const worker = platform.startWorker?.({ module, memory, scratch: this.newScratch() });
      if (worker) this.workers.push(worker);
    }
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
    return this.allocator.allocate(this.ownKernels.scratchBytes()).address;
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
    if (this.executor !== "wasm") this.kernels.stopWorkers();
    if (this.workers.length > 0) this.ownKernels.stopWorkers();
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
