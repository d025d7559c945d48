/*
 * One token for every row through a whole decoder, in one call. A step has few rows, so a product
 * reads each weight only a few times: packing a weight first, as `matmul` does, would cost as much as
 * the product. Here the weights come packed (`packPanels`, once for a whole rollout), and what lies
 * between two products happens where their results are: the MLP's activation on the tile that was just
 * computed, the residual sum as the start of the accumulators, rotation and cache in the attention.
 */
#include "activation.h"
#include "attention.h"
#include "kernels.h"
#include "norm.h"
#include "rotary.h"
/*
 * Weights come from memory or the last cache, and several tiles of rows pass over a panel: while one
 * multiplies, the next panel is on its way.
 */
#define TILE_PREFETCHES_NEXT_PANEL
#include "tile.h"

/* Columns of a panel [k][PANEL]: what a tile of tile.h reads in one step. The packing side asks. */
#define PANEL TILE_COLUMNS

int NAME(panelColumns)(struct pupil_engine *engine, const void *arguments) {
  (void)engine;
  (void)arguments;
  return PANEL;
}

struct pack {
  float *out;
  int64_t step; /* every step-th panel of `out` is written */
  const float *weight;
  int64_t ld, transposed; /* transposed: stored [columns, k] */
  int64_t k, n0, columns;
};

static void pack_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct pack *a = arguments;
  for (int64_t panel = first; panel < last; panel++) {
    float *out = a->out + panel * a->step * a->k * PANEL;
    int64_t column = a->n0 + panel * PANEL;
    int columns = (int)smaller(PANEL, a->columns - panel * PANEL);
    if (a->transposed) {
      transpose_panel(out, a->weight + column * a->ld, a->ld, columns, a->k);
      continue;
    }
    for (int64_t i = 0; i < a->k; i++) {
      const float *from = a->weight + i * a->ld + column;
      for (int c = 0; c < PANEL; c++) out[i * PANEL + c] = c < columns ? from[c] : 0;
    }
  }
}

/* Packs columns n0..n0+columns of a weight into panels, the last one filled up with zeros. */
int NAME(packPanels)(struct pupil_engine *engine, const void *arguments) {
  const struct pack *a = arguments;
  pupil_parallel(engine, pack_task, a, (int)ceil_div(a->columns, PANEL), grain_of(16384, a->k * PANEL));
  return 0;
}

/* What happens to the result of a product. */
enum mode { STORE, ADD, ACTIVATE, GATE };

struct product {
  const float *a; /* [rows, k] */
  int64_t rows, k;
  const float *packed, *bias;
  float *out;
  int64_t out_row, columns;
  enum mode mode;
  int activation;
};

/* Up to TILE_ROWS rows times one panel, from the bias. */
static void panel_product(const struct product *x, int64_t row, int rows, int64_t panel, int columns,
                          float *out, int64_t out_row, int adds) {
  const float *bias = x->bias ? x->bias + panel * PANEL : NULL;
  for (int r = 0; bias && r < rows; r++) copy_row(out + r * out_row, bias, columns);
  struct left left = {x->a + row * x->k, x->k, 1};
  const float *packed = x->packed + panel * x->k * PANEL;
  tile_row(rows, columns, left, packed, PANEL, x->k, out, out_row, adds || bias);
}

/* Result of an MLP's first product from tiles in scratch: activated, or the gate times the rest. */
INLINE void store_activated(int op, const float *gate, const float *up, float *out, int columns) {
  for (int c = 0; c < columns; c += VW) {
    vf v = vload(gate + c);
    v = activated(op, v, v, v);
    vstore_upto(out + c, up ? vmul(v, vload(up + c)) : v, columns - c);
  }
}

static void activated_panel(const struct product *x, int64_t row, int rows, int64_t panel, int columns,
                            float *tile) {
  int gated = x->mode == GATE;
  float *up = tile + TILE_ROWS * PANEL, *out = x->out + row * x->out_row + panel * PANEL;
  panel_product(x, row, rows, gated ? 2 * panel : panel, PANEL, tile, PANEL, 0);
  if (gated) panel_product(x, row, rows, 2 * panel + 1, PANEL, up, PANEL, 0);
  for (int r = 0; r < rows; r++, tile += PANEL, up += PANEL, out += x->out_row) {
    const float *factor = gated ? up : NULL;
    if (x->activation == 2) store_activated(2, tile, factor, out, columns);
    else if (x->activation == 4) store_activated(4, tile, factor, out, columns);
    else store_activated(6, tile, factor, out, columns);
  }
}

/* All rows for one panel after the other: a weight comes from memory once. */
static void product_task(const void *arguments, int first, int last, void *scratch) {
  const struct product *x = arguments;
  for (int64_t panel = first; panel < last; panel++) {
    int columns = (int)smaller(PANEL, x->columns - panel * PANEL);
    for (int64_t row = 0; row < x->rows; row += TILE_ROWS) {
      int rows = (int)smaller(TILE_ROWS, x->rows - row);
      if (x->mode > ADD) activated_panel(x, row, rows, panel, columns, scratch);
      else {
        float *out = x->out + row * x->out_row + panel * PANEL;
        panel_product(x, row, rows, panel, columns, out, x->out_row, x->mode == ADD);
      }
    }
  }
}

static void product(struct pupil_engine *engine, struct product x) {
  int64_t work = x.rows * x.k * PANEL * (x.mode == GATE ? 2 : 1);
  pupil_parallel(engine, product_task, &x, (int)ceil_div(x.columns, PANEL), grain_of(200000, work));
}

/* The plan's words: see src/ops/kernels/wasm/decode.ts. */
struct layer {
  uint32_t attention_norm[2], attention_inputs[2]; /* weight and bias */
  uint32_t keys, values;
  uint32_t attention_output[2], mlp_norm[2], mlp_inputs[2], mlp_output[2];
  uint32_t query_norm, key_norm;
  int32_t first_key; /* that is seen */
  uint32_t unused[3];
};

struct plan {
  int32_t rows, width, heads, key_heads, head_dim, inner, vocabulary, capacity;
  int32_t keys, layers, gated, activation;
  float epsilon, scale;
  uint32_t ids, positions, mask, token_embedding, position_embedding, cos, sin;
  uint32_t final_norm[2], head, logits;
  uint32_t x, normed, qkv, attended, inner_buffer, statistics;
  int32_t mask_row;
  struct layer layer[];
};

struct decode {
  const struct plan *plan;
};

struct attend {
  const struct plan *plan;
  float *qkv, *out, *keys, *values;
  const float *mask, *cos, *sin, *query_norm, *key_norm;
  int64_t qkv_row, first_key_column, first_value_column, first_key;
};

/* Heads whose scores fit into a thread's scratch at once: at least one, for 262,144 keys. */
static int64_t heads_at_once(const struct plan *n, int64_t seen) {
  int64_t group = n->heads / n->key_heads, most = PUPIL_SCRATCH / 2 / (int64_t)sizeof(float) / seen;
  return smaller(n->key_heads, larger(1, most / group));
}

/* Norm and rotation of a query head or key head in place, or from x to y. */
static void place_head(const struct attend *a, int64_t batch, float *x, const float *weight, float *y) {
  int64_t hd = a->plan->head_dim, half = hd / 2;
  if (weight) norm_row(x, weight, NULL, x, NULL, hd, a->plan->epsilon);
  if (a->cos) rotate_head(x, a->cos + batch * half, a->sin + batch * half, y, half, 1);
  else if (x != y) copy_row(y, x, hd);
}

/*
 * One row at a time, and in it one key position after the other with all heads of it: the cache is read
 * in the order in which it lies. Head by head it would come in pieces of hd floats, each waited for.
 */
static void attend_task(const void *arguments, int begin, int end, void *scratch) {
  const struct attend *a = arguments;
  const struct plan *n = a->plan;
  int64_t K = n->key_heads, hd = n->head_dim, group = n->heads / K, S = n->keys;
  int64_t stride = K * hd, seen = S - a->first_key, at_once = heads_at_once(n, seen);
  for (int64_t batch = begin; batch < end; batch++) {
    float *row = a->qkv + batch * a->qkv_row, *out = a->out + batch * n->heads * hd;
    float *keys = a->keys + batch * n->capacity * stride, *new_key = keys + (S - 1) * stride;
    float *values = a->values + batch * n->capacity * stride;
    const float *mask = a->mask ? a->mask + batch * n->mask_row + a->first_key : NULL;
    for (int64_t h = 0; h < n->heads; h++) place_head(a, batch, row + h * hd, a->query_norm, row + h * hd);
    for (int64_t head = 0; head < K; head++) {
      place_head(a, batch, row + a->first_key_column + head * hd, a->key_norm, new_key + head * hd);
    }
    copy_row(values + (S - 1) * stride, row + a->first_value_column, stride);
    for (int64_t head = 0; head < K; head += at_once) {
      int64_t last = smaller(K, head + at_once), h0 = head * group, h1 = last * group;
      int64_t at = a->first_key * stride;
      score_heads(scratch, row + h0 * hd, keys + at + head * hd, stride, seen, last - head, group, hd);
      for (int64_t h = h0; h < h1; h++) {
        softmax_scores((float *)scratch + (h - h0) * seen, mask, seen, seen, n->scale);
      }
      mix_heads(out + h0 * hd, scratch, values + at + head * hd, stride, seen, last - head, group, hd);
    }
  }
}

struct normalize {
  const float *x, *weight, *bias;
  float *y;
  int64_t width;
  float epsilon;
};

static void norm_task(const void *arguments, int first, int last, void *scratch) {
  const struct normalize *a = arguments;
  for (int64_t row = first; row < last; row++) {
    const float *x = a->x + row * a->width;
    float *y = a->y + row * a->width;
    /* A norm has a mean where it has a bias. */
    if (a->bias) norm_row(x, a->weight, a->bias, y, scratch, a->width, a->epsilon);
    else norm_row(x, a->weight, NULL, y, NULL, a->width, a->epsilon);
  }
}

static void norm(struct pupil_engine *engine, const struct plan *plan, const uint32_t weights[2]) {
  struct normalize a = {pupil_at(engine, plan->x), pupil_at(engine, weights[0]),
                        pupil_at(engine, weights[1]), pupil_at(engine, plan->normed),
                        plan->width, plan->epsilon};
  pupil_parallel(engine, norm_task, &a, plan->rows, grain_of(16384, plan->width));
}

static void add_row(float *x, const float *row, int64_t n) {
  for (int64_t i = 0; i < n; i += VW) {
    int rest = (int)(n - i);
    vstore_upto(x + i, vadd(vload_upto(x + i, rest, 0), vload_upto(row + i, rest, 0)), rest);
  }
}

/* x += a·W + bias, all rows. */
static void add_product(struct pupil_engine *engine, const struct plan *plan, const float *a, int64_t k,
                        const uint32_t weights[2]) {
  float *x = pupil_at(engine, plan->x), *bias = pupil_at(engine, weights[1]);
  int64_t D = plan->width;
  for (int64_t row = 0; bias && row < plan->rows; row++) add_row(x + row * D, bias, D);
  product(engine, (struct product){a, plan->rows, k, pupil_at(engine, weights[0]), NULL, x, D, D, ADD, 0});
}

static void embed(struct pupil_engine *engine, const struct plan *plan) {
  const float *tokens = pupil_at(engine, plan->token_embedding);
  const float *places = pupil_at(engine, plan->position_embedding);
  const int32_t *ids = pupil_at(engine, plan->ids), *positions = pupil_at(engine, plan->positions);
  float *x = pupil_at(engine, plan->x);
  int64_t D = plan->width;
  for (int64_t row = 0; row < plan->rows; row++, x += D) {
    copy_row(x, tokens + ids[row] * D, D);
    if (places) add_row(x, places + positions[row] * D, D);
  }
}

/* Logits of one new token per row; its keys and values go to the end of the caches. */
int NAME(decode)(struct pupil_engine *engine, const void *arguments) {
  const struct plan *n = ((const struct decode *)arguments)->plan;
  int64_t rows = n->rows, D = n->width, H = n->heads, K = n->key_heads, hd = n->head_dim;
  int64_t F = n->inner, V = n->vocabulary;
  float *normed = pupil_at(engine, n->normed), *qkv = pupil_at(engine, n->qkv);
  float *attended = pupil_at(engine, n->attended), *inner = pupil_at(engine, n->inner_buffer);
  int64_t queries = ceil_div(H * hd, PANEL) * PANEL, key_columns = ceil_div(K * hd, PANEL) * PANEL;
  int64_t columns = queries + 2 * key_columns;
  embed(engine, n);
  for (int i = 0; i < n->layers; i++) {
    const struct layer *l = n->layer + i;
    norm(engine, n, l->attention_norm);
    product(engine, (struct product){normed, rows, D, pupil_at(engine, l->attention_inputs[0]),
                                     pupil_at(engine, l->attention_inputs[1]), qkv, columns, columns,
                                     STORE, 0});
    struct attend attend = {
        n, qkv, attended, pupil_at(engine, l->keys), pupil_at(engine, l->values),
        pupil_at(engine, n->mask), pupil_at(engine, n->cos), pupil_at(engine, n->sin),
        pupil_at(engine, l->query_norm), pupil_at(engine, l->key_norm),
        columns, queries, queries + key_columns, l->first_key};
    int64_t work = (n->keys - l->first_key) * hd * H * 4;
    pupil_parallel(engine, attend_task, &attend, (int)rows, grain_of(200000, work));
    add_product(engine, n, attended, H * hd, l->attention_output);
    norm(engine, n, l->mlp_norm);
    product(engine, (struct product){normed, rows, D, pupil_at(engine, l->mlp_inputs[0]),
                                     pupil_at(engine, l->mlp_inputs[1]), inner, F, F,
                                     n->gated ? GATE : ACTIVATE, n->activation});
    add_product(engine, n, inner, F, l->mlp_output);
  }
  norm(engine, n, n->final_norm);
  product(engine, (struct product){normed, rows, D, pupil_at(engine, n->head), NULL,
                                   pupil_at(engine, n->logits), V, V, STORE, 0});
  return 0;
}
