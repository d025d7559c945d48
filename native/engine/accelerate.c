/*
 * macOS: cblas_sgemm of Accelerate, which uses the matrix units of Apple's chips, behind the contract
 * of matmul. Looked up at run time, so that it can be compiled anywhere. How many threads it uses is
 * its own affair; whether its results depend on that is not documented.
 *
 * Built, not run: no such machine was at hand.
 */
#include "engine/accelerate.h"

#if defined(__APPLE__)
#include <dlfcn.h>
#include <string.h>

#include "matmul.h"

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

typedef void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                      const float *a, int lda, const float *b, int ldb, float beta, float *c,
                      int ldc);

static sgemm find_sgemm(void) {
  static sgemm found;
  if (found == NULL) {
    void *library =
        dlopen("/System/Library/Frameworks/Accelerate.framework/Accelerate", RTLD_LAZY);
    if (library != NULL) found = (sgemm)dlsym(library, "cblas_sgemm");
  }
  return found;
}

int pupil_has_accelerate(void) { return find_sgemm() != NULL; }

static int matmul(struct pupil_engine *engine, const void *arguments) {
  (void)engine;
  const struct matmul *x = arguments;
  int m = (int)x->m, n = (int)x->n, k = (int)x->k;
  if (x->batch * m * n == 0) return 0;
  int transpose_a = (x->flags & MATMUL_TRANSPOSE_A) != 0;
  int transpose_b = (x->flags & MATMUL_TRANSPOSE_B) != 0;
  int add = (x->flags & MATMUL_ADD) != 0;
  for (int64_t i = 0; i < x->batch; i++) {
    float *c = x->c + i * m * n;
    for (int row = 0; !add && row < m; row++) {
      if (x->bias != NULL) memcpy(c + (size_t)row * n, x->bias, (size_t)n * sizeof *c);
      else memset(c + (size_t)row * n, 0, (size_t)n * sizeof *c);
    }
    if (k == 0) continue;
    find_sgemm()(ROW_MAJOR, transpose_a ? TRANSPOSE : NO_TRANSPOSE,
                 transpose_b ? TRANSPOSE : NO_TRANSPOSE, m, n, k, 1, x->a + i * x->stride_a,
                 transpose_a ? m : k, x->b + i * x->stride_b, transpose_b ? k : n, 1, c, n);
  }
  return 0;
}

pupil_kernel pupil_accelerated(const struct pupil_entry *entry) {
  return strcmp(entry->name, "matmul") == 0 ? matmul : entry->run;
}
#else
int pupil_has_accelerate(void) { return 0; }
pupil_kernel pupil_accelerated(const struct pupil_entry *entry) { return entry->run; }
#endif
