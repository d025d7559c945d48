import * as tf from "@tensorflow/tfjs-core";
import { linear } from "../../src/ops/index.js";

/** Multiplications with additions of a thread. */
const [rounds, chains] = [2048, 8];
const threads = 256;

const shader = `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) g: vec3u) {
  ${Array.from({ length: chains }, (_, i) => `var a${i} = f32(g.x) * 1e-9 + ${i}.0;`).join(" ")}
  let b = y[0];
  for (var i = 0u; i < ${rounds}u; i = i + 1u) {
    ${Array.from({ length: chains }, (_, i) => `a${i} = fma(a${i}, b, 1e-3);`).join(" ")}
  }
  y[g.x] = ${Array.from({ length: chains }, (_, i) => `a${i}`).join(" + ")};
}`;

/** GFLOP/s of a device on float32 numbers in registers: what nothing on it exceeds without matrix units. */
export async function measureFmaPeak(device: GPUDevice, groups: number): Promise<number> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: 4 * threads * groups, usage });
  const module = device.createShaderModule({ code: shader });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const run = async (times: number) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    const startMs = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - startMs;
  };
  await run(1);
  const times = 4;
  const ms = await run(times);
  buffer.destroy();
  return (2 * rounds * chains * threads * groups * times) / ms / 1e6;
}

/** GFLOP/s of our own product of two square matrices, `x · Wᵀ`. */
export async function measureMatmul(size: number, repeats: number): Promise<number> {
  const [x, weight] = [tf.fill([size, size], 0.5), tf.fill([size, size], 0.25)] as tf.Tensor2D[];
  const run = async (times: number) => {
    const startMs = performance.now();
    let last: tf.Tensor | undefined;
    for (let i = 0; i < times; i++) {
      last?.dispose();
      last = linear(x as tf.Tensor2D, weight as tf.Tensor2D);
    }
    // A read of one number waits for all of them.
    const one = tf.tidy(() => (last as tf.Tensor).slice([0, 0], [1, 1]));
    await one.data();
    tf.dispose([one, last as tf.Tensor]);
    return performance.now() - startMs;
  };
  await run(1);
  const ms = await run(repeats);
  tf.dispose([x, weight] as tf.Tensor[]);
  return (2 * size ** 3 * repeats) / ms / 1e6;
}
