import {
  type EnginePlatform,
  type KernelFile,
  relaxedProbe,
  webAssembly,
  type WorkerTask,
} from "../../ops/index.js";

interface WebWorker {
  postMessage(message: WorkerTask): void;
  terminate(): void;
}

/** What is used of a page or a worker. */
interface WebScope {
  readonly crossOriginIsolated?: boolean;
  readonly document?: unknown;
  readonly navigator: { readonly hardwareConcurrency?: number };
  readonly Worker?: new (url: string) => WebWorker;
  fetch(url: URL): Promise<{ arrayBuffer(): Promise<ArrayBuffer> }>;
}

// Written out one by one: bundlers find assets by this pattern.
const files: Record<KernelFile, () => URL> = {
  "kernels-relaxed.wasm": () =>
    new URL("../../ops/kernels/wasm/build/kernels-relaxed.wasm", import.meta.url),
  "kernels-plain.wasm": () =>
    new URL("../../ops/kernels/wasm/build/kernels-plain.wasm", import.meta.url),
};

const workerSource = `onmessage = ({ data: { module, memory, scratch } }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.setUp(scratch, 0, true);
  exports.work();
};`;

/**
 * The CPU engine's surroundings in a browser. Threads need a cross-origin isolated page (the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`).
 */
export function webWasmPlatform(): EnginePlatform {
  const scope = globalThis as unknown as WebScope;
  const { crossOriginIsolated = false, Worker } = scope;
  const platform = {
    numCores: scope.navigator.hardwareConcurrency ?? 1,
    mayBlock: scope.document === undefined,
    sharesMemory: crossOriginIsolated,
    supportsRelaxedSimd: () => webAssembly.validate(relaxedProbe),
    async loadKernels(file: KernelFile): Promise<Uint8Array> {
      const response = await scope.fetch(files[file]());
      return new Uint8Array(await response.arrayBuffer());
    },
  };
  if (!crossOriginIsolated || Worker === undefined) return platform;
  return {
    ...platform,
    startWorker(task: WorkerTask) {
      const source = new Blob([workerSource], { type: "text/javascript" });
      const worker = new Worker(URL.createObjectURL(source));
      worker.postMessage(task);
      return worker;
    },
  };
}
