/*
 * The pool on its own, for ThreadSanitizer: many jobs of many sizes, each unit computed exactly once,
 * with pauses in which the threads fall asleep.
 */
#include <stdio.h>
#include <unistd.h>

#include "kernels.h"

enum { UNITS = 257 };

struct job {
  int *counts;
  int number;
};

static void task(const void *arguments, int begin, int end, void *scratch) {
  const struct job *job = arguments;
  for (int unit = begin; unit < end; unit++) job->counts[unit] += job->number;
  *(int *)scratch = begin;
}

int main(void) {
  static int counts[UNITS];
  struct pupil_engine engine = {.pool = pupil_pool_start(4), .threads = 4};
  for (int number = 1; number <= 2000; number++) {
    const struct job job = {counts, number};
    const int total = 1 + number % UNITS;
    for (int unit = 0; unit < UNITS; unit++) counts[unit] = 0;
    pupil_parallel(&engine, task, &job, total, 1 + number % 5);
    for (int unit = 0; unit < UNITS; unit++) {
      if (counts[unit] == (unit < total ? number : 0)) continue;
      fprintf(stderr, "job %d: unit %d was not computed once\n", number, unit);
      return 1;
    }
    if (number % 100 == 0) usleep(2000);
  }
  pupil_pool_stop(engine.pool);
  puts("pool: every unit once");
  return 0;
}
