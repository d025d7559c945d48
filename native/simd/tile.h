/*
 * Products of matrices that fit into the cache, inside another kernel's task: attention's. The rows of
 * B are read where they are, as whole vectors; A is read one number at a time, so it may be stored
 * either way.
 */
#ifndef PUPIL_TILE_H
#define PUPIL_TILE_H

#include "simd/rows.h"
#include "simd/transpose.h"

/*
 * Rows of a tile of two vectors. Every sum waits 4 cycles for itself and two are begun per cycle: at
 * least 8 are needed, and 16 fit where there are 32 registers. With 16 registers 6·2 sums, two vectors
 * of B and one number of A are what there is room for.
 */
#if defined(__AVX512F__) || defined(__aarch64__)
#define TILE_ROWS 8
#else
#define TILE_ROWS 6
#endif
#define TILE_COLUMNS (2 * VW)

/* A(r, i) = a[r * row + i * step]. */
struct left {
  const float *a;
  int64_t row, step;
#ifdef TILE_ASKS_AHEAD
  /* A line of what is needed later is asked for in every step. */
  const float *ahead;
  int64_t ahead_step;
#endif
};

/* `rows` and `vectors` are constants; the last vector has `last` lanes. */
INLINE void tile(int rows, int vectors, int last, struct left left, const float *b, int64_t b_row,
                 int64_t k, float *c, int64_t c_row, int adds) {
  vf sum[TILE_ROWS][2];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      int count = v == vectors - 1 ? last : VW;
      sum[r][v] = adds ? vload_upto(c + r * c_row + v * VW, count, 0) : vzero();
    }
  }
  for (int64_t i = 0; i < k; i++) {
#ifdef TILE_ASKS_AHEAD
    __builtin_prefetch(left.ahead, 0, 2);
    left.ahead += left.ahead_step;
#endif
    vf b0 = vload_upto(b, vectors == 1 ? last : VW, 0);
    vf b1 = vectors == 2 ? vload_upto(b + VW, last, 0) : b0;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      vf x = vset(left.a[r * left.row]);
      sum[r][0] = vfma(x, b0, sum[r][0]);
      if (vectors == 2) sum[r][1] = vfma(x, b1, sum[r][1]);
    }
    left.a += left.step;
    b += b_row;
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      vstore_upto(c + r * c_row + v * VW, sum[r][v], v == vectors - 1 ? last : VW);
    }
  }
}

INLINE void tile_columns(int rows, int columns, struct left left, const float *b, int64_t b_row,
                         int64_t k, float *c, int64_t c_row, int adds) {
  if (columns == TILE_COLUMNS) tile(rows, 2, VW, left, b, b_row, k, c, c_row, adds);
  else if (columns > VW) tile(rows, 2, columns - VW, left, b, b_row, k, c, c_row, adds);
  else if (columns == VW) tile(rows, 1, VW, left, b, b_row, k, c, c_row, adds);
  else tile(rows, 1, columns, left, b, b_row, k, c, c_row, adds);
}

/* C[rows ≤ TILE_ROWS, n] = A·B, or + A·B, with k terms. */
static void tile_row(int rows, int64_t n, struct left left, const float *b, int64_t b_row, int64_t k,
                     float *c, int64_t c_row, int adds) {
  for (int64_t column = 0; column < n; column += TILE_COLUMNS) {
    int columns = (int)smaller(TILE_COLUMNS, n - column);
    struct left a = left;
    float *to = c + column;
    int done = 0;
    /* What powers of two leave over, in pieces. */
#define PIECE(size)                                                                     \
  for (; rows - done >= size; done += size) {                                           \
    a.a = left.a + done * left.row;                                                     \
    tile_columns(size, columns, a, b + column, b_row, k, to + done * c_row, c_row, adds); \
  }
    PIECE(TILE_ROWS)
    PIECE(4)
    PIECE(2)
    PIECE(1)
#undef PIECE
  }
}

/* to[j, i] = from[i, j] for i < rows ≤ TILE_COLUMNS and j < columns; rows up to TILE_COLUMNS are 0. */
static void transpose_panel(float *to, const float *from, int64_t from_row, int rows, int64_t columns) {
  if (rows < TILE_COLUMNS) memset(to, 0, sizeof(float) * (size_t)(columns * TILE_COLUMNS));
  for (int i = 0; i < rows; i += VW) {
    const float *p = from + i * from_row;
    int count = rows - i < VW ? rows - i : VW;
    int64_t j = 0;
    if (count == VW) {
      for (; j + VW <= columns; j += VW) {
        transpose_square(p + j, from_row, to + j * TILE_COLUMNS + i, TILE_COLUMNS);
      }
    }
    for (; j < columns; j++) {
      for (int r = 0; r < count; r++) to[j * TILE_COLUMNS + i + r] = p[r * from_row + j];
    }
  }
}

#endif
