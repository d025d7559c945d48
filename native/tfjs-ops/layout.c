/* Moving data without arithmetic: any permutation, slice, concatenation or repetition of axes. */
#include "kernels.h"
#include "simd/rows.h"

struct copy {
  const float *from;
  float *to;
  int64_t d0, d1, d2, d3; /* sizes */
  int64_t s0, s1, s2, s3; /* strides of the source */
  int64_t t0, t1, t2, t3; /* strides of the target */
};

/* Squares of a transposition: 16 rows and columns of whole cache lines on either side. */
#define SQUARE 16

static void transpose(const float *from, float *to, const struct copy *a) {
  for (int64_t i0 = 0; i0 < a->d2; i0 += SQUARE) {
    int64_t i1 = smaller(a->d2, i0 + SQUARE);
    for (int64_t j0 = 0; j0 < a->d3; j0 += SQUARE) {
      int64_t j1 = smaller(a->d3, j0 + SQUARE);
      for (int64_t i = i0; i < i1; i++) {
        for (int64_t j = j0; j < j1; j++) to[i * a->t2 + j] = from[i + j * a->s3];
      }
    }
  }
}

static void task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct copy *a = arguments;
  for (int64_t unit = first; unit < last; unit++) {
    int64_t i0 = unit / a->d1, i1 = unit % a->d1;
    const float *from = a->from + i0 * a->s0 + i1 * a->s1;
    float *to = a->to + i0 * a->t0 + i1 * a->t1;
    if (a->s3 == 1 && a->t3 == 1) {
      for (int64_t i = 0; i < a->d2; i++) copy_row(to + i * a->t2, from + i * a->s2, a->d3);
    } else if (a->s2 == 1 && a->t3 == 1) {
      transpose(from, to, a);
    } else {
      for (int64_t i = 0; i < a->d2; i++) {
        for (int64_t j = 0; j < a->d3; j++) to[i * a->t2 + j * a->t3] = from[i * a->s2 + j * a->s3];
      }
    }
  }
}

/* Copies a 4-axis block; 32-bit elements of any type. */
int NAME(stridedCopy)(struct pupil_engine *engine, const void *arguments) {
  const struct copy *a = arguments;
  if (a->d2 * a->d3 == 0) return 0;
  pupil_parallel(engine, task, a, (int)(a->d0 * a->d1), grain_of(32768, a->d2 * a->d3));
  return 0;
}
