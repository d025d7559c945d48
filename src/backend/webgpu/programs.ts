import { type GpuProgram, shaderSource } from "../../ops/index.js";

/** A program as the device runs it. */
export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly layoutId: string;
  readonly uniformBytes: number;
  /** By parameter, how it is written. */
  readonly kinds: readonly string[];
}

/** The pipelines of our own programs, each compiled when it is first run. */
export class ProgramCache {
  private readonly device: GPUDevice;
  private readonly compiled = new Map<GpuProgram, Compiled>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  get(program: GpuProgram): Compiled {
    const known = this.compiled.get(program) ?? this.compile(program);
    this.compiled.set(program, known);
    return known;
  }

  private compile(program: GpuProgram): Compiled {
    const { name, params, reads, writes } = program;
    const layoutId = `${reads.length},${writes.length}`;
    const layout = this.layouts.get(layoutId) ?? this.makeLayout(reads.length, writes.length);
    this.layouts.set(layoutId, layout);
    const pipeline = this.device.createComputePipeline({
      label: name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: {
        module: this.device.createShaderModule({ label: name, code: shaderSource(program) }),
        entryPoint: "main",
      },
    });
    const kinds = params.map((declared) => declared.split(": ")[1] as string);
    const uniformBytes = 16 * Math.ceil((4 * params.length) / 16);
    return { pipeline, layout, layoutId, uniformBytes, kinds };
  }

  private makeLayout(reads: number, writes: number): GPUBindGroupLayout {
    const visibility = GPUShaderStage.COMPUTE;
    const storage = (type: GPUBufferBindingType, binding: number) => ({
      ...{ binding, visibility, buffer: { type } },
    });
    return this.device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility, buffer: { type: "uniform", hasDynamicOffset: true } },
        ...Array.from({ length: reads }, (_, i) => storage("read-only-storage", 1 + i)),
        ...Array.from({ length: writes }, (_, i) => storage("storage", 1 + reads + i)),
      ],
    });
  }
}
