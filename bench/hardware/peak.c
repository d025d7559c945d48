/*
 * What the CPU's widest vectors can do: independent chains of fused multiply-adds in registers, on
 * <threads> threads. Compiled with -march=native by hardware.ts; prints bits per vector and GFLOP/s.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#define CHAINS 24
#elif defined(__AVX__)
#define BYTES 32
#define CHAINS 12
#else
#define BYTES 16
#define CHAINS 12
#endif
typedef float vector __attribute__((vector_size(BYTES)));
enum { STEPS = 4000000, ROUNDS = 9 };

static volatile float sink;

static void *run(void *unused) {
  vector sums[CHAINS], a = {1.5f}, b = {1e-9f};
  for (int c = 0; c < CHAINS; c++) sums[c] = a + (float)c;
  for (int i = 0; i < STEPS; i++) {
#pragma GCC unroll 24
    for (int c = 0; c < CHAINS; c++) sums[c] = a * b + sums[c];
    /* A new value each time, as far as the compiler knows. */
    __asm__ volatile("" : "+x"(a), "+x"(b));
  }
  vector total = {0};
  for (int c = 0; c < CHAINS; c++) total += sums[c];
  sink = total[0] + total[1];
  return unused;
}

int main(int count, char **arguments) {
  const int threads = count > 1 ? atoi(arguments[1]) : 1;
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    pthread_t others[256];
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 1; i < threads; i++) pthread_create(&others[i], NULL, run, NULL);
    run(NULL);
    for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    const double ns = (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
    const double rate = 2.0 * STEPS * CHAINS * (BYTES / 4) * threads / ns;
    if (rate > best) best = rate;
  }
  printf("%d %.3f\n", 8 * BYTES, best);
  return 0;
}
