/* The kernels of one instruction set. */
#include "table.h"

#include "kernels.h"

#define DECLARE(kernel, signature) \
  int NAME(kernel)(struct pupil_engine * engine, const void *arguments);
#define ENTRY(kernel, signature) {#kernel, signature, NAME(kernel)},

PUPIL_KERNELS(DECLARE)

const struct pupil_entry NAME(pupil_table)[] = {PUPIL_KERNELS(ENTRY){NULL, NULL, NULL}};
