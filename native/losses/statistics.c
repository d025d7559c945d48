/*
 * Statistics of two distributions for the log: see the op's reference in
 * src/ops/row-losses/distribution-statistics.ts. Two passes over a pair of rows: log-sums, then all sums at once.
 */
#include "kernels.h"
#include "losses/softmax.h"

struct statistics {
  const float *student, *teacher;
  float *out;
  int64_t rows, n;
};

/* Index of the first entry that equals the maximum. */
static int64_t first_at(const float *x, int64_t n, float top) {
  for (int64_t i = 0; i < n; i++) {
    if (x[i] == top) return i;
  }
  return -1;
}

static void task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct statistics *a = arguments;
  int64_t n = a->n;
  for (int64_t row = first; row < last; row++) {
    const float *s = a->student + row * n, *t = a->teacher + row * n;
    float top_s = max_row(s, n), top_t = max_row(t, n);
    float log_s = log_sum(s, n, top_s, 1), log_t = log_sum(t, n, top_t, 1);
    vf forward = vzero(), reverse = vzero(), entropy_s = vzero(), entropy_t = vzero();
    vf variation = vzero();
#define STEP(i, count)                                                             \
  do {                                                                             \
    vf ls = log_probability(vload_upto(s + i, count, 0), top_s, 1, log_s);         \
    vf lt = log_probability(vload_upto(t + i, count, 0), top_t, 1, log_t);         \
    vf ps = vkeep(vexp_negative(ls), count, vzero());                              \
    vf pt = vkeep(vexp_negative(lt), count, vzero());                              \
    vf gap = vsub(lt, ls);                                                         \
    forward = vfma(pt, where_likely(lt, gap), forward);                            \
    reverse = vfma(ps, where_likely(ls, gap), reverse);                            \
    entropy_s = vfma(ps, where_likely(ls, ls), entropy_s);                         \
    entropy_t = vfma(pt, where_likely(lt, lt), entropy_t);                         \
    variation = vadd(variation, vabs(vsub(pt, ps)));                               \
  } while (0)
    FOR_ROW(i, n, STEP);
#undef STEP
    float *out = a->out + 6 * row;
    out[0] = vsum(forward);
    out[1] = -vsum(reverse);
    out[2] = -vsum(entropy_s);
    out[3] = -vsum(entropy_t);
    out[4] = 0.5f * vsum(variation);
    out[5] = first_at(s, n, top_s) == first_at(t, n, top_t) ? 1 : 0;
  }
}

int NAME(statistics)(struct pupil_engine *engine, const void *arguments) {
  const struct statistics *a = arguments;
  pupil_parallel(engine, task, a, (int)a->rows, grain_of(16384, a->n));
  return 0;
}
