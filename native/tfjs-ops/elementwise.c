/* Functions of one or two tensors, element by element. */
#include "simd/functions.h"
#include "kernels.h"
#include "simd/rows.h"

/* Floats per unit of work: large enough to outweigh the claim, small enough to share. */
#define CHUNK 8192

INLINE vf floor_lanes(vf x) {
  float lanes[VW];
  vstore(lanes, x);
  for (int i = 0; i < VW; i++) lanes[i] = floorf(lanes[i]);
  return vload(lanes);
}

/* Halves go to the even neighbour. */
INLINE vf round_lanes(vf x) {
  float lanes[VW];
  vstore(lanes, x);
  for (int i = 0; i < VW; i++) lanes[i] = rintf(lanes[i]);
  return vload(lanes);
}

/* NaN where either is: what `Math.max` and tfjs do, unlike the instruction of x86. */
INLINE vf max_or_nan(vf a, vf b) { return vselect(vne(b, b), b, vmax(a, b)); }
INLINE vf min_or_nan(vf a, vf b) { return vselect(vne(b, b), b, vmin(a, b)); }

/* The numbers are those of src/ops/kernels/wasm/tfjs-ops/elementwise.ts. */
INLINE vf unary_value(int op, vf x) {
  switch (op) {
    case 0: return vneg(x);
    case 1: return vabs(x);
    case 2: return vmul(x, x);
    case 3: return vsqrt(x);
    case 4: return vdiv(vset(1), vsqrt(x));
    case 5: return vdiv(vset(1), x);
    case 6: return vexp(x);
    case 7: return vlog(x);
    case 8: return vtanh(x);
    case 9: return vsigmoid(x);
    case 10: return verf(x);
    case 11: return max_or_nan(vzero(), x);
    case 12: return floor_lanes(x);
    default: return round_lanes(x);
  }
}

struct unary {
  int64_t op;
  const float *x;
  float *out;
  int64_t n;
};

/* One loop for each function, since `op` is a constant in it. */
INLINE void unary_loop(int op, const struct unary *a, int64_t begin, int64_t end) {
  int64_t i = begin;
  for (; i + VW <= end; i += VW) vstore(a->out + i, unary_value(op, vload(a->x + i)));
  int rest = (int)(end - i);
  if (rest > 0) vstore_part(a->out + i, unary_value(op, vload_part(a->x + i, rest, 1)), rest);
}

static void unary_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct unary *a = arguments;
  int64_t begin = (int64_t)first * CHUNK, end = smaller((int64_t)last * CHUNK, a->n);
  switch (a->op) {
#define CASE(op) case op: unary_loop(op, a, begin, end); break;
    CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
    CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
    default: unary_loop(13, a, begin, end);
#undef CASE
  }
}

int NAME(unary)(struct pupil_engine *engine, const void *arguments) {
  const struct unary *a = arguments;
  pupil_parallel(engine, unary_task, a, (int)ceil_div(a->n, CHUNK), a->op >= 6 && a->op <= 10 ? 2 : 4);
  return 0;
}

INLINE vf binary_value(int op, vf a, vf b) {
  switch (op) {
    case 0: return vadd(a, b);
    case 1: return vsub(a, b);
    case 2: return vmul(a, b);
    case 3: return vdiv(a, b);
    case 4: return max_or_nan(a, b);
    case 5: return min_or_nan(a, b);
    default: {
      vf d = vsub(a, b);
      return vmul(d, d);
    }
  }
}

/* Rows of two operands; a step of 0 repeats one value. */
INLINE void binary_row(int op, const float *a, int step_a, const float *b, int step_b, float *out,
                       int64_t n) {
  vf fixed_a = vset(n > 0 ? *a : 0), fixed_b = vset(n > 0 ? *b : 0);
  int64_t i = 0;
  for (; i + VW <= n; i += VW) {
    vf left = step_a ? vload(a + i) : fixed_a, right = step_b ? vload(b + i) : fixed_b;
    vstore(out + i, binary_value(op, left, right));
  }
  int rest = (int)(n - i);
  if (rest > 0) {
    vf left = step_a ? vload_part(a + i, rest, 1) : fixed_a;
    vf right = step_b ? vload_part(b + i, rest, 1) : fixed_b;
    vstore_part(out + i, binary_value(op, left, right), rest);
  }
}

INLINE void steps_row(int op, const float *a, int step_a, const float *b, int step_b, float *out,
                      int64_t n) {
  if (step_a && step_b) binary_row(op, a, 1, b, 1, out, n);
  else if (step_a) binary_row(op, a, 1, b, 0, out, n);
  else if (step_b) binary_row(op, a, 0, b, 1, out, n);
  else binary_row(op, a, 0, b, 0, out, n);
}

static void any_row(int op, const float *a, int step_a, const float *b, int step_b, float *out,
                    int64_t n) {
  switch (op) {
#define CASE(op) case op: steps_row(op, a, step_a, b, step_b, out, n); break;
    CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5)
    default: steps_row(6, a, step_a, b, step_b, out, n);
#undef CASE
  }
}

struct binary {
  int64_t op;
  const float *a, *b;
  float *out;
  int64_t n;
};

static void binary_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct binary *x = arguments;
  int64_t begin = (int64_t)first * CHUNK, end = smaller((int64_t)last * CHUNK, x->n);
  any_row((int)x->op, x->a + begin, 1, x->b + begin, 1, x->out + begin, end - begin);
}

/* out = op(a, b) for tensors of one shape. `out` may be `a` or `b`. */
int NAME(binary)(struct pupil_engine *engine, const void *arguments) {
  const struct binary *x = arguments;
  pupil_parallel(engine, binary_task, x, (int)ceil_div(x->n, CHUNK), 4);
  return 0;
}

struct broadcast {
  int64_t op;
  const float *a, *b;
  float *out;
  int64_t outer, inner, n;
  int64_t a0, a1, a2, b0, b1, b2;
};

static void broadcast_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct broadcast *x = arguments;
  for (int64_t row = first; row < last; row++) {
    int64_t p = row / x->inner, q = row % x->inner;
    any_row((int)x->op, x->a + p * x->a0 + q * x->a1, (int)x->a2, x->b + p * x->b0 + q * x->b1,
            (int)x->b2, x->out + row * x->n, x->n);
  }
}

/*
 * out[p, q, i] = op(a, b) where each operand has its own stride for every axis, 0 where it is
 * broadcast; the last stride is 0 or 1. Scalars, rows, columns and batches are cases of it.
 */
int NAME(binaryBroadcast)(struct pupil_engine *engine, const void *arguments) {
  const struct broadcast *x = arguments;
  if (x->n == 0) return 0;
  pupil_parallel(engine, broadcast_task, x, (int)(x->outer * x->inner), grain_of(32768, x->n));
  return 0;
}

struct fill {
  float *out;
  double value;
  int64_t n;
};

static void fill_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct fill *x = arguments;
  int64_t end = smaller((int64_t)last * CHUNK, x->n);
  vf value = vset((float)x->value);
  int64_t i = (int64_t)first * CHUNK;
  for (; i + VW <= end; i += VW) vstore(x->out + i, value);
  if (i < end) vstore_part(x->out + i, value, (int)(end - i));
}

int NAME(fill)(struct pupil_engine *engine, const void *arguments) {
  const struct fill *x = arguments;
  pupil_parallel(engine, fill_task, x, (int)ceil_div(x->n, CHUNK), 8);
  return 0;
}
