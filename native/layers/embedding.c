/* Rows of a table by their numbers, and their gradients back into it. */
#include "kernels.h"
#include "simd/rows.h"

struct find {
  const int32_t *ids;
  int64_t n, size;
};

/* Position of the first id outside 0..size-1, or -1. */
int NAME(findBadId)(struct pupil_engine *engine, const void *arguments) {
  (void)engine;
  const struct find *a = arguments;
  for (int64_t i = 0; i < a->n; i++) {
    if ((uint32_t)a->ids[i] >= (uint32_t)a->size) return (int)i;
  }
  return -1;
}

struct gather {
  const float *table;
  const int32_t *ids;
  float *out;
  int64_t n, width;
};

static void gather_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct gather *a = arguments;
  for (int64_t i = first; i < last; i++) {
    copy_row(a->out + i * a->width, a->table + a->ids[i] * a->width, a->width);
  }
}

/* out[i] = table[ids[i]], rows of `width` floats. */
int NAME(gatherRows)(struct pupil_engine *engine, const void *arguments) {
  const struct gather *a = arguments;
  pupil_parallel(engine, gather_task, a, (int)a->n, grain_of(32768, a->width));
  return 0;
}

struct scatter {
  const float *x;
  const int32_t *ids;
  float *out;
  int64_t n, width, size;
};

/* Two cache lines: a unit adds its columns of all rows in their order, so no two threads add into one
 * place and the order is always the same. */
#define COLUMNS 32

static void scatter_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct scatter *a = arguments;
  int64_t begin = (int64_t)first * COLUMNS;
  int64_t count = smaller((int64_t)last * COLUMNS, a->width) - begin;
  for (int64_t i = 0; i < a->n; i++) {
    if (a->ids[i] < 0) continue;
    const float *from = a->x + i * a->width + begin;
    float *to = a->out + a->ids[i] * a->width + begin;
    for (int64_t c = 0; c < count; c += VW) {
      int rest = (int)(count - c);
      vstore_upto(to + c, vadd(vload_upto(to + c, rest, 0), vload_upto(from + c, rest, 0)), rest);
    }
  }
}

static void clear_task(const void *arguments, int first, int last, void *scratch) {
  (void)scratch;
  const struct scatter *a = arguments;
  memset(a->out + first * a->width, 0, sizeof(float) * (size_t)((last - first) * a->width));
}

/* out[ids[i]] += x[i] on a table of `size` rows that starts at zero; negative ids are skipped. */
int NAME(scatterAddRows)(struct pupil_engine *engine, const void *arguments) {
  const struct scatter *a = arguments;
  pupil_parallel(engine, clear_task, a, (int)a->size, grain_of(65536, a->width));
  pupil_parallel(engine, scatter_task, a, (int)ceil_div(a->width, COLUMNS), grain_of(2048, a->n));
  return 0;
}
