#include "engine/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* The registers that the operating system saves at a switch between threads: XCR0. */
static unsigned saved_registers(void) {
  unsigned a, b, c, d, low, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27))) return 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static unsigned features(void) {
  unsigned a, b = 0, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) ? b : 0;
}

int pupil_has_avx2(void) {
  unsigned a, b, c = 0, d;
  const unsigned ymm = 0x6;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  int fma = (c >> 12) & 1, avx2 = (features() >> 5) & 1;
  return fma && avx2 && (saved_registers() & ymm) == ymm;
}

int pupil_has_avx512(void) {
  const unsigned zmm = 0xe6;
  const unsigned wanted = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
  return pupil_has_avx2() && (features() & wanted) == wanted && (saved_registers() & zmm) == zmm;
}
#else
int pupil_has_avx2(void) { return 0; }
int pupil_has_avx512(void) { return 0; }
#endif
