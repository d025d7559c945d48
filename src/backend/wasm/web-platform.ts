import { PupilError } from "../../errors/index.js";
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

interface WebResponse {
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What is used of a page or a worker. */
interface WebScope {
  readonly crossOriginIsolated?: boolean;
  readonly document?: unknown;
  readonly navigator: { readonly hardwareConcurrency?: number };
  readonly Worker?: new (url: string) => WebWorker;
  fetch(url: URL): Promise<WebResponse>;
}

// Written out one by one: bundlers find assets by this pattern.
const files: Record<KernelFile, () => URL> = {
  "kernels-relaxed.wasm": () =>
    new URL("../../ops/kernels/wasm/build/kernels-relaxed.wasm", import.meta.url),
  "kernels-plain.wasm": () =>
    new URL("../../ops/kernels/wasm/build/kernels-plain.wasm", import.meta.url),
};

/** Its first four bytes; a server may answer with a page for a file that it lacks. */
const isWebAssembly = (bytes: Uint8Array) => bytes.slice(0, 4).join() === "0,97,115,109";

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
      const url = files[file]();
      const response = await scope.fetch(url);
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (response.ok && isWebAssembly(bytes)) return bytes;
      const answer = response.ok ? "something else" : String(response.status);
      throw new PupilError(`The server answers ${answer} for the kernels of the CPU engine.`, {
        field: url.href,
        remedy: "Let the bundler copy the package's .wasm files, or serve them there.",
      });
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
