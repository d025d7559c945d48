/* Attention of a single query: what decoding a token and short inputs have in common. */
#ifndef PUPIL_ATTENTION_H
#define PUPIL_ATTENTION_H

#include "simd/rows.h"

/* Scaled scores i.. of a row; -infinity where the mask is 0 and from `seen` on. */
INLINE vf scaled_scores(const float *p, const float *mask, int64_t i, int64_t seen, int64_t end,
                        vf scale) {
  int count = (int)smaller(VW, end - i);
  vf none = vset(-INFINITY), v = vmul(vload_upto(p + i, count, 0), scale);
  if (mask) v = vselect(veq(vload_upto(mask + i, count, 0), vzero()), none, v);
  return seen - i < VW ? vkeep(v, (int)(seen - i), none) : v;
}

/*
 * Softmax in place over the `seen` keys of a row, with the scale and the mask; zero from there to `end`.
 * A query that sees nothing gives zeros. Whole vectors as far as `end` allows: what a row does not see
 * has a score of -infinity.
 */
INLINE void softmax_scores(float *p, const float *mask, int64_t seen, int64_t end, float scale) {
  vf s = vset(scale), top = vset(-INFINITY), total = vzero();
  int64_t i;
  for (i = 0; i < seen; i += VW) top = vmax(top, scaled_scores(p, mask, i, seen, end, s));
  float highest = vmaximum(top);
  if (highest != -INFINITY) {
    vf m = vset(highest);
    for (i = 0; i < seen; i += VW) {
      vf e = vexp_negative(vsub(scaled_scores(p, mask, i, seen, end, s), m));
      total = vadd(total, e);
      vstore_upto(p + i, e, (int)smaller(VW, end - i));
    }
    vf factor = vset(1 / vsum(total));
    for (i = 0; i < seen; i += VW) {
      int count = (int)smaller(VW, end - i);
      vstore_upto(p + i, vmul(vload_upto(p + i, count, 0), factor), count);
    }
  } else {
    i = 0;
  }
  for (; i < end; i += VW) vstore_upto(p + i, vzero(), (int)smaller(VW, end - i));
}

/* p[s] = q·k[s]. */
INLINE void score_row(float *p, const float *q, const float *k, int64_t stride, int64_t seen,
                      int64_t hd) {
  for (int64_t s = 0; s < seen; s++, k += stride) {
    /* Two sums at a time: one would wait for itself. */
    vf even = vzero(), odd = even;
    int64_t i = 0;
    for (; i + 2 * VW <= hd; i += 2 * VW) {
      even = vfma(vload(q + i), vload(k + i), even);
      odd = vfma(vload(q + i + VW), vload(k + i + VW), odd);
    }
    for (; i < hd; i += VW) {
      int rest = (int)(hd - i);
      even = vfma(vload_upto(q + i, rest, 0), vload_upto(k + i, rest, 0), even);
    }
    p[s] = vsum(vadd(even, odd));
  }
}

/* out = Σ p[s] v[s]. */
INLINE void mix_row(float *out, const float *p, const float *v, int64_t stride, int64_t seen,
                    int64_t hd) {
  for (int64_t i = 0; i < hd; i += 2 * VW) {
    int rest = (int)(hd - i);
    /* Keys by turns, so that there are four sums that do not wait for each other. */
    vf a0 = vzero(), a1 = a0, b0 = a0, b1 = a0;
    const float *at = v + i;
    int64_t s = 0;
    if (rest >= 2 * VW) {
      for (; s + 2 <= seen; s += 2, at += 2 * stride) {
        vf x = vset(p[s]), y = vset(p[s + 1]);
        a0 = vfma(x, vload(at), a0);
        a1 = vfma(x, vload(at + VW), a1);
        b0 = vfma(y, vload(at + stride), b0);
        b1 = vfma(y, vload(at + stride + VW), b1);
      }
    }
    for (; s < seen; s++, at += stride) {
      vf x = vset(p[s]);
      a0 = vfma(x, vload_upto(at, rest, 0), a0);
      if (rest > VW) a1 = vfma(x, vload_upto(at + VW, rest - VW, 0), a1);
    }
    vstore_upto(out + i, vadd(a0, b0), rest);
    if (rest > VW) vstore_upto(out + i + VW, vadd(a1, b1), rest - VW);
  }
}

#endif
