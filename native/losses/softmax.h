#ifndef PUPIL_SOFTMAX_H
#define PUPIL_SOFTMAX_H

#include "simd/functions.h"
#include "simd/rows.h"

/*
 * y where e^x, as vexp_negative gives it, is not 0, and 0 elsewhere: 0·log 0 = 0, whatever infinity or
 * NaN the other factor is.
 */
INLINE vf where_likely(vf x, vf y) { return vselect(vlt(x, vset(-87)), vzero(), y); }

/*
 * Runs `step(i, VW)` for the whole vectors of a row and `step(i, rest)` for what is left: two copies of
 * an inlined step, of which the first knows that nothing is missing.
 */
#define FOR_ROW(i, n, step)                        \
  do {                                             \
    int64_t i = 0;                                 \
    for (; i + VW <= (n); i += VW) step(i, VW);    \
    if (i < (n)) step(i, (int)((n) - i));          \
  } while (0)

/* log Σ e^((x - top)·k). */
INLINE float log_sum(const float *x, int64_t n, float top, float k) {
  vf m = vset(top), ks = vset(k), total = vzero();
  int64_t i = 0;
  for (; i + VW <= n; i += VW) total = vadd(total, vexp_negative(vmul(vsub(vload(x + i), m), ks)));
  if (i < n) {
    /* Past the end -infinity, whose exponential is 0. */
    vf z = vmul(vsub(vload_part(x + i, (int)(n - i), -INFINITY), m), ks);
    total = vadd(total, vkeep(vexp_negative(z), (int)(n - i), vzero()));
  }
  return log_one(vsum(total));
}

INLINE vf log_probability(vf x, float top, float k, float total) {
  return vsub(vmul(vsub(x, vset(top)), vset(k)), vset(total));
}

#endif
