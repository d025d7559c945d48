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

type Name = keyof GpuCounts;

/** By class of WebGPU and method, what a call counts as. */
const calls: readonly (readonly [className: string, method: string, name: Name])[] = [
  ["GPUComputePassEncoder", "dispatchWorkgroups", "dispatches"],
  ["GPUCommandEncoder", "beginComputePass", "passes"],
  ["GPUQueue", "submit", "submits"],
  ["GPUDevice", "createBuffer", "buffers"],
  ["GPUDevice", "createBindGroup", "bindGroups"],
  ["GPUDevice", "createComputePipeline", "pipelines"],
  ["GPUBuffer", "mapAsync", "readbacks"],
];

/** Counts from here on, for as long as the process lives; to be called once WebGPU has started. */
export function meterGpu(): { take(): GpuCounts } {
  const counts = new Map<Name, number>();
  for (const [className, method, name] of calls) {
    const { prototype } = (globalThis as unknown as Record<string, { prototype: object }>)[
      className
    ] as { prototype: Record<string, (...args: unknown[]) => unknown> };
    const original = prototype[method] as (...args: unknown[]) => unknown;
    prototype[method] = function counted(this: unknown, ...args: unknown[]) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return original.apply(this, args);
    };
  }
  return {
    take() {
      const names = [...new Set(calls.map(([, , name]) => name))];
      const taken = Object.fromEntries(names.map((name) => [name, counts.get(name) ?? 0]));
      counts.clear();
      return taken as unknown as GpuCounts;
    },
  };
}
