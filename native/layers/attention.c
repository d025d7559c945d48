/*
 * Causal attention of one (batch, head) after the other, reading and writing the [B, T, H, hd] layout
 * in place: no transposed copies. The probabilities are kept for the gradient: writing and reading them
 * costs less than computing scores and exponentials again. Queries go in blocks of ROWS, which
 * multiply with the keys from the first to the last that one of them sees, so that sequences packed
 * into a row, or a sliding window, cost what they see; within a block each tile of queries stops at its
 * own last key. Key heads that are shared (GQA) get their gradients from one thread.
 */
#include "layers/attention.h"

#include "kernels.h"
#include "simd/tile.h"

/*
 * 64 queries read a panel of keys that was turned once, 16 times the cost of turning it, and 64 rows
 * of scores over 256 keys are 64 KiB: with the keys they stay in the second-level cache.
 */
#define ROWS 64
/* Below this many queries turning the keys costs more than it saves. */
#define FEW 4
/* Depth of a turned panel: 128 KiB with the widest vectors. Only larger heads take several. */
#define DEPTH 1024
#define PANEL_FLOATS (DEPTH * TILE_COLUMNS)

struct sizes {
  int64_t B, T, S, H, K, hd;
  double scale;
};

/* Queries t0..t0+rows-1 of one (batch, head) and the `keys` keys from `low` that they reach. */
struct block {
  int64_t t0, rows, low, keys;
};

static struct block block_at(const struct sizes *n, const int32_t *first_keys, int64_t t0) {
  int64_t rows = smaller(ROWS, n->T - t0), low = 0;
  if (first_keys) {
    /* At most the last key of query t0. */
    low = n->S - n->T + t0;
    for (int64_t t = t0; t < t0 + rows; t++) low = smaller(low, first_keys[t]);
    low = larger(0, low);
  }
  return (struct block){t0, rows, low, n->S - n->T + t0 + rows - low};
}

/* Keys from `low` that row r of a block sees: up to itself. */
INLINE int64_t seen_by(const struct sizes *n, const struct block *b, int64_t r) {
  return n->S - n->T + b->t0 + r + 1 - b->low;
}

/*
 * out[r, s] = x[r]·k[s] for the rows of a block and the keys that each tile of rows sees. Entries past
 * them are left as they are, or anything.
 */
static void scores(float *out, int64_t out_row, const float *x, int64_t x_row, const float *k,
                   int64_t k_row, const struct sizes *n, const struct block *b, float *panel) {
  for (int64_t d = 0; d < n->hd; d += DEPTH) {
    int64_t depth = smaller(DEPTH, n->hd - d);
    for (int64_t s = 0; s < b->keys; s += TILE_COLUMNS) {
      int columns = (int)smaller(TILE_COLUMNS, b->keys - s);
      transpose_panel(panel, k + s * k_row + d, k_row, columns, depth);
      for (int64_t r = 0; r < b->rows; r += TILE_ROWS) {
        int rows = (int)smaller(TILE_ROWS, b->rows - r);
        int64_t seen = seen_by(n, b, r + rows - 1) - s;
        if (seen <= 0) continue;
        struct left left = {x + r * x_row + d, x_row, 1};
        tile_row(rows, smaller(columns, ceil_div(seen, VW) * VW), left, panel, TILE_COLUMNS, depth,
                 out + r * out_row + s, out_row, d > 0);
      }
    }
  }
}

/* out[r] = Σ p[r, s] v[s] over the keys that each tile of rows sees; p is 0 past a row's own. */
static void mix(float *out, int64_t out_row, const float *p, int64_t p_row, const float *v,
                int64_t v_row, const struct sizes *n, const struct block *b) {
  for (int64_t r = 0; r < b->rows; r += TILE_ROWS) {
    int rows = (int)smaller(TILE_ROWS, b->rows - r);
    struct left left = {p + r * p_row, p_row, 1};
    tile_row(rows, n->hd, left, v, v_row, seen_by(n, b, r + rows - 1), out + r * out_row, out_row, 0);
  }
}

/* out[s] = or += Σ p[r, s] x[r] over the rows that see a tile of keys. */
static void gather(float *out, int64_t out_row, const float *p, int64_t p_row, const float *x,
                   int64_t x_row, const struct sizes *n, const struct block *b, int adds) {
  for (int64_t s = 0; s < b->keys; s += TILE_ROWS) {
    int keys = (int)smaller(TILE_ROWS, b->keys - s);
    /* The first row that sees key s. */
    int64_t r = larger(0, s - (n->S - n->T + b->t0 - b->low));
    struct left left = {p + r * p_row + s, 1, p_row};
    tile_row(keys, n->hd, left, x + r * x_row, x_row, b->rows - r, out + s * out_row, out_row, adds);
  }
}

struct attention {
  const float *query, *key, *value, *key_mask;
  const int32_t *first_keys;
  float *output, *probabilities;
  struct sizes n;
};

static void forward_task(const void *arguments, int first, int last, void *scratch) {
  const struct attention *a = arguments;
  const struct sizes *n = &a->n;
  int64_t q_row = n->H * n->hd, k_row = n->K * n->hd;
  for (int64_t unit = first; unit < last; unit++) {
    int64_t batch = unit / n->H, h = unit % n->H;
    const float *q = a->query + batch * n->T * q_row + h * n->hd;
    float *out = a->output + batch * n->T * q_row + h * n->hd;
    int64_t at = batch * n->S * k_row + h / (n->H / n->K) * n->hd;
    const int32_t *first_keys = a->first_keys ? a->first_keys + batch * n->T : NULL;
    for (int64_t t0 = 0; t0 < n->T; t0 += ROWS) {
      struct block b = block_at(n, first_keys, t0);
      /* Without bounds the probabilities are complete, with them only the block's own keys are there. */
      int64_t end = first_keys ? b.keys : n->S;
      float *p = a->probabilities + (unit * n->T + t0) * n->S + b.low;
      const float *k = a->key + at + b.low * k_row, *v = a->value + at + b.low * k_row;
      const float *mask = a->key_mask ? a->key_mask + batch * n->S + b.low : NULL;
      int few = b.rows < FEW;
      if (!few) scores(p, n->S, q + t0 * q_row, q_row, k, k_row, n, &b, scratch);
      for (int64_t r = 0; r < b.rows; r++) {
        float *row = p + r * n->S;
        int64_t seen = seen_by(n, &b, r), skip = 0;
        if (first_keys) skip = smaller(seen, larger(0, first_keys[t0 + r] - b.low));
        if (few) score_row(row, q + (t0 + r) * q_row, k, k_row, seen, n->hd);
        for (int64_t s = 0; s < skip; s++) row[s] = 0;
        softmax_scores(row + skip, mask ? mask + skip : NULL, seen - skip, end - skip,
                       (float)n->scale);
        if (few) mix_row(out + (t0 + r) * q_row, row, v, k_row, seen, n->hd);
      }
      if (!few) mix(out + t0 * q_row, q_row, p, n->S, v, k_row, n, &b);
    }
  }
}

/* `first_keys` [B, T] or NULL: with it, `probabilities` is written for the keys of a block only. */
int NAME(attention)(struct pupil_engine *engine, const void *arguments) {
  const struct attention *a = arguments;
  const struct sizes *n = &a->n;
  pupil_parallel(engine, forward_task, a, (int)(n->B * n->H), grain_of(500000, n->T * n->S * n->hd));
  return 0;
}

struct attention_grad {
  const float *dy, *query, *key, *value, *probabilities;
  const int32_t *first_keys;
  float *dquery, *dkey, *dvalue, *blocks;
  struct sizes n;
};

/* Score gradients of a block that the thread's scratch has no room for: bytes for each unit. */
static int64_t block_bytes(int64_t S) {
  int64_t bytes = ROWS * S * (int64_t)sizeof(float);
  return bytes <= PUPIL_SCRATCH - PANEL_FLOATS * (int64_t)sizeof(float) ? 0 : bytes;
}

struct block_bytes {
  int64_t S;
};

int NAME(attentionBlockBytes)(struct pupil_engine *engine, const void *arguments) {
  (void)engine;
  return (int)block_bytes(((const struct block_bytes *)arguments)->S);
}

/* dp → p (dp - Σ p dp) · scale in place, zero from `seen` to `end`, where p is 0 and dp anything. */
static void score_gradients(float *dp, const float *p, int64_t seen, int64_t end, float scale) {
  vf total = vzero(), s = vset(scale);
  int64_t whole = seen / VW * VW;
  int rest = (int)(seen - whole);
  for (int64_t i = 0; i < whole; i += VW) total = vfma(vload(p + i), vload(dp + i), total);
  if (rest > 0) total = vfma(vload_part(p + whole, rest, 0), vload_part(dp + whole, rest, 0), total);
  vf mean = vset(vsum(total));
  for (int64_t i = 0; i < whole; i += VW) {
    vstore(dp + i, vmul(vmul(vload(p + i), s), vsub(vload(dp + i), mean)));
  }
  for (int64_t i = whole; i < end; i += VW) {
    int count = (int)smaller(VW, end - i);
    vf d = vmul(vmul(vload_upto(p + i, count, 0), s), vsub(vload_upto(dp + i, count, 0), mean));
    vstore_upto(dp + i, vkeep(d, i == whole ? rest : 0, vzero()), count);
  }
}

static void backward_task(const void *arguments, int begin, int end, void *scratch) {
  const struct attention_grad *a = arguments;
  const struct sizes *n = &a->n;
  int64_t q_row = n->H * n->hd, k_row = n->K * n->hd, group = n->H / n->K;
  float *panel = scratch;
  for (int64_t unit = begin; unit < end; unit++) {
    int64_t batch = unit / n->K, head = unit % n->K;
    int64_t at_k = batch * n->S * k_row + head * n->hd;
    float *dk = a->dkey + at_k, *dv = a->dvalue + at_k;
    float *ds = block_bytes(n->S) ? a->blocks + unit * ROWS * n->S : panel + PANEL_FLOATS;
    const int32_t *first_keys = a->first_keys ? a->first_keys + batch * n->T : NULL;
    if (first_keys) {
      /* No block need reach all keys. */
      for (int64_t s = 0; s < n->S; s++) {
        memset(dk + s * k_row, 0, sizeof(float) * (size_t)n->hd);
        memset(dv + s * k_row, 0, sizeof(float) * (size_t)n->hd);
      }
    }
    for (int64_t g = 0; g < group; g++) {
      int64_t h = head * group + g, at_q = batch * n->T * q_row + h * n->hd;
      /* Without bounds the last block sees all keys: it sets every row of dk and dv, the others add. */
      int64_t last = (n->T - 1) / ROWS * ROWS;
      for (int64_t t0 = last; t0 >= 0; t0 -= ROWS) {
        struct block b = block_at(n, first_keys, t0);
        const float *k = a->key + at_k + b.low * k_row, *v = a->value + at_k + b.low * k_row;
        const float *q = a->query + at_q + t0 * q_row, *dy = a->dy + at_q + t0 * q_row;
        const float *p = a->probabilities + ((batch * n->H + h) * n->T + t0) * n->S + b.low;
        int adds = first_keys != NULL || g > 0 || t0 < last;
        gather(dv + b.low * k_row, k_row, p, n->S, dy, q_row, n, &b, adds);
        scores(ds, b.keys, dy, q_row, v, k_row, n, &b, panel);
        for (int64_t r = 0; r < b.rows; r++) {
          score_gradients(ds + r * b.keys, p + r * n->S, seen_by(n, &b, r), b.keys, (float)n->scale);
        }
        mix(a->dquery + at_q + t0 * q_row, q_row, ds, b.keys, k, k_row, n, &b);
        gather(dk + b.low * k_row, k_row, ds, b.keys, q, q_row, n, &b, adds);
      }
    }
  }
}

/* Gradients of `attention`; `blocks` has attentionBlockBytes(S) for each of the B·K units, or is NULL. */
int NAME(attentionGrad)(struct pupil_engine *engine, const void *arguments) {
  const struct attention_grad *a = arguments;
  const struct sizes *n = &a->n;
  pupil_parallel(engine, backward_task, a, (int)(n->B * n->K), grain_of(250000, n->T * n->S * n->hd));
  return 0;
}
