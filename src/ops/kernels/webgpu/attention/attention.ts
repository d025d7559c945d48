import type * as tf from "@tensorflow/tfjs-core";
import { attentionBackward } from "./attention-gradient.js";
import {
  attentionShader,
  type HeadCode,
  type Heads,
  optionalReads,
  optionalTensors,
  paramsOf,
  shapeOf,
  store,
  threads,
} from "./attention-program.js";
import { type GpuTensors, registerGpuKernel } from "../programs/registry.js";

type Info = tf.TensorInfo;

/**
 * The output `[B, T, H, hd]`, and by query the logarithm of what its weights are divided by, `[B, H, T]`: a thread for
 * each query goes through the keys a tile at a time and keeps the largest score so far (Dao et al. 2022, arXiv
 * 2205.14135). No score matrix is stored.
 */
export function attentionForward(
  gpu: GpuTensors,
  heads: Heads,
  scale: number,
): { output: Info; logTotals: Info } {
  const { query, key, value } = heads;
  const shape = shapeOf(heads);
  const { B, T, H, width } = shape;
  const [output, logTotals] = gpu.newTensors([query.shape, [B, H, T]]) as [Info, Info];
  const reads = optionalReads(heads);
  const shader = attentionShader(`attention ${width} ${reads.join()}`, {
    ...{ width, heads: ["query", "key", "value"], reads },
    writes: ["output: f32", "log_totals: f32"],
    body: forwardBody,
  });
  const groups = [Math.ceil(T / threads), H, B] as const;
  const tensors = [query, key, value, ...optionalTensors(heads), output, logTotals];
  gpu.run(shader, tensors, paramsOf(shape, scale), groups);
  return { output, logTotals };
}

/** WGSL; `Q` vectors to a head, `K` keys to a tile. */
const forwardBody = ({ load, loadTurned, turn }: HeadCode) => `
  let t = g.x * ${threads}u + lane;
  let head = g.y;
  let batch = g.z;
  let key_head = head / (p.heads / p.key_heads);
  let is_real = t < p.queries;
  let query_at = ((batch * p.queries + t) * p.heads + head) * width;
  var q: array<vec4f, Q>;
  var total: array<vec4f, Q>;
  for (var i = 0u; i < Q; i = i + 1u) {
    if (is_real) { q[i] = ${load("query", "query_at")} * p.scale; }
    total[i] = vec4f(0.0);
  }
  if (is_real) { ${turn("q", "batch * p.queries + t")} }
  let last = min(p.keys, p.keys - p.queries + min(g.x * ${threads}u + ${threads}u, p.queries));
  let own_last = p.keys - p.queries + t;
  let own_first = first_key(batch, t, is_real);
  var largest = -3.0e38;
  var weight = 0.0;
  for (var s0 = 0u; s0 < last; s0 = s0 + K) {
    for (var e = lane; e < K * Q; e = e + ${threads}u) {
      let s = s0 + e / Q;
      let i = e % Q;
      let at = ((batch * p.keys + s) * p.key_heads + key_head) * width;
      tile_a[e] = vec4f(0.0);
      tile_b[e] = vec4f(0.0);
      if (s < p.keys) { tile_a[e] = ${loadTurned("key", "at", "batch * p.keys + s")}; tile_b[e] = ${load("value", "at")}; }
    }
    workgroupBarrier();
    if (is_real) {
      var scores: array<f32, K>;
      var most = largest;
      for (var k = 0u; k < K; k = k + 1u) {
        let s = s0 + k;
        scores[k] = -3.0e38;
        if (s <= own_last && i32(s) >= own_first && s < p.keys && is_shown(batch, s)) {
          var dots = vec4f(0.0);
          for (var i = 0u; i < Q; i = i + 1u) { dots = fma(q[i], tile_a[k * Q + i], dots); }
          scores[k] = dots.x + dots.y + dots.z + dots.w;
          most = max(most, scores[k]);
        }
      }
      if (most > -3.0e38) {
        let shrink = exp(largest - most);
        weight = weight * shrink;
        for (var i = 0u; i < Q; i = i + 1u) { total[i] = total[i] * shrink; }
        for (var k = 0u; k < K; k = k + 1u) {
          if (scores[k] > -3.0e38) {
            let w = exp(scores[k] - most);
            weight = weight + w;
            for (var i = 0u; i < Q; i = i + 1u) { total[i] = fma(vec4f(w), tile_b[k * Q + i], total[i]); }
          }
        }
        largest = most;
      }
    }
    workgroupBarrier();
  }
  if (is_real) {
    // A query that sees nothing gets zeros.
    let inverse = select(0.0, 1.0 / weight, weight > 0.0);
    for (var i = 0u; i < Q; i = i + 1u) {
      let o = total[i] * inverse;
      ${store("output", "query_at", "o")}
    }
    log_totals[(batch * p.heads + head) * p.queries + t] = select(0.0, largest + log(weight), weight > 0.0);
  }
`;

export function registerAttention(): void {
  registerGpuKernel<Heads, { scale: number }>("PupilCausalAttention", (heads, { scale }, gpu) => {
    const { output, logTotals } = attentionForward(gpu, heads, scale);
    // The gradient reads the output once more, which tfjs does not keep by itself.
    gpu.incRef(output.dataId);
    return [output, logTotals, { ...output }];
  });
  registerGpuKernel<Heads & { dy: Info; probabilities: Info; output: Info }, { scale: number }>(
    "PupilCausalAttentionGrad",
    ({ probabilities, ...heads }, { scale }, gpu) =>
      attentionBackward(gpu, { ...heads, logTotals: probabilities }, scale),
  );
}
