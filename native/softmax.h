#ifndef PUPIL_SOFTMAX_H
#define PUPIL_SOFTMAX_H

#include "functions.h"
#include "rows.h"

/* Lanes 0..count-1 of v, 0 in the others. */
INLINE vf vkeep(vf v, int64_t count) {
  float lanes[VW];
  if (count >= VW) return v;
  vstore(lanes, v);
  return vload_part(lanes, (int)count, 0);
}

/* 0·log 0 = 0: what has no probability adds nothing, however large its logarithm. */
INLINE vf where_probable(vf p, vf product) { return vselect(veq(p, vzero()), vzero(), product); }

/* log Σ e^((x - top)·k). */
INLINE float log_sum(const float *x, int64_t n, float top, float k) {
  vf m = vset(top), ks = vset(k), total = vzero();
  int64_t i = 0;
  for (; i + VW <= n; i += VW) total = vadd(total, vexp_negative(vmul(vsub(vload(x + i), m), ks)));
  if (i < n) {
    /* Past the end -infinity, whose exponential is 0. */
    vf z = vmul(vsub(vload_part(x + i, (int)(n - i), -INFINITY), m), ks);
    total = vadd(total, vkeep(vexp_negative(z), n - i));
  }
  return log_one(vsum(total));
}

INLINE vf log_probability(vf x, float top, float k, float total) {
  return vsub(vmul(vsub(x, vset(top)), vset(k)), vset(total));
}

#endif
