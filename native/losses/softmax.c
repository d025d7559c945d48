/*
 * Everything that starts with a softmax of rows: softmax itself, cross-entropy and the divergences
 * from logits, values and gradients. A row's maximum m and log Σ e^(x-m) are kept apart, since their
 * sum would lose digits for large logits. The gradient computes them again: a pass over a row that it
 * reads anyway (and that is in the cache by then) costs less than a tensor that lives until then.
 */
#include "losses/softmax.h"

#include "kernels.h"

/* Logits that one claim takes, half as many where there are two models: 10 to 20 µs. */
#define CLAIM 32768

struct softmax {
  const float *x;
  float *y;
  int64_t rows, n, logarithm;
};

static void softmax_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct softmax *a = arguments;
  int64_t n = a->n;
  int logarithm = a->logarithm != 0;
  for (int64_t row = first; row < last; row++) {
    const float *x = a->x + row * n;
    float *y = a->y + row * n;
    vf m = vset(max_row(x, n)), total = vzero();
#define STEP(i, count)                                                    \
  do {                                                                    \
    vf shifted = vsub(vload_upto(x + i, count, 0), m), e = vexp(shifted); \
    total = vadd(total, vkeep(e, count, vzero()));                        \
    vstore_upto(y + i, logarithm ? shifted : e, count);                   \
  } while (0)
    FOR_ROW(i, n, STEP);
#undef STEP
    float sum = vsum(total);
    vf factor = vset(logarithm ? log_one(sum) : 1 / sum);
#define STEP(i, count)                                                                     \
  do {                                                                                     \
    vf v = vload_upto(y + i, count, 0);                                                    \
    vstore_upto(y + i, logarithm ? vsub(v, factor) : vmul(v, factor), count);              \
  } while (0)
    FOR_ROW(i, n, STEP);
#undef STEP
  }
}

/* Softmax of rows, or its logarithm. */
int NAME(softmax)(struct pupil_engine *engine, const void *arguments) {
  const struct softmax *a = arguments;
  pupil_parallel(engine, softmax_task, a, (int)a->rows, grain_of(CLAIM, a->n));
  return 0;
}

/* The loss of a row whose maximum and log-sum are known; NaN for a label outside it. */
static float row_cross_entropy(const float *x, int32_t label, int64_t n, float top, float total,
                               float smoothing) {
  float target = (uint32_t)label < (uint64_t)n ? x[label] - top : NAN;
  if (smoothing != 0) {
    vf sum = vzero();
    for (int64_t i = 0; i < n; i += VW) {
      sum = vadd(sum, vsub(vload_upto(x + i, (int)(n - i), top), vset(top)));
    }
    target = target * (1 - smoothing) + vsum(sum) / (float)n * smoothing;
  }
  return total - target;
}

struct cross_entropy {
  const float *logits;
  const int32_t *labels;
  float *value;
  int64_t rows, n;
  double smoothing;
};

static void cross_entropy_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct cross_entropy *a = arguments;
  for (int64_t row = first; row < last; row++) {
    const float *x = a->logits + row * a->n;
    float top = max_row(x, a->n), total = log_sum(x, a->n, top, 1);
    a->value[row] =
        row_cross_entropy(x, a->labels[row], a->n, top, total, (float)a->smoothing);
  }
}

int NAME(crossEntropy)(struct pupil_engine *engine, const void *arguments) {
  const struct cross_entropy *a = arguments;
  pupil_parallel(engine, cross_entropy_task, a, (int)a->rows, grain_of(CLAIM, a->n));
  return 0;
}

struct cross_entropy_grad {
  const float *dy, *logits;
  const int32_t *labels;
  float *out;
  int64_t rows, n;
  double smoothing;
  float *values;
  int64_t adds;
};

static void cross_entropy_grad_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct cross_entropy_grad *a = arguments;
  int64_t n = a->n;
  float smoothing = (float)a->smoothing;
  int adds = a->adds != 0;
  for (int64_t row = first; row < last; row++) {
    const float *x = a->logits + row * n;
    float *out = a->out + row * n;
    float dy = a->dy[row];
    if (dy == 0 && a->values == NULL) {
      if (!adds) memset(out, 0, sizeof(float) * (size_t)n);
      continue;
    }
    int32_t label = a->labels[row];
    float top = max_row(x, n), total = log_sum(x, n, top, 1);
    if (a->values) a->values[row] = row_cross_entropy(x, label, n, top, total, smoothing);
    vf uniform = vset(smoothing / (float)n), d = vset(dy);
#define STEP(i, count)                                                                \
  do {                                                                                \
    vf p = vexp_negative(log_probability(vload_upto(x + i, count, 0), top, 1, total)); \
    vf g = vmul(vsub(p, uniform), d);                                                 \
    if (adds) g = vadd(vload_upto(out + i, count, 0), g);                             \
    vstore_upto(out + i, g, count);                                                   \
  } while (0)
    FOR_ROW(i, n, STEP);
#undef STEP
    if ((uint32_t)label < (uint64_t)n) out[label] -= dy * (1 - smoothing);
  }
}

/*
 * Gradient of `crossEntropy`, into `out` or added to it; `out` may be the logits if nothing else needs
 * them. The values too, unless `values` is NULL.
 */
int NAME(crossEntropyGrad)(struct pupil_engine *engine, const void *arguments) {
  const struct cross_entropy_grad *a = arguments;
  pupil_parallel(engine, cross_entropy_grad_task, a, (int)a->rows, grain_of(CLAIM, a->n));
  return 0;
}

enum { FORWARD_KL, REVERSE_KL, GENERALIZED_JSD };

/* What the value of a row leaves to its gradient. */
struct row {
  float top_s, log_s, top_t, log_t;
  float extra; /* reverse KL: the value; JSD: Σ S log(M/S) */
};

/*
 * Σ p_a (log p_a - log p_b), and the log-sums of both: one exponential per logit. +Infinity where b rules
 * out (-Infinity) what a does not.
 */
INLINE float kl(const float *a, float top_a, const float *b, float top_b, int64_t n, float k,
                float *log_a, float *log_b) {
  vf ks = vset(k), ma = vset(top_a), mb = vset(top_b);
  vf sum_a = vzero(), sum_b = vzero(), sum_d = vzero();
#define STEP(i, count)                                                            \
  do {                                                                            \
    vf za = vmul(vsub(vload_upto(a + i, count, 0), ma), ks);                      \
    vf zb = vmul(vsub(vload_upto(b + i, count, 0), mb), ks);                      \
    vf ea = vkeep(vexp_negative(za), count, vzero());                             \
    vf eb = vkeep(vexp_negative(zb), count, vzero());                             \
    sum_a = vadd(sum_a, ea);                                                      \
    sum_b = vadd(sum_b, eb);                                                      \
    sum_d = vfma(ea, where_likely(za, vsub(za, zb)), sum_d);                      \
  } while (0)
  FOR_ROW(i, n, STEP);
#undef STEP
  float total = vsum(sum_a);
  *log_a = log_one(total);
  *log_b = log_one(vsum(sum_b));
  return vsum(sum_d) / total - (*log_a - *log_b);
}

/*
 * With d = log T - log S and M = βT + (1-β)S, log(M/S) is this plus max(d, 0) and log(M/T) this plus
 * max(-d, 0): no cancellation, and finite where one of the two probabilities is 0.
 */
INLINE vf log_mixture(vf d, float beta) {
  vf weight = vselect(vle(d, vzero()), vset(beta), vset(1 - beta));
  return vlog1p(vmul(vexpm1_negative(vneg(vabs(d))), weight));
}

/* JSD before the normaliser. */
INLINE float jsd(const float *s, const float *t, int64_t n, float k, float beta, struct row *row) {
  row->log_s = log_sum(s, n, row->top_s, k);
  row->log_t = log_sum(t, n, row->top_t, k);
  vf sum_s = vzero(), sum_t = vzero();
#define STEP(i, count)                                                                        \
  do {                                                                                        \
    vf ls = log_probability(vload_upto(s + i, count, 0), row->top_s, k, row->log_s);          \
    vf lt = log_probability(vload_upto(t + i, count, 0), row->top_t, k, row->log_t);          \
    vf d = vsub(lt, ls), inner = log_mixture(d, beta);                                        \
    vf ps = vkeep(vexp_negative(ls), count, vzero());                              \
    vf pt = vkeep(vexp_negative(lt), count, vzero());                              \
    sum_s = vfma(ps, where_likely(ls, vadd(inner, vmax(d, vzero()))), sum_s);                 \
    sum_t = vfma(pt, where_likely(lt, vadd(inner, vmax(vneg(d), vzero()))), sum_t);           \
  } while (0)
  FOR_ROW(i, n, STEP);
#undef STEP
  row->extra = vsum(sum_s);
  return -(beta * vsum(sum_t) + (1 - beta) * row->extra);
}

struct divergence {
  int64_t kind;
  const float *student, *teacher;
  float *value;
  int64_t rows, n;
  double inverse_temperature, beta, normaliser;
};

INLINE float row_divergence(int kind, const float *s, const float *t, int64_t n, float k, float beta,
                            float normaliser, struct row *row) {
  row->top_s = max_row(s, n);
  row->top_t = max_row(t, n);
  if (kind == FORWARD_KL) return kl(t, row->top_t, s, row->top_s, n, k, &row->log_t, &row->log_s);
  if (kind == REVERSE_KL) {
    return row->extra = kl(s, row->top_s, t, row->top_t, n, k, &row->log_s, &row->log_t);
  }
  return jsd(s, t, n, k, beta, row) * normaliser;
}

INLINE void divergence_rows(int kind, const struct divergence *a, int first, int last) {
  for (int64_t row = first; row < last; row++) {
    struct row saved;
    a->value[row] = row_divergence(kind, a->student + row * a->n, a->teacher + row * a->n, a->n,
                                   (float)a->inverse_temperature, (float)a->beta,
                                   (float)a->normaliser, &saved);
  }
}

static void divergence_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct divergence *a = arguments;
  if (a->kind == FORWARD_KL) divergence_rows(FORWARD_KL, a, first, last);
  else if (a->kind == REVERSE_KL) divergence_rows(REVERSE_KL, a, first, last);
  else divergence_rows(GENERALIZED_JSD, a, first, last);
}

int NAME(divergence)(struct pupil_engine *engine, const void *arguments) {
  const struct divergence *a = arguments;
  pupil_parallel(engine, divergence_task, a, (int)a->rows, grain_of(CLAIM / 2, a->n));
  return 0;
}

struct divergence_grad {
  int64_t kind;
  const float *dy, *student, *teacher;
  float *out;
  int64_t rows, n;
  double inverse_temperature, beta, normaliser;
  float *values;
  int64_t adds;
};

/* Of one logit of the student, for dy = 1. */
INLINE vf logit_gradient(int kind, vf ls, vf lt, vf extra, float beta) {
  vf ps = vexp_negative(ls);
  if (kind == FORWARD_KL) return vsub(ps, vexp_negative(lt));
  if (kind == REVERSE_KL) return vmul(ps, where_likely(ls, vsub(vsub(ls, lt), extra)));
  vf gap = vsub(lt, ls), over = vadd(log_mixture(gap, beta), vmax(gap, vzero()));
  return vmul(ps, where_likely(ls, vsub(extra, over)));
}

INLINE void grad_row(int kind, const struct divergence_grad *a, int64_t index) {
  int64_t n = a->n;
  const float *s = a->student + index * n, *t = a->teacher + index * n;
  float *out = a->out + index * n;
  float k = (float)a->inverse_temperature, beta = (float)a->beta;
  int adds = a->adds != 0;
  float dy = a->dy[index] * k;
  struct row row;
  if (dy != 0 || a->values) {
    float value = row_divergence(kind, s, t, n, k, beta, (float)a->normaliser, &row);
    if (a->values) a->values[index] = value;
  }
  if (dy == 0) {
    /* Nothing, also where the value is infinite. */
    if (!adds) memset(out, 0, sizeof(float) * (size_t)n);
    return;
  }
  if (kind == GENERALIZED_JSD) dy *= (float)a->normaliser * (1 - beta);
  vf d = vset(dy), extra = vset(kind == FORWARD_KL ? 0 : row.extra);
#define STEP(i, count)                                                                   \
  do {                                                                                   \
    vf ls = log_probability(vload_upto(s + i, count, 0), row.top_s, k, row.log_s);       \
    vf lt = log_probability(vload_upto(t + i, count, 0), row.top_t, k, row.log_t);       \
    vf g = vmul(logit_gradient(kind, ls, lt, extra, beta), d);                           \
    if (adds) g = vadd(vload_upto(out + i, count, 0), g);                                \
    vstore_upto(out + i, g, count);                                                      \
  } while (0)
  FOR_ROW(i, n, STEP);
#undef STEP
}

static void divergence_grad_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct divergence_grad *a = arguments;
  for (int row = first; row < last; row++) {
    if (a->kind == FORWARD_KL) grad_row(FORWARD_KL, a, row);
    else if (a->kind == REVERSE_KL) grad_row(REVERSE_KL, a, row);
    else grad_row(GENERALIZED_JSD, a, row);
  }
}

/*
 * Gradient of `divergence` for the student's logits, into `out` or added to it; `out` may be the
 * student's logits if nothing else needs them. The values too, unless `values` is NULL.
 */
int NAME(divergenceGrad)(struct pupil_engine *engine, const void *arguments) {
  const struct divergence_grad *a = arguments;
  pupil_parallel(engine, divergence_grad_task, a, (int)a->rows, grain_of(CLAIM / 2, a->n));
  return 0;
}
