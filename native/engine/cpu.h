/* Which instruction sets this CPU and its operating system offer. */
#ifndef PUPIL_CPU_H
#define PUPIL_CPU_H

int pupil_has_avx2(void);   /* AVX2 and fused multiply-add */
int pupil_has_avx512(void); /* F, VL, DQ and BW */

#endif
