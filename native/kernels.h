/*
 * How a kernel is written. A kernel has the name and the arguments of its twin in WebAssembly
 * (src/ops/kernels/wasm/engine/exports.ts) and works on the same memory:
 *
 *     struct fill { float *out; double value; int64_t n; };      // one field of 8 bytes an argument
 *
 *     static void task(const void *arguments, int begin, int end, void *scratch) { … }
 *
 *     int NAME(fill)(struct pupil_engine *engine, const void *arguments) {
 *       const struct fill *x = arguments;
 *       pupil_parallel(engine, task, x, units, grain);
 *       return 0;                                               // or its result, an integer
 *     }
 *
 * and one line in table.h, with a letter for every argument: `p` an address, given as a pointer and
 * NULL for address 0; `i` a 32-bit integer, given as int64_t; `f` a float, given as a double that
 * has been rounded to float32 (as WebAssembly does).
 *
 * Its file is compiled once per instruction set with other flags; NAME adds the suffix, and everything
 * else in the file is static. Results depend on the arguments alone: not on the number of threads, not
 * on addresses.
 */
#ifndef PUPIL_KERNELS_H
#define PUPIL_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/parallel.h"

#define PUPIL_JOIN_(a, b) a##_##b
#define PUPIL_JOIN(a, b) PUPIL_JOIN_(a, b)
/* PUPIL_ISA is given by the build: avx512, avx2, neon or baseline. */
#define NAME(kernel) PUPIL_JOIN(kernel, PUPIL_ISA)

/* One memory and the threads that work on it. */
struct pupil_engine {
  char *base; /* of the WebAssembly memory; a shared memory does not move when it grows */
  struct pupil_pool *pool;
  int threads; /* with the calling one */
};

/* An address that a kernel finds in memory rather than among its arguments. */
static inline void *pupil_at(const struct pupil_engine *engine, uint32_t address) {
  return address == 0 ? NULL : engine->base + address;
}

typedef int (*pupil_kernel)(struct pupil_engine *engine, const void *arguments);

struct pupil_entry {
  const char *name;
  const char *signature; /* a letter per argument */
  pupil_kernel run;
};

#endif
