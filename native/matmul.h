/* What a matrix product is asked for; see matmul.c. */
#ifndef PUPIL_MATMUL_H
#define PUPIL_MATMUL_H

#include <stdint.h>

/*
 * C[batch, m, n] = op(A)·op(B) + bias. Strides between the matrices of a batch are in floats, 0 to use
 * the same one; `bias` is [n] or NULL.
 */
struct matmul {
  const float *a, *b;
  float *c;
  const float *bias;
  int64_t batch, m, n, k, flags, stride_a, stride_b;
};

enum {
  MATMUL_TRANSPOSE_A = 1, /* A is stored [k, m] */
  MATMUL_TRANSPOSE_B = 2, /* B is stored [n, k] */
  MATMUL_ADD = 4,         /* the product is added to C; no bias */
};

#endif
