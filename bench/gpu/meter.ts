/** What was asked of a GPU, counted at WebGPU's own interface, whoever asks. */
export interface GpuCounts {
  readonly dispatches: number;
  /** Compute passes. */
  readonly passes: number;
  readonly submits: number;
  readonly buffers: number;
  readonly bindGroups: number;
  readonly pipelines: number;
  /** Reads of the host. */
  readonly readbacks: number;
}

export const gpuCountNames = [
  ...(["dispatches", "passes", "submits", "buffers"] as const),
  ...(["bindGroups", "pipelines", "readbacks"] as const),
] satisfies readonly (keyof GpuCounts)[];

type Name = keyof GpuCounts;

/** By class of WebGPU and method, what a call counts as. */
const calls: readonly (readonly [className: string, method: string, name: Name])[] = [
  ["GPUComputePassEncoder", "dispatchWorkgroups", "dispatches"],
  ["GPUCommandEncoder", "beginComputePass", "passes"],
  ["GPUQueue", "submit", "submits"],
  ["GPUDevice", "createBuffer", "buffers"],
  ["GPUDevice", "createBindGroup", "bindGroups"],
  ["GPUDevice", "createComputePipeline", "pipelines"],
  ["GPUDevice", "createComputePipelineAsync", "pipelines"],
  ["GPUBuffer", "mapAsync", "readbacks"],
];

export interface GpuMeter {
  /** What was counted since the last time. */
  take(): GpuCounts;
  /** Dispatches since the last time, by label of their pipeline. */
  takePrograms(): Record<string, number>;
  /** Milliseconds since the last time that a read of the host waited for the device. */
  takeWaitMs(): number;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

function wrap(className: string, method: string, before: (self: unknown, args: unknown[]) => void) {
  const { prototype } = (globalThis as unknown as Record<string, { prototype: object }>)[
    className
  ] as { prototype: Record<string, Method> };
  const original = prototype[method] as Method;
  prototype[method] = function counted(this: unknown, ...args: unknown[]) {
    before(this, args);
    return original.apply(this, args);
  };
}

/** Calls `waited` with the time from every read's begin to its end, before whoever waits goes on. */
function timeReads(waited: (ms: number) => void): void {
  const { prototype } = GPUBuffer as unknown as { prototype: Record<string, Method> };
  const mapAsync = prototype["mapAsync"] as Method;
  prototype["mapAsync"] = async function timed(this: unknown, ...args: unknown[]) {
    const startMs = performance.now();
    await mapAsync.apply(this, args);
    waited(performance.now() - startMs);
  };
}

/** Counts from here on, for as long as the process lives; to be called once WebGPU has started. */
export function meterGpu(): GpuMeter {
  const counts = new Map<Name, number>();
  for (const [className, method, name] of calls) {
    wrap(className, method, () => counts.set(name, (counts.get(name) ?? 0) + 1));
  }
  let waitMs = 0;
  timeReads((ms) => {
    waitMs += ms;
  });
  const programs = new Map<string, number>();
  const current = new WeakMap<object, string>();
  wrap("GPUComputePassEncoder", "setPipeline", (pass, [pipeline]) => {
    current.set(pass as object, (pipeline as GPUComputePipeline).label);
  });
  wrap("GPUComputePassEncoder", "dispatchWorkgroups", (pass) => {
    const label = current.get(pass as object) ?? "";
    programs.set(label, (programs.get(label) ?? 0) + 1);
  });
  return {
    take() {
      const taken = Object.fromEntries(gpuCountNames.map((name) => [name, counts.get(name) ?? 0]));
      counts.clear();
      return taken as unknown as GpuCounts;
    },
    takePrograms() {
      const taken = Object.fromEntries(programs);
      programs.clear();
      return taken;
    },
    takeWaitMs() {
      const taken = waitMs;
      waitMs = 0;
      return taken;
    },
  };
}

const nothing = Object.fromEntries(gpuCountNames.map((name) => [name, 0])) as unknown as GpuCounts;

/** For what cannot be counted. */
export const noMeter: GpuMeter = {
  take: () => nothing,
  takePrograms: () => ({}),
  takeWaitMs: () => 0,
};
