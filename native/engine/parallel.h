/* How one job is shared between threads; see parallel.c. */
#ifndef PUPIL_PARALLEL_H
#define PUPIL_PARALLEL_H

struct pupil_engine;
struct pupil_pool;

/* Bytes of working memory that a task finds at `scratch`, aligned to 64, with anything in it. */
#define PUPIL_SCRATCH (2 << 20)

/* Units begin..end-1 of a job. */
typedef void (*pupil_task)(const void *arguments, int begin, int end, void *scratch);

/* What is computed before the next phase begins; a unit of it may read what earlier phases wrote. */
struct pupil_phase {
  pupil_task task;
  const void *arguments;
  int total, grain;
};

/*
 * Runs a task over units 0..total-1; threads claim `grain` units at a time. A unit's result may depend
 * neither on who computes it nor on its neighbours in a claim. Runs on the calling thread alone where
 * total ≤ grain: choose the grain by work, at least some 10 µs of it (100,000 multiply-adds in vectors).
 */
void pupil_parallel(struct pupil_engine *engine, pupil_task task, const void *arguments, int total,
                    int grain);

/*
 * Runs several phases as one job: the threads stay awake from one to the next, which costs less than a
 * microsecond. A grain may be as small: a chunk is a claim of some 20 ns.
 */
void pupil_phases(struct pupil_engine *engine, const struct pupil_phase *phases, int count);

/* The calling thread's scratch, for what is not worth sharing. Not within a task. */
void *pupil_scratch(struct pupil_engine *engine);

/* Starts threads - 1 threads, asleep until there is work; NULL without memory. */
struct pupil_pool *pupil_pool_start(int threads);
void pupil_pool_stop(struct pupil_pool *pool);
/* Claims that threads other than the calling one have made: shows that they are there. */
int pupil_pool_claims(const struct pupil_pool *pool);

#endif
