/* What several kernels do with a row of floats. The last vector of a row is masked, not left to scalar
 * code: an element's value does not depend on its place. */
#ifndef PUPIL_ROWS_H
#define PUPIL_ROWS_H

#include "simd/simd.h"

INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t larger(int64_t a, int64_t b) { return a < b ? b : a; }
/* At least 1: units that make up `work` when each has `unit`. */
INLINE int grain_of(int64_t work, int64_t unit) { return (int)larger(1, work / larger(1, unit)); }
INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Vectors of a row that are added side by side: one sum would wait for itself. */
#define SIDE (4 * VW)

/* Maximum of a row; NaN is passed over, as what follows meets it anyway. */
INLINE float max_row(const float *x, int64_t n) {
  vf m0 = vset(-INFINITY), m1 = m0, m2 = m0, m3 = m0;
  int64_t i = 0;
  for (; i + SIDE <= n; i += SIDE) {
    m0 = vmax(m0, vload(x + i));
    m1 = vmax(m1, vload(x + i + VW));
    m2 = vmax(m2, vload(x + i + 2 * VW));
    m3 = vmax(m3, vload(x + i + 3 * VW));
  }
  for (; i + VW <= n; i += VW) m0 = vmax(m0, vload(x + i));
  if (i < n) m0 = vmax(m0, vload_part(x + i, (int)(n - i), -INFINITY));
  return vmaximum(vmax(vmax(m0, m1), vmax(m2, m3)));
}

INLINE void copy_row(float *to, const float *from, int64_t n) {
  int64_t i = 0;
  for (; i + VW <= n; i += VW) vstore(to + i, vload(from + i));
  if (i < n) vstore_part(to + i, vload_part(from + i, (int)(n - i), 0), (int)(n - i));
}

#endif
