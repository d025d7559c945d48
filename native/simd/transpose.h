#ifndef PUPIL_TRANSPOSE_H
#define PUPIL_TRANSPOSE_H

#include "simd/simd.h"
#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* Transposes a square of VW×VW: rows of `from` become columns of `to`. */
#if VW == 16
INLINE void transpose_square(const float *from, int64_t from_row, float *to, int64_t to_row) {
  __m512 r[16], t[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) r[i] = vload(from + i * from_row);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    __m512d a = _mm512_castps_pd(t[i]), b = _mm512_castps_pd(t[i + 1]);
    __m512d c = _mm512_castps_pd(t[i + 2]), d = _mm512_castps_pd(t[i + 3]);
    r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
    r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
    r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
    r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    /* Column i of each of the four quarters of the columns; 128-bit pieces are the rows' quarters. */
    __m512 p = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    __m512 q = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    __m512 s = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    __m512 u = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    vstore(to + i * to_row, _mm512_shuffle_f32x4(p, s, 0x88));
    vstore(to + (i + 4) * to_row, _mm512_shuffle_f32x4(q, u, 0x88));
    vstore(to + (i + 8) * to_row, _mm512_shuffle_f32x4(p, s, 0xdd));
    vstore(to + (i + 12) * to_row, _mm512_shuffle_f32x4(q, u, 0xdd));
  }
}
#elif VW == 8
INLINE void transpose_square(const float *from, int64_t from_row, float *to, int64_t to_row) {
  __m256 r[8], t[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) r[i] = vload(from + i * from_row);
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    vstore(to + i * to_row, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    vstore(to + (i + 4) * to_row, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}
#elif defined(__SSE2__)
INLINE void transpose_square(const float *from, int64_t from_row, float *to, int64_t to_row) {
  __m128 r0 = vload(from), r1 = vload(from + from_row);
  __m128 r2 = vload(from + 2 * from_row), r3 = vload(from + 3 * from_row);
  _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
  vstore(to, r0);
  vstore(to + to_row, r1);
  vstore(to + 2 * to_row, r2);
  vstore(to + 3 * to_row, r3);
}
#else
INLINE void transpose_square(const float *from, int64_t from_row, float *to, int64_t to_row) {
  for (int j = 0; j < VW; j++) {
    for (int i = 0; i < VW; i++) to[j * to_row + i] = from[i * from_row + j];
  }
}
#endif

#endif
