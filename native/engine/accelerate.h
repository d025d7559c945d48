/* Apple's matrix units, through the BLAS of the operating system; see accelerate.c. */
#ifndef PUPIL_ACCELERATE_H
#define PUPIL_ACCELERATE_H

#include "kernels.h"

int pupil_has_accelerate(void);
/* The kernel that does the entry's work with Accelerate, or the entry's own. */
pupil_kernel pupil_accelerated(const struct pupil_entry *entry);

#endif
