#include "layers/rotary.h"

#include "kernels.h"

struct rotary {
  const float *x, *cos, *sin;
  float *y;
  int64_t tokens, heads, half;
  double sign;
};

static void task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct rotary *a = arguments;
  int64_t half = a->half, row = 2 * half * a->heads;
  for (int64_t token = first; token < last; token++) {
    for (int64_t at = token * row; at < (token + 1) * row; at += 2 * half) {
      rotate_head(a->x + at, a->cos + token * half, a->sin + token * half, a->y + at, half,
                  (float)a->sign);
    }
  }
}

int NAME(rotary)(struct pupil_engine *engine, const void *arguments) {
  const struct rotary *a = arguments;
  pupil_parallel(engine, task, a, (int)a->tokens, grain_of(32768, 2 * a->heads * a->half));
  return 0;
}
