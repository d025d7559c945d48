/* AdamW of all parameters in one pass; see src/ops/optimizer/adamw-update.ts for the formula. */
#include "kernels.h"
#include "simd/rows.h"

/* Floats of a unit of work: four streams in, three out, so memory is the limit, not the claim. */
#define CHUNK 8192

/* A row of the table of parameters, 40 bytes: see src/ops/kernels/wasm/optimizer.ts. */
struct row {
  uint32_t parameter, first, second, gradient;
  uint32_t parameter_out, first_out, second_out; /* may be the first three */
  int32_t n, chunk;                              /* elements; number of the first chunk */
  float keep;                                    /* 1 - rate·decay */
};

struct adamw {
  struct row *table;
  int64_t count;
  const float *scale;
  double beta1, rest1, beta2, rest2, epsilon, rate, root_factor;
};

struct job {
  const struct adamw *a;
  const struct pupil_engine *engine;
};

static void update(const struct adamw *a, const struct pupil_engine *engine, const struct row *row,
                   int64_t begin, int64_t end) {
  const float *p = pupil_at(engine, row->parameter), *m = pupil_at(engine, row->first);
  const float *v = pupil_at(engine, row->second), *g = pupil_at(engine, row->gradient);
  float *out_p = pupil_at(engine, row->parameter_out), *out_m = pupil_at(engine, row->first_out);
  float *out_v = pupil_at(engine, row->second_out);
  vf scale = vset(*a->scale), keep = vset(row->keep), rate = vset((float)a->rate);
  vf beta1 = vset((float)a->beta1), rest1 = vset((float)a->rest1);
  vf beta2 = vset((float)a->beta2), rest2 = vset((float)a->rest2);
  vf epsilon = vset((float)a->epsilon), root_factor = vset((float)a->root_factor);
  for (int64_t i = begin; i < end; i += VW) {
    int rest = (int)(end - i);
    vf gradient = vmul(vload_upto(g + i, rest, 0), scale);
    vf first = vadd(vmul(vload_upto(m + i, rest, 0), beta1), vmul(gradient, rest1));
    vf second = vadd(vmul(vload_upto(v + i, rest, 0), beta2), vmul(vmul(gradient, gradient), rest2));
    vf root = vadd(vmul(vsqrt(second), root_factor), epsilon);
    vf change = vmul(vdiv(first, root), rate);
    vstore_upto(out_p + i, vsub(vmul(vload_upto(p + i, rest, 0), keep), change), rest);
    vstore_upto(out_m + i, first, rest);
    vstore_upto(out_v + i, second, rest);
  }
}

static void task(const void *arguments, int begin, int end, void *scratch) {
  (void)scratch;
  const struct job *job = arguments;
  const struct row *row = job->a->table;
  for (int unit = begin; unit < end; unit++) {
    while ((int64_t)(unit - row->chunk) * CHUNK >= row->n) row++;
    int64_t at = (int64_t)(unit - row->chunk) * CHUNK;
    update(job->a, job->engine, row, at, smaller(at + CHUNK, row->n));
  }
}

int NAME(adamw)(struct pupil_engine *engine, const void *arguments) {
  const struct adamw *a = arguments;
  int units = 0;
  for (int64_t i = 0; i < a->count; i++) {
    a->table[i].chunk = units;
    units += (int)ceil_div(a->table[i].n, CHUNK);
  }
  struct job job = {a, engine};
  pupil_parallel(engine, task, &job, units, 2);
  return 0;
}
