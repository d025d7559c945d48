/*
 * One token per row: the likeliest, or the one where the cumulative distribution passes a uniform,
 * after top-k and top-p have left some out. Both are a threshold on the exponentials of the logits,
 * found by partitioning as in quicksort, where only the side that has the threshold is looked at
 * again: linear in the vocabulary, with the same pivots in every run. Sums go in the order of
 * assembly/sample.ts, four lanes of 128 bits whatever the CPU has: the same logits give the same token.
 */
#include "simd/functions.h"
#include "kernels.h"
#include "simd/rows.h"

/* Entries whose exponentials are added up before the sum goes on in float64. */
#define BLOCK 64

/* Longest row that fits into a thread's scratch, twice. */
int NAME(longestSampledRow)(struct pupil_engine *engine, const void *arguments) {
  (void)engine;
  (void)arguments;
  return PUPIL_SCRATCH / 8 - BLOCK;
}

struct sample {
  const float *logits, *uniforms;
  float *out;
  int64_t rows, n;
  double inverse_temperature;
  int64_t top_k;
  double top_p;
};

typedef float v4 __attribute__((vector_size(16)));

/* Sum of up to BLOCK values. */
static float block_sum(const float *e, int64_t count) {
  v4 sum = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    v4 next;
    memcpy(&next, e + i, sizeof next);
    sum += next;
  }
  if (i < count) {
    v4 last = {e[i], i + 1 < count ? e[i + 1] : 0, i + 2 < count ? e[i + 2] : 0, 0};
    sum += last;
  }
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* e^((x - top)·k) into `e`; returns their sum. */
static double exponentials(float *e, const float *x, int64_t n, float top, float k) {
  vf m = vset(top), ks = vset(k);
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += BLOCK) {
    int64_t end = smaller(n, begin + BLOCK);
    for (int64_t i = begin; i < end; i += VW) {
      int rest = (int)(end - i);
      vstore_upto(e + i, vexp_negative(vmul(vsub(vload_upto(x + i, rest, 0), m), ks)), rest);
    }
    total += block_sum(e + begin, end - begin);
  }
  return total;
}

/* The first entry at which the sum of the exponentials exceeds `threshold`. */
static int64_t invert(const float *e, int64_t n, double threshold) {
  double sum = 0;
  int64_t last = 0;
  for (int64_t begin = 0; begin < n; begin += BLOCK) {
    int64_t end = smaller(n, begin + BLOCK);
    double after = sum + block_sum(e + begin, end - begin);
    if (after > threshold) {
      for (int64_t i = begin; i < end; i++) {
        if (e[i] == 0) continue;
        last = i;
        sum += e[i];
        if (sum > threshold) break;
      }
      return last;
    }
    sum = after;
  }
  return last;
}

static int64_t first_maximum(const float *x, int64_t n, float top) {
  for (int64_t i = 0; i < n; i++) {
    if (x[i] == top) return i;
  }
  return n - 1;
}

INLINE void swap(float *values, int64_t i, int64_t j) {
  float a = values[i];
  values[i] = values[j];
  values[j] = a;
}

INLINE float middle_of(float a, float b, float c) {
  float low = fminf(a, b), high = fmaxf(a, b);
  return fmaxf(low, fminf(high, c));
}

/* A value, and what lies above it in count and mass. */
struct cut {
  float value;
  int64_t count;
  double mass;
};

/*
 * The largest value v for which the values above it are at least `count` or hold at least `mass`,
 * whichever of the two is asked for: the values from v up are the `count` largest, or the fewest that
 * hold `mass` (with those that tie with the last). Reorders the values.
 */
static struct cut cut_off(float *values, int64_t n, int64_t count, double mass) {
  int64_t low = 0, high = n;
  struct cut cut = {values[0], 0, 0};
  while (low < high) {
    float pivot = middle_of(values[low], values[(low + high) >> 1], values[high - 1]);
    /* [low, above) are larger, [above, i) equal, [below, high) smaller. */
    int64_t above = low, below = high;
    double sum = 0;
    for (int64_t i = low; i < below;) {
      float value = values[i];
      if (value > pivot) {
        sum += value;
        swap(values, i++, above++);
      } else if (value < pivot) {
        swap(values, i, --below);
      } else {
        i++;
      }
    }
    int64_t larger_ones = above - low, equal = below - above;
    if (cut.count + larger_ones >= count || cut.mass + sum >= mass) {
      high = above;
      continue;
    }
    double equal_mass = (double)equal * pivot;
    cut.value = pivot;
    cut.count += larger_ones;
    cut.mass += sum;
    if (cut.count + equal >= count || cut.mass + equal_mass >= mass) return cut;
    cut.count += equal;
    cut.mass += equal_mass;
    low = below;
  }
  return cut;
}

/* Sets the exponentials that top-k and top-p leave out to 0; returns the sum of the rest. */
static double truncate(float *e, int64_t n, int64_t top_k, float top_p, double total) {
  float *copy = e + n, threshold = 0;
  if (top_k > 0) {
    memcpy(copy, e, sizeof(float) * (size_t)n);
    struct cut cut = cut_off(copy, n, top_k, INFINITY);
    threshold = cut.value;
    /* Of those that tie with the last, as many as make k. */
    total = cut.mass + (double)(top_k - cut.count) * threshold;
  }
  if (top_p < 1) {
    memcpy(copy, e, sizeof(float) * (size_t)n);
    threshold = fmaxf(threshold, cut_off(copy, n, INT32_MAX, (double)top_p * total).value);
  }
  double kept = 0;
  for (int64_t i = 0; i < n; i++) {
    if (e[i] < threshold) e[i] = 0;
    else kept += e[i];
  }
  return kept;
}

static void task(const void *arguments, int first, int last, void *scratch) {
  const struct sample *a = arguments;
  float k = (float)a->inverse_temperature, top_p = (float)a->top_p, *e = scratch;
  int64_t n = a->n;
  for (int64_t row = first; row < last; row++) {
    const float *x = a->logits + row * n;
    float top = max_row(x, n);
    int64_t id;
    double total;
    if (a->uniforms) {
      double drawn = exponentials(e, x, n, top, k), kept = drawn;
      if (a->top_k > 0 || top_p < 1) kept = truncate(e, n, a->top_k, top_p, drawn);
      id = invert(e, n, (double)a->uniforms[row] * kept);
      total = k == 1 ? drawn : exponentials(e, x, n, top, 1);
    } else {
      id = first_maximum(x, n, top);
      total = exponentials(e, x, n, top, 1);
    }
    a->out[row] = (float)id;
    a->out[a->rows + row] = x[id] - top - log_one((float)total);
  }
}

/* out[0, row] = the token of a row, out[1, row] = its log-probability at temperature 1. */
int NAME(sample)(struct pupil_engine *engine, const void *arguments) {
  const struct sample *a = arguments;
  pupil_parallel(engine, task, a, (int)a->rows, grain_of(16384, a->n));
  return 0;
}
