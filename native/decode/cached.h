/*
 * Attention of one row's query over its keys and values in a cache, all heads side by side: decode.c. 16 rows
 * over 40 keys with four heads of 32 take 13 µs a layer on one core with AVX-512 where keys and values come from the
 * second cache (key by key, each sum by itself: 15), and 26 where it comes from the third cache, which is
 * the limit then.
 */
#ifndef PUPIL_CACHED_H
#define PUPIL_CACHED_H

#include "layers/attention.h"

/* The sums of VW vectors, in one; each is formed in the same order, whatever its place. */
#if VW == 16
INLINE vf vsum_each(const vf *x) {
  vf pairs[8], fours[4];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    pairs[i] = vadd(_mm512_unpacklo_ps(x[2 * i], x[2 * i + 1]), _mm512_unpackhi_ps(x[2 * i], x[2 * i + 1]));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    __m512d a = _mm512_castps_pd(pairs[2 * i]), b = _mm512_castps_pd(pairs[2 * i + 1]);
    fours[i] = vadd(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
  }
  vf low = vadd(_mm512_shuffle_f32x4(fours[0], fours[1], 0x88), _mm512_shuffle_f32x4(fours[0], fours[1], 0xdd));
  vf high = vadd(_mm512_shuffle_f32x4(fours[2], fours[3], 0x88), _mm512_shuffle_f32x4(fours[2], fours[3], 0xdd));
  return vadd(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xdd));
}
#elif VW == 8
INLINE vf vsum_each(const vf *x) {
  vf low = _mm256_hadd_ps(_mm256_hadd_ps(x[0], x[1]), _mm256_hadd_ps(x[2], x[3]));
  vf high = _mm256_hadd_ps(_mm256_hadd_ps(x[4], x[5]), _mm256_hadd_ps(x[6], x[7]));
  return vadd(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31));
}
#else
INLINE vf vsum_each(const vf *x) { return (vf){vsum(x[0]), vsum(x[1]), vsum(x[2]), vsum(x[3])}; }
#endif

/* Vectors of sums that stay in registers, and keys for which they do before the next ones. */
#define MIXED 8
#define MIXED_KEYS 16

/* p[j] = q·k[j] for `count` ≤ VW keys; hd is a multiple of VW. The sums of all are formed together. */
INLINE void score_keys(float *p, const float *q, const float *k, int64_t stride, int count, int64_t hd) {
  vf sums[VW];
#pragma GCC unroll 16
  for (int j = 0; j < VW; j++) sums[j] = vzero();
  for (int64_t i = 0; i < hd; i += VW) {
    vf x = vload(q + i);
#pragma GCC unroll 16
    for (int j = 0; j < VW; j++) {
      sums[j] = vfma(x, vload(k + (j < count ? j : count - 1) * stride + i), sums[j]);
    }
  }
  vstore_upto(p, vsum_each(sums), count);
}

/* p[h, s] = q[h]·k[s, h / group] for `heads` key heads that lie side by side. */
static void score_heads(float *p, const float *q, const float *k, int64_t stride, int64_t seen,
                        int64_t heads, int64_t group, int64_t hd) {
  for (int64_t s = 0; s < seen; s += VW, k += VW * stride) {
    int count = (int)smaller(VW, seen - s);
    for (int64_t h = 0; h < heads * group; h++) {
      const float *query = q + h * hd, *keys = k + h / group * hd;
      float *to = p + h * seen + s;
      if (hd % VW != 0) {
        for (int j = 0; j < count; j++) score_row(to + j, query, keys + j * stride, stride, 1, hd);
      } else if (count == VW) {
        score_keys(to, query, keys, stride, VW, hd);
      } else {
        score_keys(to, query, keys, stride, count, hd);
      }
    }
  }
}

/* out[h, i..] += Σ p[h, s] v[s, h / group, i..] for `count` keys: `lanes` numbers of one head. */
INLINE void mix_vector(float *out, const float *p, const float *v, int64_t stride, int64_t count, int lanes) {
  vf sum = vload_upto(out, lanes, 0);
  for (int64_t s = 0; s < count; s++) sum = vfma(vset(p[s]), vload_upto(v + s * stride, lanes, 0), sum);
  vstore_upto(out, sum, lanes);
}

/*
 * out[h] = Σ p[h, s] v[s, h / group]. Several vectors of a row at a time, for so many keys that they stay in
 * registers and yet the rows come in the order in which they lie.
 */
static void mix_heads(float *out, const float *p, const float *v, int64_t stride, int64_t seen,
                      int64_t heads, int64_t group, int64_t hd) {
  const int64_t width = heads * group * hd;
  memset(out, 0, sizeof(float) * (size_t)width);
  for (int64_t s0 = 0; s0 < seen; s0 += MIXED_KEYS, v += MIXED_KEYS * stride, p += MIXED_KEYS) {
    const int64_t count = smaller(MIXED_KEYS, seen - s0);
    int64_t at = 0;
    for (; hd % VW == 0 && at + MIXED * VW <= width; at += MIXED * VW) {
      const float *weights[MIXED], *values[MIXED];
      vf sums[MIXED];
#pragma GCC unroll 8
      for (int i = 0; i < MIXED; i++) {
        const int64_t h = (at + i * VW) / hd, rest = at + i * VW - h * hd;
        weights[i] = p + h * seen;
        values[i] = v + h / group * hd + rest;
        sums[i] = vload(out + at + i * VW);
      }
      for (int64_t s = 0; s < count; s++) {
#pragma GCC unroll 8
        for (int i = 0; i < MIXED; i++) {
          sums[i] = vfma(vset(weights[i][s]), vload(values[i] + s * stride), sums[i]);
        }
      }
#pragma GCC unroll 8
      for (int i = 0; i < MIXED; i++) vstore(out + at + i * VW, sums[i]);
    }
    for (int64_t h = at / hd; h < heads * group; h++) {
      for (int64_t i = at - h * hd > 0 ? at - h * hd : 0; i < hd; i += VW) {
        mix_vector(out + h * hd + i, p + h * seen, v + h / group * hd + i, stride, count,
                   (int)smaller(VW, hd - i));
      }
    }
  }
}

#endif
