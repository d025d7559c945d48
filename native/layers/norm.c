/* RMS norm and layer norm of rows, forward and backward. */
#include "layers/norm.h"

#include "kernels.h"

/* Elements of the rows that one claim takes: some 10 µs, since a pass reads them from the last cache. */
#define CLAIM 32768

struct forward {
  const float *x, *weight, *bias;
  float *y, *mean, *scale;
  int64_t rows, width;
  double epsilon;
};

static void forward_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct forward *a = arguments;
  for (int64_t row = first; row < last; row++) {
    const float *x = a->x + row * a->width;
    float *y = a->y + row * a->width;
    float epsilon = (float)a->epsilon;
    /* A constant for the compiler in each case. */
    a->scale[row] = a->mean
        ? norm_row(x, a->weight, a->bias, y, a->mean + row, a->width, epsilon)
        : norm_row(x, a->weight, NULL, y, NULL, a->width, epsilon);
  }
}

int NAME(normForward)(struct pupil_engine *engine, const void *arguments) {
  const struct forward *a = arguments;
  pupil_parallel(engine, forward_task, a, (int)a->rows, grain_of(CLAIM, a->width));
  return 0;
}

struct backward {
  const float *dy, *x, *weight, *mean, *scale;
  float *dx, *dweight, *dbias;
  int64_t rows, width;
};

INLINE void input_row(const struct backward *a, int64_t row, int centred) {
  int64_t n = a->width, i;
  const float *dy = a->dy + row * n, *x = a->x + row * n, *weight = a->weight;
  float *dx = a->dx + row * n;
  vf m = vset(centred ? a->mean[row] : 0), s = vset(a->scale[row]);
  vf p0 = vzero(), p1 = p0, t0 = p0;
  for (i = 0; i + 2 * VW <= n; i += 2 * VW) {
    vf g0 = vmul(vload(dy + i), vload(weight + i));
    vf g1 = vmul(vload(dy + i + VW), vload(weight + i + VW));
    p0 = vfma(g0, vmul(vsub(vload(x + i), m), s), p0);
    p1 = vfma(g1, vmul(vsub(vload(x + i + VW), m), s), p1);
    if (centred) t0 = vadd(t0, vadd(g0, g1));
  }
  for (; i < n; i += VW) {
    int rest = (int)(n - i);
    vf g = vmul(vload_upto(dy + i, rest, 0), vload_upto(weight + i, rest, 0));
    p0 = vfma(g, vmul(vsub(vload_upto(x + i, rest, 0), m), s), p0);
    if (centred) t0 = vadd(t0, g);
  }
  vf p = vset(vsum(vadd(p0, p1)) / (float)n);
  vf mean = vset(centred ? vsum(t0) / (float)n : 0);
  for (i = 0; i < n; i += VW) {
    int rest = (int)(n - i);
    vf g = vmul(vload_upto(dy + i, rest, 0), vload_upto(weight + i, rest, 0));
    vf xhat = vmul(vsub(vload_upto(x + i, rest, 0), m), s);
    vstore_upto(dx + i, vmul(vsub(vsub(g, mean), vmul(xhat, p)), s), rest);
  }
}

static void input_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct backward *a = arguments;
  for (int64_t row = first; row < last; row++) {
    if (a->mean) input_row(a, row, 1);
    else input_row(a, row, 0);
  }
}

/*
 * Gradients of weight and bias: 64 columns over all rows, so that no two threads add into one place
 * and a claim reads whole cache lines. Sums go on in new registers every 256 rows, which keeps the
 * rounding error from growing with the batch.
 */
#define COLUMNS 64
#define VECTORS (COLUMNS / VW)
#define BLOCK 256

INLINE void weight_columns(const struct backward *a, int64_t column, int width, int centred) {
  vf dw[VECTORS], db[VECTORS];
  for (int v = 0; v < VECTORS; v++) dw[v] = db[v] = vzero();
  for (int64_t begin = 0; begin < a->rows; begin += BLOCK) {
    int64_t end = smaller(a->rows, begin + BLOCK);
    for (int v = 0; v < VECTORS && v * VW < width; v++) {
      vf w = vzero(), b = w;
      int rest = width - v * VW;
      const float *dy = a->dy + begin * a->width + column + v * VW;
      const float *x = a->x + begin * a->width + column + v * VW;
      for (int64_t r = begin; r < end; r++) {
        vf g = vload_upto(dy, rest, 0), value = vload_upto(x, rest, 0);
        if (centred) value = vsub(value, vset(a->mean[r]));
        w = vfma(g, vmul(value, vset(a->scale[r])), w);
        if (centred) b = vadd(b, g);
        dy += a->width;
        x += a->width;
      }
      dw[v] = vadd(dw[v], w);
      db[v] = vadd(db[v], b);
    }
  }
  for (int v = 0; v < VECTORS && v * VW < width; v++) {
    vstore_upto(a->dweight + column + v * VW, dw[v], width - v * VW);
    if (centred) vstore_upto(a->dbias + column + v * VW, db[v], width - v * VW);
  }
}

static void weight_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct backward *a = arguments;
  for (int64_t unit = first; unit < last; unit++) {
    int64_t column = unit * COLUMNS;
    int width = (int)smaller(COLUMNS, a->width - column);
    if (a->mean) weight_columns(a, column, width, 1);
    else weight_columns(a, column, width, 0);
  }
}

/* Gradients of `normForward`; `mean` and `dbias` are NULL for RMS norm. */
int NAME(normBackward)(struct pupil_engine *engine, const void *arguments) {
  const struct backward *a = arguments;
  pupil_parallel(engine, input_task, a, (int)a->rows, grain_of(CLAIM, a->width));
  pupil_parallel(engine, weight_task, a, (int)ceil_div(a->width, COLUMNS),
                 grain_of(CLAIM, a->rows * COLUMNS));
  return 0;
}
