import type * as tf from "@tensorflow/tfjs-core";
import {
  attentionProgram,
  boundTensors,
  type Heads,
  maskReads,
  paramsOf,
  shapeOf,
  store,
  threads,
} from "./attention-program.js";
import { program } from "./program.js";
import type { GpuTensors } from "./registry.js";

type Info = tf.TensorInfo;
type Loader = (array: string, at: string) => string;

/**
 * The gradient of the queries, a thread for each; and `Σ dy · output` of every query, `[B, H, T]`, which
 * is what the gradient of a softmax subtracts.
 */
export function attentionGradientOfQueries(
  gpu: GpuTensors,
  heads: Heads & { readonly dy: Info; readonly output: Info; readonly logTotals: Info },
  scale: number,
): { dquery: Info; alongs: Info } {
  const { query, key, value, dy, output, logTotals } = heads;
  const shape = shapeOf(heads);
  const { B, T, H, width } = shape;
  const dquery = gpu.newTensor(query.shape);
  const alongs = gpu.newTensor([B, H, T]);
  const reads = maskReads(heads);
  const given = ["query", "key", "value", "dy", "output", "log_totals"].map(
    (name) => `${name}: f32`,
  );
  const shader = program(`attention gradient of queries ${width} ${reads.join()}`, () =>
    attentionProgram({
      width,
      reads: [...given, ...reads],
      writes: ["dquery: f32", "alongs: f32"],
      body: ofQueries,
    }),
  );
  const tensors = [query, key, value, dy, output, logTotals, ...boundTensors(heads)];
  const groups = [Math.ceil(T / threads), H, B] as const;
  gpu.run(shader, [...tensors, dquery, alongs], paramsOf(shape, scale), groups);
  return { dquery, alongs };
}

const ofQueries = (load: Loader) => `
  let t = g.x * ${threads}u + lane;
  let head = g.y;
  let batch = g.z;
  let key_head = head / (p.heads / p.key_heads);
  let is_real = t < p.queries;
  let query_at = ((batch * p.queries + t) * p.heads + head) * width;
  let row = (batch * p.heads + head) * p.queries + t;
  var q: array<vec4f, Q>;
  var d: array<vec4f, Q>;
  var total: array<vec4f, Q>;
  var along = 0.0;
  var log_total = 0.0;
  if (is_real) {
    var products = vec4f(0.0);
    for (var i = 0u; i < Q; i = i + 1u) {
      q[i] = ${load("query", "query_at")} * p.scale;
      d[i] = ${load("dy", "query_at")};
      products = fma(d[i], ${load("output", "query_at")}, products);
    }
    along = products.x + products.y + products.z + products.w;
    log_total = log_totals[row];
  }
  let last = min(p.keys, p.keys - p.queries + min(g.x * ${threads}u + ${threads}u, p.queries));
  let own_last = p.keys - p.queries + t;
  let own_first = first_key(batch, t, is_real);
  for (var s0 = 0u; s0 < last; s0 = s0 + K) {
    for (var e = lane; e < K * Q; e = e + ${threads}u) {
      let s = s0 + e / Q;
      let i = e % Q;
      let at = ((batch * p.keys + s) * p.key_heads + key_head) * width;
      tile_a[e] = vec4f(0.0);
      tile_b[e] = vec4f(0.0);
      if (s < p.keys) { tile_a[e] = ${load("key", "at")}; tile_b[e] = ${load("value", "at")}; }
    }
    workgroupBarrier();
    if (is_real) {
      for (var k = 0u; k < K; k = k + 1u) {
        let s = s0 + k;
        if (s <= own_last && i32(s) >= own_first && s < p.keys && is_shown(batch, s)) {
          var scores = vec4f(0.0);
          var products = vec4f(0.0);
          for (var i = 0u; i < Q; i = i + 1u) {
            scores = fma(q[i], tile_a[k * Q + i], scores);
            products = fma(d[i], tile_b[k * Q + i], products);
          }
          let w = exp(scores.x + scores.y + scores.z + scores.w - log_total);
          let ds = w * (products.x + products.y + products.z + products.w - along);
          for (var i = 0u; i < Q; i = i + 1u) { total[i] = fma(vec4f(ds), tile_a[k * Q + i], total[i]); }
        }
      }
    }
    workgroupBarrier();
  }
  if (is_real) {
    for (var i = 0u; i < Q; i = i + 1u) {
      let o = total[i] * p.scale;
      ${store("dquery", "query_at", "o")}
    }
    alongs[row] = along;
  }
`;

/** The gradients of keys and values, a thread for each key, which goes through the queries that see it. */
export function attentionGradientOfKeys(
  gpu: GpuTensors,
  heads: Heads & { readonly dy: Info; readonly logTotals: Info; readonly alongs: Info },
  scale: number,
): { dkey: Info; dvalue: Info } {
  const { query, key, value, dy, logTotals, alongs } = heads;
  const shape = shapeOf(heads);
  const { B, S, keyHeads, width } = shape;
  const [dkey, dvalue] = [gpu.newTensor(key.shape), gpu.newTensor(value.shape)];
  const reads = maskReads(heads);
  const given = ["query", "key", "value", "dy", "log_totals", "alongs"].map(
    (name) => `${name}: f32`,
  );
  const shader = program(`attention gradient of keys ${width} ${reads.join()}`, () =>
    attentionProgram({
      width,
      reads: [...given, ...reads],
      writes: ["dkey: f32", "dvalue: f32"],
      body: ofKeys,
    }),
  );
  const tensors = [query, key, value, dy, logTotals, alongs, ...boundTensors(heads)];
  const groups = [Math.ceil(S / threads), keyHeads, B] as const;
  gpu.run(shader, [...tensors, dkey, dvalue], paramsOf(shape, scale), groups);
  return { dkey, dvalue };
}

const ofKeys = (load: Loader) => `
  let s = g.x * ${threads}u + lane;
  let key_head = g.y;
  let batch = g.z;
  let is_real = s < p.keys;
  let key_at = ((batch * p.keys + s) * p.key_heads + key_head) * width;
  var is_seen = false;
  if (is_real) { is_seen = is_shown(batch, s); }
  var k: array<vec4f, Q>;
  var v: array<vec4f, Q>;
  var of_key: array<vec4f, Q>;
  var of_value: array<vec4f, Q>;
  for (var i = 0u; i < Q; i = i + 1u) {
    if (is_real) { k[i] = ${load("key", "key_at")}; v[i] = ${load("value", "key_at")}; }
  }
  let cached = p.keys - p.queries;
  let group = p.heads / p.key_heads;
  // Earlier queries see none of these keys.
  let start = max(g.x * ${threads}u, cached) - cached;
  for (var h = 0u; h < group; h = h + 1u) {
    let head = key_head * group + h;
    for (var t0 = start; t0 < p.queries; t0 = t0 + K) {
      for (var e = lane; e < K * Q; e = e + ${threads}u) {
        let t = t0 + e / Q;
        let i = e % Q;
        let at = ((batch * p.queries + t) * p.heads + head) * width;
        tile_a[e] = vec4f(0.0);
        tile_b[e] = vec4f(0.0);
        if (t < p.queries) { tile_a[e] = ${load("query", "at")} * p.scale; tile_b[e] = ${load("dy", "at")}; }
      }
      if (lane < K && t0 + lane < p.queries) {
        let t = t0 + lane;
        row_a[lane] = log_totals[(batch * p.heads + head) * p.queries + t];
        row_b[lane] = alongs[(batch * p.heads + head) * p.queries + t];
        row_first[lane] = first_key(batch, t, true);
      }
      workgroupBarrier();
      if (is_seen) {
        for (var e = 0u; e < K; e = e + 1u) {
          let t = t0 + e;
          if (t < p.queries && s <= cached + t && i32(s) >= row_first[e]) {
            var scores = vec4f(0.0);
            var products = vec4f(0.0);
            for (var i = 0u; i < Q; i = i + 1u) {
              scores = fma(k[i], tile_a[e * Q + i], scores);
              products = fma(v[i], tile_b[e * Q + i], products);
            }
            let w = exp(scores.x + scores.y + scores.z + scores.w - row_a[e]);
            let ds = w * (products.x + products.y + products.z + products.w - row_b[e]);
            for (var i = 0u; i < Q; i = i + 1u) {
              of_key[i] = fma(vec4f(ds), tile_a[e * Q + i], of_key[i]);
              of_value[i] = fma(vec4f(w), tile_b[e * Q + i], of_value[i]);
            }
          }
        }
      }
      workgroupBarrier();
    }
  }
  if (is_real) {
    for (var i = 0u; i < Q; i = i + 1u) {
      let a = of_key[i];
      let b = of_value[i];
      ${store("dkey", "key_at", "a")}
      ${store("dvalue", "key_at", "b")}
    }
  }
`;
