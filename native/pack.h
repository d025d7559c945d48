/* How a product's operands are copied to lie together: panels of B, tiles of A (why: matmul.c). */
#ifndef PUPIL_PACK_H
#define PUPIL_PACK_H

#include "simd/simd.h"
#include "simd/transpose.h"

/* Columns of a panel, rows of a tile. */
#define NR (2 * VW)
#if defined(__AVX512F__) || defined(__aarch64__)
#define MR 12
#else
#define MR 6
#endif

#define PACK_AHEAD 16

/*
 * One panel [kc][NR] of B stored [k, n]; columns past the end are 0. Rows are far apart: they are asked for
 * PACK_AHEAD of them early.
 */
static void pack_rows(float *to, const float *b, int64_t ld, int kc, int columns) {
  for (int k = 0; k < kc; k++, to += NR, b += ld) {
    __builtin_prefetch(b + PACK_AHEAD * ld);
    __builtin_prefetch(b + PACK_AHEAD * ld + NR - 1);
    vstore(to, vload_upto(b, columns, 0));
    vstore(to + VW, columns > VW ? vload_upto(b + VW, columns - VW, 0) : vzero());
  }
}

/* The same of B stored [n, k]. */
static void pack_columns(float *to, const float *b, int64_t ld, int kc, int columns) {
  for (int v = 0; v < NR; v += VW) {
    int lanes = columns - v < 0 ? 0 : columns - v < VW ? columns - v : VW;
    int k = 0;
    if (lanes == VW) {
      for (; k + VW <= kc; k += VW) transpose_square(b + v * ld + k, ld, to + k * NR + v, NR);
    }
    for (; k < kc; k++) {
      for (int j = 0; j < VW; j++) to[k * NR + v + j] = j < lanes ? b[(v + j) * ld + k] : 0;
    }
  }
}

/*
 * Columns m0..m1 of A stored [k, m], as tiles [kc][MR]. COPY_ROWS rows at a time: they stay in the first
 * cache, however far apart they are (8 lines a set), while all tiles take their part of them.
 */
#define COPY_ROWS 8
static void copy_a(float *to, const float *a, int64_t ld, int kc, int m0, int m1) {
  for (int k0 = 0; k0 < kc; k0 += COPY_ROWS) {
    const int k1 = k0 + COPY_ROWS < kc ? k0 + COPY_ROWS : kc;
    for (int m = m0; m < m1; m += MR) {
      float *tile = to + (int64_t)(m - m0) * kc;
      const int rows = m1 - m < MR ? m1 - m : MR;
      for (int k = k0; k < k1; k++) {
        const float *from = a + k * ld + m;
        __builtin_prefetch(from + COPY_ROWS * ld);
        int r = 0;
        for (; r + VW <= rows; r += VW) vstore(tile + k * MR + r, vload(from + r));
        if (r < rows) vstore_part(tile + k * MR + r, vload_part(from + r, rows - r, 0), rows - r);
      }
    }
  }
}

/* Rows m0..m1 of A stored [m, k], as tiles [MR][kc]. */
static void gather_a(float *to, const float *a, int64_t ld, int kc, int m0, int m1) {
  for (int m = m0; m < m1; m++, to += kc) memcpy(to, a + m * ld, (size_t)kc * sizeof *to);
}

#endif
