/* SwiGLU, SiLU and GELU with their gradients, each in one pass over memory. */
#include "layers/activation.h"

#include "kernels.h"
#include "simd/rows.h"

/* Elements of a unit; eight of them, 10 to 20 µs, make a claim. */
#define CHUNK 4096

struct activation {
  int64_t op;
  const float *a, *b, *c;
  float *y, *z;
  int64_t n;
};

/* `count` is VW in the loop, less at the end. */
INLINE void element(int op, const struct activation *x, int64_t i, int count) {
  vf a = vload_upto(x->a + i, count, 0);
  vf b = op <= 1 ? vload_upto(x->b + i, count, 0) : vzero();
  vf c = op & 1 ? vload_upto(x->c + i, count, 0) : vzero();
  if (op != 1) {
    vstore_upto(x->y + i, activated(op, a, b, c), count);
    return;
  }
  /* Gradients of silu(a)·b for a, into y, and b, into z. */
  vf s = vsigmoid(a);
  vf silu = vmul(a, s);
  vf slope = vadd(s, vsub(silu, vmul(silu, s)));
  vstore_upto(x->y + i, vmul(vmul(c, b), slope), count);
  vstore_upto(x->z + i, vmul(c, silu), count);
}

INLINE void loop(int op, const struct activation *x, int64_t begin, int64_t end) {
  int64_t i = begin;
  for (; i + VW <= end; i += VW) element(op, x, i, VW);
  if (i < end) element(op, x, i, (int)(end - i));
}

static void task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct activation *x = arguments;
  int64_t begin = (int64_t)first * CHUNK, end = smaller((int64_t)last * CHUNK, x->n);
  switch (x->op) {
#define CASE(op) case op: loop(op, x, begin, end); break;
    CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
    default: loop(7, x, begin, end);
#undef CASE
  }
}

int NAME(activation)(struct pupil_engine *engine, const void *arguments) {
  const struct activation *x = arguments;
  pupil_parallel(engine, task, x, (int)ceil_div(x->n, CHUNK), 8);
  return 0;
}
