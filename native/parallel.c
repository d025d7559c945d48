/*
 * The threads of one engine, with the split of work of assembly/threads.ts: the calling thread opens
 * the counter `next`, every thread claims `grain` units at a time until none are left, and a unit's
 * result does not depend on who computed it.
 *
 * Why nothing can be claimed twice or with stale arguments: a thread raises `active` before it claims.
 * The caller closes `next` and waits for active = 0 before it touches the job again, so a thread that
 * comes late finds CLOSED, or a job that was written before `next` was opened.
 *
 * Who waits looks for some time and then sleeps, because waking costs more than a small kernel: on a
 * virtual machine 14 µs of the thread that wakes, and 50 µs until the other one runs. A thread looks for
 * its next job for as long as that, the gap between two kernels, and the caller for the end of the last
 * unit. It is measured in time: a pause is 10 ns on one CPU and 45 on the next. Meanwhile it offers its core
 * again and again to whoever wants it: another program, or the thread that is waited for.
 */
#include "parallel.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels.h"
#include "platform.h"

#define CLOSED INT64_MAX / 2
#define LOOK_NS 100000
/* Pauses, 1 to 3 µs of them, between two offers of the core. */
#define PAUSES 64

/* How long somebody has been looking for something. */
struct look {
  int pauses;
  int64_t until;
};

/* Passes some time; whether there is any left. */
static int keep_looking(struct look *look) {
  pupil_pause();
  if (++look->pauses % PAUSES != 0) return 1;
  pupil_yield();
  int64_t now = pupil_nanoseconds();
  if (look->until == 0) look->until = now + LOOK_NS;
  return now < look->until;
}

struct pupil_pool {
  /* What many threads write lies in lines of the cache of its own. */
  _Alignas(64) _Atomic int64_t next; /* unit to claim */
  _Alignas(64) _Atomic int active;   /* threads that may hold a claim */
  _Alignas(64) _Atomic unsigned epoch;
  _Atomic int sleepers, caller_waits, stop, claims;
  _Alignas(64) pupil_task task;
  const void *arguments;
  int total, grain;
  pupil_mutex mutex;
  pupil_condition work, done;
  int count; /* of threads started */
  pupil_thread *threads;
  char *caller_scratch;
};

/* Each scratch has a line before it that kernels do not touch: matmul's note of what it packed. */
static char *new_scratch(void) {
  char *p = pupil_allocate(PUPIL_SCRATCH + 64);
  if (p == NULL) return NULL;
  pupil_large_pages(p, PUPIL_SCRATCH + 64);
  for (int i = 0; i < 64; i++) p[i] = 0;
  return p + 64;
}

static int claim(struct pupil_pool *pool, void *scratch) {
  int claims = 0;
  int total = pool->total, grain = pool->grain;
  int64_t begin;
  while ((begin = atomic_fetch_add(&pool->next, grain)) < total) {
    int64_t end = begin + grain;
    pool->task(pool->arguments, (int)begin, (int)(end < total ? end : total), scratch);
    claims++;
  }
  return claims;
}

static void take_part(struct pupil_pool *pool, void *scratch) {
  if (atomic_load(&pool->next) >= CLOSED) return;
  atomic_fetch_add(&pool->active, 1);
  /* Only now, with `active` raised, does an open job stay as it is. */
  if (atomic_load(&pool->next) < CLOSED) {
    atomic_fetch_add(&pool->claims, claim(pool, scratch));
  }
  if (atomic_fetch_sub(&pool->active, 1) == 1 && atomic_load(&pool->caller_waits)) {
    pupil_lock(&pool->mutex);
    pupil_wake_all(&pool->done);
    pupil_unlock(&pool->mutex);
  }
}

PUPIL_THREAD(work, argument) {
  struct pupil_pool *pool = argument;
  char *scratch = new_scratch();
  unsigned seen = 0;
  while (scratch != NULL) {
    struct look look = {0, 0};
    unsigned now;
    while ((now = atomic_load(&pool->epoch)) == seen && keep_looking(&look)) continue;
    if (now == seen) {
      pupil_lock(&pool->mutex);
      atomic_fetch_add(&pool->sleepers, 1);
      while ((now = atomic_load(&pool->epoch)) == seen) pupil_wait(&pool->work, &pool->mutex);
      atomic_fetch_sub(&pool->sleepers, 1);
      pupil_unlock(&pool->mutex);
    }
    seen = now;
    if (atomic_load(&pool->stop)) break;
    take_part(pool, scratch);
  }
  if (scratch != NULL) pupil_release(scratch - 64);
  return 0;
}

/* Announces a job, or the end; wakes whoever sleeps. */
static void announce(struct pupil_pool *pool) {
  atomic_fetch_add(&pool->epoch, 1);
  if (atomic_load(&pool->sleepers) == 0) return;
  pupil_lock(&pool->mutex);
  pupil_wake_all(&pool->work);
  pupil_unlock(&pool->mutex);
}

static void wait_for_others(struct pupil_pool *pool) {
  struct look look = {0, 0};
  while (atomic_load(&pool->active) != 0) {
    if (keep_looking(&look)) continue;
    pupil_lock(&pool->mutex);
    atomic_store(&pool->caller_waits, 1);
    while (atomic_load(&pool->active) != 0) pupil_wait(&pool->done, &pool->mutex);
    atomic_store(&pool->caller_waits, 0);
    pupil_unlock(&pool->mutex);
  }
}

void pupil_parallel(struct pupil_engine *engine, pupil_task task, const void *arguments, int total,
                    int grain) {
  struct pupil_pool *pool = engine->pool;
  if (total <= 0) return;
  if (pool->count == 0 || total <= grain) {
    task(arguments, 0, total, pool->caller_scratch);
    return;
  }
  pool->task = task;
  pool->arguments = arguments;
  pool->total = total;
  pool->grain = grain;
  atomic_store(&pool->next, 0);
  announce(pool);
  claim(pool, pool->caller_scratch);
  atomic_store(&pool->next, CLOSED);
  wait_for_others(pool);
}

void *pupil_scratch(struct pupil_engine *engine) { return engine->pool->caller_scratch; }

int pupil_pool_claims(const struct pupil_pool *pool) { return atomic_load(&pool->claims); }

struct pupil_pool *pupil_pool_start(int threads) {
  struct pupil_pool *pool = pupil_allocate(sizeof *pool);
  if (pool == NULL) return NULL;
  *pool = (struct pupil_pool){.next = CLOSED};
  pupil_mutex_init(&pool->mutex);
  pupil_condition_init(&pool->work);
  pupil_condition_init(&pool->done);
  pool->caller_scratch = new_scratch();
  pool->threads = calloc((size_t)(threads > 1 ? threads - 1 : 1), sizeof *pool->threads);
  if (pool->caller_scratch == NULL || pool->threads == NULL) {
    pupil_pool_stop(pool);
    return NULL;
  }
  while (pool->count < threads - 1 &&
         pupil_thread_start(&pool->threads[pool->count], work, pool)) {
    pool->count++;
  }
  return pool;
}

void pupil_pool_stop(struct pupil_pool *pool) {
  atomic_store(&pool->stop, 1);
  announce(pool);
  for (int i = 0; i < pool->count; i++) pupil_thread_join(pool->threads[i]);
  if (pool->caller_scratch != NULL) pupil_release(pool->caller_scratch - 64);
  free(pool->threads);
  pupil_release(pool);
}
