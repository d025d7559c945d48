import type * as tf from "@tensorflow/tfjs-core";
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
import type { GpuTensors } from "../programs/registry.js";

type Info = tf.TensorInfo;

/**
 * `[dquery, dkey, dvalue]`, in one buffer, from what the forward pass gives. The first workgroups take queries, a thread for
 * each, the others keys; nothing of one half is read by the other, so both are one call.
 */
export function attentionBackward(
  gpu: GpuTensors,
  heads: Heads & { readonly dy: Info; readonly output: Info; readonly logTotals: Info },
  scale: number,
): [Info, Info, Info] {
  const { query, key, value, dy, output, logTotals } = heads;
  const shape = shapeOf(heads);
  const { B, T, S, H, width } = shape;
  const outputs = gpu.newTensors([query.shape, key.shape, value.shape]) as [Info, Info, Info];
  const reads = optionalReads(heads);
  const shader = attentionShader(`attention gradient ${width} ${reads.join()}`, {
    ...{ width, heads: ["query", "key", "value", "dy", "output", "log_totals"], reads },
    writes: ["dquery: f32", "dkey: f32", "dvalue: f32"],
    functions: (code) => `${ofQueries(code)}\n${ofKeys(code)}`,
    body: () => `
  let first = (p.queries + ${threads - 1}u) / ${threads}u;
  if (g.x < first) { of_queries(g.x, g.y, g.z, lane); }
  else if (g.y < p.key_heads) { of_keys(g.x - first, g.y, g.z, lane); }`,
  });
  const tensors = [query, key, value, dy, output, logTotals, ...optionalTensors(heads)];
  const groups = [Math.ceil(T / threads) + Math.ceil(S / threads), H, B] as const;
  gpu.run(shader, [...tensors, ...outputs], paramsOf(shape, scale), groups);
  return outputs;
}

/** Each query goes through the keys that it sees; `along`, `Σ dy · output`, is what the gradient of a softmax subtracts. */
const ofQueries = ({ one, load, loadTurned, turn }: HeadCode) => `
fn of_queries(tile: u32, head: u32, batch: u32, lane: u32) {
  let t = tile * ${threads}u + lane;
  let key_head = head / (p.heads / p.key_heads);
  let is_real = t < p.queries;
  let query_at = ((batch * p.queries + t) * p.heads + head) * width;
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
    ${turn("q", "batch * p.queries + t")}
    along = products.x + products.y + products.z + products.w;
    log_total = ${one("log_totals", "(batch * p.heads + head) * p.queries + t")};
  }
  let last = min(p.keys, p.keys - p.queries + min(tile * ${threads}u + ${threads}u, p.queries));
  let own_last = p.keys - p.queries + t;
  let own_first = first_key(batch, t, is_real);
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
    ${turn("total", "batch * p.queries + t", "inverse")}
    for (var i = 0u; i < Q; i = i + 1u) {
      let o = total[i] * p.scale;
      ${store("dquery", "query_at", "o")}
    }
  }
}`;

/** Each key goes through the queries that see it. */
const ofKeys = ({ one, load, loadTurned, turn }: HeadCode) => `
fn of_keys(tile: u32, key_head: u32, batch: u32, lane: u32) {
  let s = tile * ${threads}u + lane;
  let is_real = s < p.keys;
  let key_at = ((batch * p.keys + s) * p.key_heads + key_head) * width;
  var is_seen = false;
  if (is_real) { is_seen = is_shown(batch, s); }
  var k: array<vec4f, Q>;
  var v: array<vec4f, Q>;
  var of_key: array<vec4f, Q>;
  var of_value: array<vec4f, Q>;
  if (is_real) {
    for (var i = 0u; i < Q; i = i + 1u) {
      k[i] = ${load("key", "key_at")};
      v[i] = ${load("value", "key_at")};
    }
    ${turn("k", "batch * p.keys + s")}
  }
  let cached = p.keys - p.queries;
  let group = p.heads / p.key_heads;
  // Earlier queries see none of these keys.
  let start = max(tile * ${threads}u, cached) - cached;
  for (var h = 0u; h < group; h = h + 1u) {
    let head = key_head * group + h;
    for (var t0 = start; t0 < p.queries; t0 = t0 + K) {
      for (var e = lane; e < K * Q; e = e + ${threads}u) {
        let t = t0 + e / Q;
        let i = e % Q;
        let at = ((batch * p.queries + t) * p.heads + head) * width;
        tile_a[e] = vec4f(0.0);
        tile_b[e] = vec4f(0.0);
        if (t < p.queries) {
          tile_a[e] = ${loadTurned("query", "at", "batch * p.queries + t")} * p.scale;
          tile_b[e] = ${load("dy", "at")};
        }
      }
      if (lane < K && t0 + lane < p.queries) {
        let t = t0 + lane;
        let at = ((batch * p.queries + t) * p.heads + head) * width;
        var products = vec4f(0.0);
        for (var i = 0u; i < Q; i = i + 1u) {
          products = fma(${load("dy", "at")}, ${load("output", "at")}, products);
        }
        row_a[lane] = ${one("log_totals", "(batch * p.heads + head) * p.queries + t")};
        row_b[lane] = products.x + products.y + products.z + products.w;
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
    ${turn("of_key", "batch * p.keys + s", "inverse")}
    for (var i = 0u; i < Q; i = i + 1u) {
      let a = of_key[i];
      let b = of_value[i];
      ${store("dkey", "key_at", "a")}
      ${store("dvalue", "key_at", "b")}
    }
  }
}`;
