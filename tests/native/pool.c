/*
 * The pool on its own, for ThreadSanitizer: many jobs of many sizes, each unit computed exactly once, and
 * jobs of phases that read what the phases before wrote, with pauses in which the threads fall asleep.
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

enum { PHASES = 9 };

struct phase {
  const int *before;
  int *after;
  int count_before;
};

/* Each unit adds up all of the phase before. */
static void sum_task(const void *arguments, int begin, int end, void *scratch) {
  const struct phase *phase = arguments;
  (void)scratch;
  for (int unit = begin; unit < end; unit++) {
    int sum = 1;
    for (int i = 0; i < phase->count_before; i++) sum += phase->before[i];
    phase->after[unit] = sum % 1009;
  }
}

/* Some phases have no units, some one, some a chunk more than there are threads. */
static int phases_are_in_order(struct pupil_engine *engine, int number) {
  int values[PHASES][UNITS], start = number, before = 1;
  const int *from = &start;
  struct phase arguments[PHASES];
  struct pupil_phase phases[PHASES];
  for (int p = 0; p < PHASES; p++) {
    const int total = (number * (p + 3)) % 7 * (p % 3 == 0 ? 1 : 5);
    arguments[p] = (struct phase){from, values[p], before};
    phases[p] = (struct pupil_phase){sum_task, &arguments[p], total, 1 + (number + p) % 4};
    if (total == 0) continue;
    from = values[p];
    before = total;
  }
  pupil_phases(engine, phases, PHASES);
  for (int p = 0, sum = number; p < PHASES; p++) {
    if (phases[p].total == 0) continue;
    const int expected = (1 + sum) % 1009;
    for (int unit = 0; unit < phases[p].total; unit++) {
      if (values[p][unit] != expected) return 0;
    }
    sum = expected * phases[p].total;
  }
  return 1;
}

int main(void) {
  /* A thread that waits for ever is a failure. It takes some 0.3 s; SIGALRM ends the process. */
  alarm(60);
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
    if (!phases_are_in_order(&engine, number)) {
      fprintf(stderr, "job %d: a phase began before the one before it had ended\n", number);
      return 1;
    }
    if (number % 100 == 0) usleep(2000);
  }
  pupil_pool_stop(engine.pool);
  puts("pool: every unit once, in the order of the phases");
  return 0;
}
