#ifndef PUPIL_NORM_H
#define PUPIL_NORM_H

#include "simd/rows.h"

/*
 * One row y = (x - mean)·scale·weight + bias; y may be x. `bias` and `mean` are NULL for RMS norm,
 * where the mean is 0. Gives the scale.
 */
INLINE float norm_row(const float *x, const float *weight, const float *bias, float *y, float *mean,
                      int64_t n, float epsilon) {
  float average = 0;
  int64_t i;
  if (mean) {
    vf s0 = vzero(), s1 = s0;
    for (i = 0; i + 2 * VW <= n; i += 2 * VW) {
      s0 = vadd(s0, vload(x + i));
      s1 = vadd(s1, vload(x + i + VW));
    }
    for (; i < n; i += VW) s0 = vadd(s0, vload_upto(x + i, (int)(n - i), 0));
    average = vsum(vadd(s0, s1)) / (float)n;
    *mean = average;
  }
  vf m = vset(average), q0 = vzero(), q1 = q0;
  for (i = 0; i + 2 * VW <= n; i += 2 * VW) {
    vf d0 = vsub(vload(x + i), m), d1 = vsub(vload(x + i + VW), m);
    q0 = vfma(d0, d0, q0);
    q1 = vfma(d1, d1, q1);
  }
  for (; i < n; i += VW) {
    vf d = vsub(vload_upto(x + i, (int)(n - i), average), m);
    q0 = vfma(d, d, q0);
  }
  float scale = 1 / sqrtf(vsum(vadd(q0, q1)) / (float)n + epsilon);
  vf s = vset(scale);
  for (i = 0; i < n; i += VW) {
    int rest = (int)(n - i);
    vf v = vmul(vmul(vsub(vload_upto(x + i, rest, 0), m), s), vload_upto(weight + i, rest, 0));
    vstore_upto(y + i, bias ? vadd(v, vload_upto(bias + i, rest, 0)) : v, rest);
  }
  return scale;
}

#endif
