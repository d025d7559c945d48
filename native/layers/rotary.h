#ifndef PUPIL_ROTARY_H
#define PUPIL_ROTARY_H

#include "simd/rows.h"

/* y = one head x turned by the angles of its token, pairs (i, i + half); y may be x. -1 turns back. */
INLINE void rotate_head(const float *x, const float *cos, const float *sin, float *y, int64_t half,
                        float sign) {
  vf signs = vset(sign);
  for (int64_t i = 0; i < half; i += VW) {
    int rest = (int)(half - i);
    vf c = vload_upto(cos + i, rest, 0), s = vmul(vload_upto(sin + i, rest, 0), signs);
    vf a = vload_upto(x + i, rest, 0), b = vload_upto(x + half + i, rest, 0);
    vstore_upto(y + i, vfnma(b, s, vmul(a, c)), rest);
    vstore_upto(y + half + i, vfma(a, s, vmul(b, c)), rest);
  }
}

#endif
