/*
 * One token for every row through a whole decoder, in one call. A step has few rows, so a product
 * reads each weight only a few times: packing a weight first, as `matmul` does, would cost as much as
 * the product. Here the weights come packed (`packPanels`, once for a whole rollout), and what lies
 * between two products happens where their results are: the MLP's activation on the tile that was just
 * computed, the residual sum as the start of the accumulators, rotation and cache in the attention.
 *
 * The phases of a token are one job of the threads (parallel.h): they take 1 to 20 µs each, and a thread has
 * the same panels of a weight and the same rows of the cache at every token.
 */
#include "layers/activation.h"
#include "decode/cached.h"
#include "kernels.h"
#include "layers/norm.h"
#include "layers/rotary.h"
/*
 * Weights come from memory or the last cache, and several tiles of rows pass over a panel: while they
 * multiply, the next panel is on its way. Each asks for its part of it, evenly: the first cache can wait for
 * a dozen lines, and more that are asked for hold up what is multiplied (16 rows: products at 158 instead of
 * 135 GFLOP/s on one thread, with weights from the third cache).
 */
#define TILE_ASKS_AHEAD
#include "simd/tile.h"

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

static void add_row(float *x, const float *row, int64_t n) {
  for (int64_t i = 0; i < n; i += VW) {
    int rest = (int)(n - i);
    vstore_upto(x + i, vadd(vload_upto(x + i, rest, 0), vload_upto(row + i, rest, 0)), rest);
  }
}

/* Up to TILE_ROWS rows times one panel, from the bias, or from what is there and the bias. */
static void panel_product(const struct product *x, int64_t row, int rows, int64_t panel, int columns,
                          float *out, int64_t out_row, int adds) {
  const float *bias = x->bias ? x->bias + panel * PANEL : NULL;
  for (int r = 0; bias && r < rows; r++) {
    if (adds) add_row(out + r * out_row, bias, columns);
    else copy_row(out + r * out_row, bias, columns);
  }
  const float *packed = x->packed + panel * x->k * PANEL;
  const int64_t tiles = ceil_div(x->rows, TILE_ROWS), part = x->k * PANEL / tiles;
  /* Of a gated product, two panels are multiplied by turns. */
  const float *next = packed + (x->mode == GATE ? 2 : 1) * x->k * PANEL;
  struct left left = {x->a + row * x->k, x->k, 1, next + row / TILE_ROWS * part, PANEL / tiles};
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

/* The plan's words: see src/ops/kernels/wasm/decode/decode.ts. */
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
  const float *weight, *bias;
  float *x, *y;
  int64_t width;
  float epsilon;
  /* Before the first layer: rows are embeddings of these ids, and of positions where there is a table. */
  const int32_t *ids, *positions;
  const float *tokens, *places;
};

static void norm_task(const void *arguments, int first, int last, void *scratch) {
  const struct normalize *a = arguments;
  for (int64_t row = first; row < last; row++) {
    float *x = a->x + row * a->width, *y = a->y + row * a->width;
    if (a->ids) copy_row(x, a->tokens + a->ids[row] * a->width, a->width);
    if (a->ids && a->places) add_row(x, a->places + a->positions[row] * a->width, a->width);
    /* A norm has a mean where it has a bias. */
    if (a->bias) norm_row(x, a->weight, a->bias, y, scratch, a->width, a->epsilon);
    else norm_row(x, a->weight, NULL, y, NULL, a->width, a->epsilon);
  }
}

/* Of eight layers, and what is behind the last one. */
#define MOST_PHASES 58

/* Phases to come, with their arguments. */
struct steps {
  struct pupil_engine *engine;
  const struct plan *plan;
  int count;
  struct pupil_phase phases[MOST_PHASES];
  union {
    struct normalize normalize;
    struct product product;
    struct attend attend;
  } arguments[MOST_PHASES];
};

static void run(struct steps *s) {
  pupil_phases(s->engine, s->phases, s->count);
  s->count = 0;
}

/* Where the arguments of one more phase go. */
static void *add(struct steps *s, pupil_task task, int64_t total, int grain) {
  if (s->count == MOST_PHASES) run(s);
  void *arguments = &s->arguments[s->count];
  s->phases[s->count++] = (struct pupil_phase){task, arguments, (int)total, grain};
  return arguments;
}

static struct normalize *add_norm(struct steps *s, const uint32_t weights[2]) {
  const struct plan *n = s->plan;
  struct normalize *a = add(s, norm_task, n->rows, grain_of(2048, n->width));
  *a = (struct normalize){.weight = pupil_at(s->engine, weights[0]),
                          .bias = pupil_at(s->engine, weights[1]),
                          .x = pupil_at(s->engine, n->x),
                          .y = pupil_at(s->engine, n->normed),
                          .width = n->width,
                          .epsilon = n->epsilon};
  return a;
}

static void add_embedding(struct steps *s, struct normalize *a) {
  const struct plan *n = s->plan;
  a->ids = pupil_at(s->engine, n->ids);
  a->positions = pupil_at(s->engine, n->positions);
  a->tokens = pupil_at(s->engine, n->token_embedding);
  a->places = pupil_at(s->engine, n->position_embedding);
}

/* Of all rows of `from`, [rows, k], into `to`, [rows, columns]. */
static void add_product(struct steps *s, uint32_t from, int64_t k, const uint32_t weights[2], uint32_t to,
                        int64_t columns, enum mode mode) {
  const struct plan *n = s->plan;
  int64_t work = n->rows * k * PANEL * (mode == GATE ? 2 : 1);
  struct product *x = add(s, product_task, ceil_div(columns, PANEL), grain_of(65536, work));
  *x = (struct product){pupil_at(s->engine, from), n->rows, k,
                        pupil_at(s->engine, weights[0]), pupil_at(s->engine, weights[1]),
                        pupil_at(s->engine, to), columns, columns, mode, n->activation};
}

static void add_attention(struct steps *s, const struct layer *l, int64_t columns, int64_t key_columns) {
  const struct plan *n = s->plan;
  struct pupil_engine *engine = s->engine;
  int64_t work = (int64_t)(n->keys - l->first_key) * n->head_dim * n->heads * 4;
  struct attend *a = add(s, attend_task, n->rows, grain_of(16384, work));
  *a = (struct attend){
      n, pupil_at(engine, n->qkv), pupil_at(engine, n->attended),
      pupil_at(engine, l->keys), pupil_at(engine, l->values),
      pupil_at(engine, n->mask), pupil_at(engine, n->cos), pupil_at(engine, n->sin),
      pupil_at(engine, l->query_norm), pupil_at(engine, l->key_norm),
      columns, columns - 2 * key_columns, columns - key_columns, l->first_key};
}

/* Logits of one new token per row; its keys and values go to the end of the caches. */
int NAME(decode)(struct pupil_engine *engine, const void *arguments) {
  const struct plan *n = ((const struct decode *)arguments)->plan;
  int64_t D = n->width, F = n->inner, attended = (int64_t)n->heads * n->head_dim;
  int64_t key_columns = ceil_div((int64_t)n->key_heads * n->head_dim, PANEL) * PANEL;
  int64_t columns = ceil_div(attended, PANEL) * PANEL + 2 * key_columns;
  const uint32_t head[2] = {n->head, 0};
  struct steps s = {.engine = engine, .plan = n};
  for (int i = 0; i < n->layers; i++) {
    const struct layer *l = n->layer + i;
    struct normalize *first = add_norm(&s, l->attention_norm);
    if (i == 0) add_embedding(&s, first);
    add_product(&s, n->normed, D, l->attention_inputs, n->qkv, columns, STORE);
    add_attention(&s, l, columns, key_columns);
    add_product(&s, n->attended, attended, l->attention_output, n->x, D, ADD);
    add_norm(&s, l->mlp_norm);
    add_product(&s, n->normed, D, l->mlp_inputs, n->inner_buffer, F, n->gated ? GATE : ACTIVATE);
    add_product(&s, n->inner_buffer, F, l->mlp_output, n->x, D, ADD);
  }
  struct normalize *last = add_norm(&s, n->final_norm);
  if (n->layers == 0) add_embedding(&s, last);
  add_product(&s, n->normed, D, head, n->logits, n->vocabulary, STORE);
  run(&s);
  return 0;
}
