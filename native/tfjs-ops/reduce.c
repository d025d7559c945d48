/*
 * Reductions over one (collapsed) axis of [outer, axis, inner]. Sums run over blocks in float32 and
 * over the blocks in float64, in an order that depends on the shape alone.
 */
#include "kernels.h"
#include "simd/rows.h"

#define BLOCK 1024

/* Sum of a row, of its squares if `squares`. */
INLINE double sum_row(const float *x, int64_t n, int squares) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += BLOCK) {
    int64_t end = smaller(n, begin + BLOCK), i = begin;
    vf s0 = vzero(), s1 = s0, s2 = s0, s3 = s0;
    for (; i + SIDE <= end; i += SIDE) {
      vf v0 = vload(x + i), v1 = vload(x + i + VW);
      vf v2 = vload(x + i + 2 * VW), v3 = vload(x + i + 3 * VW);
      s0 = squares ? vfma(v0, v0, s0) : vadd(s0, v0);
      s1 = squares ? vfma(v1, v1, s1) : vadd(s1, v1);
      s2 = squares ? vfma(v2, v2, s2) : vadd(s2, v2);
      s3 = squares ? vfma(v3, v3, s3) : vadd(s3, v3);
    }
    for (; i < end; i += VW) {
      vf v = vload_upto(x + i, (int)(end - i), 0);
      s0 = squares ? vfma(v, v, s0) : vadd(s0, v);
    }
    total += vsum(vadd(vadd(s0, s1), vadd(s2, s3)));
  }
  return total;
}

static int has_nan(const float *x, int64_t n) {
  for (int64_t i = 0; i < n; i += VW) {
    vf v = vload_upto(x + i, (int)(n - i), 0);
    if (vany(vne(v, v))) return 1;
  }
  return 0;
}

struct reduce {
  int64_t op; /* 0: scale · sum, 1: maximum */
  const float *x;
  float *out;
  int64_t outer, axis, inner;
  double scale;
};

static void row_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct reduce *a = arguments;
  for (int64_t row = first; row < last; row++) {
    const float *x = a->x + row * a->axis;
    if (a->op == 0) a->out[row] = (float)(sum_row(x, a->axis, 0) * a->scale);
    else a->out[row] = has_nan(x, a->axis) ? NAN : max_row(x, a->axis);
  }
}

INLINE vf combine(int op, vf a, vf b) {
  return op == 0 ? vadd(a, b) : vselect(vne(b, b), b, vmax(a, b));
}

/* 64 columns of one outer index, walked down the axis: whole cache lines in each step. */
#define COLUMNS 64
#define VECTORS (COLUMNS / VW)

INLINE void reduce_columns(int op, const struct reduce *a, int64_t outer, int64_t column) {
  int width = (int)smaller(COLUMNS, a->inner - column);
  vf start = vset(op == 0 ? 0 : -INFINITY);
  for (int v = 0; v < VECTORS && v * VW < width; v++) {
    int rest = width - v * VW;
    const float *x = a->x + outer * a->axis * a->inner + column + v * VW;
    vf total = start;
    for (int64_t begin = 0; begin < a->axis; begin += BLOCK / 2) {
      int64_t end = smaller(a->axis, begin + BLOCK / 2);
      vf block = start;
      for (int64_t r = begin; r < end; r++) {
        block = combine(op, block, vload_upto(x, rest, 0));
        x += a->inner;
      }
      total = combine(op, total, block);
    }
    if (op == 0) total = vmul(total, vset((float)a->scale));
    vstore_upto(a->out + outer * a->inner + column + v * VW, total, rest);
  }
}

static void column_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct reduce *a = arguments;
  int64_t blocks = ceil_div(a->inner, COLUMNS);
  for (int64_t unit = first; unit < last; unit++) {
    if (a->op == 0) reduce_columns(0, a, unit / blocks, unit % blocks * COLUMNS);
    else reduce_columns(1, a, unit / blocks, unit % blocks * COLUMNS);
  }
}

int NAME(reduce)(struct pupil_engine *engine, const void *arguments) {
  const struct reduce *a = arguments;
  if (a->inner == 1) pupil_parallel(engine, row_task, a, (int)a->outer, grain_of(65536, a->axis));
  else {
    int units = (int)(a->outer * ceil_div(a->inner, COLUMNS));
    pupil_parallel(engine, column_task, a, units, grain_of(65536, a->axis * COLUMNS));
  }
  return 0;
}

struct squares {
  const float *x;
  int64_t n;
  double *out;
};

/* The caller has room for one float64 per piece: see src/ops/kernels/wasm/optimizer.ts. */
#define PIECE 16384

static void squares_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct squares *a = arguments;
  for (int64_t unit = first; unit < last; unit++) {
    int64_t at = unit * PIECE;
    a->out[unit] = sum_row(a->x + at, smaller(PIECE, a->n - at), 1);
  }
}

/* Sums of squares of x in pieces of 16384, as float64 at `out`; returns how many. */
int NAME(sumSquares)(struct pupil_engine *engine, const void *arguments) {
  const struct squares *a = arguments;
  int units = (int)ceil_div(a->n, PIECE);
  pupil_parallel(engine, squares_task, a, units, 4);
  return units;
}

struct root {
  const double *partial;
  int64_t count;
  float *out;
};

/* Square root of the sum of `count` float64 values. */
int NAME(rootOfSum)(struct pupil_engine *engine, const void *arguments) {
  (void)engine;
  const struct root *a = arguments;
  double total = 0;
  for (int64_t i = 0; i < a->count; i++) total += a->partial[i];
  *a->out = (float)sqrt(total);
  return 0;
}
