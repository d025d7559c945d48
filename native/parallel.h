/* How one job is shared between threads; see parallel.c. */
#ifndef PUPIL_PARALLEL_H
#define PUPIL_PARALLEL_H

struct pupil_engine;
struct pupil_pool;

/* Bytes of working memory that a task finds at `scratch`, aligned to 64, with anything in it. */
#define PUPIL_SCRATCH (2 << 20)

/* Units begin..end-1 of a job. */
typedef void (*pupil_task)(const void *arguments, int begin, int end, void *scratch);

/*
 * Runs a task over units 0..total-1; threads claim `grain` units at a time. A unit's result may depend
 * neither on who computes it nor on its neighbours in a claim. Runs on the calling thread alone where
 * total ≤ grain: choose the grain by work, at least some 10 µs of it (100,000 multiply-adds in vectors).
 */
void pupil_parallel(struct pupil_engine *engine, pupil_task task, const void *arguments, int total,
                    int grain);

/* The calling thread's scratch, for what is not worth sharing. Not within a task. */
void *pupil_scratch(struct pupil_engine *engine);

/* Starts threads - 1 threads, asleep until there is work; NULL without memory. */
struct pupil_pool *pupil_pool_start(int threads);
void pupil_pool_stop(struct pupil_pool *pool);
/* Claims that threads other than the calling one have made: shows that they are there. */
int pupil_pool_claims(const struct pupil_pool *pool);

#endif
