/*
 * The threads of one engine. A job is a list of phases, each with its task, and most have one. The units
 * of a phase are claimed in chunks of `grain`: every thread has a share of them, in their order, and takes
 * chunks of the others' when its own are claimed. So a thread meets the same weights and rows in every
 * step, in its own cache; who comes late is waited for by nobody; and a unit's result does not depend on
 * who computed it. Who completes a phase opens the next one.
 *
 * Why nothing is claimed twice or with stale arguments: a claim says of which phase it is, since the
 * counter of a share has the phase in its upper half, and a phase is opened only when all chunks of the
 * one before are done and whoever opened that has opened all of its shares: a phase of one chunk can be
 * computed before the last share is open, and two that open at once would take each other's back. A
 * thread raises `active` before it claims; behind the last phase all is CLOSED, and
 * the caller waits for active = 0 before it touches the job again. So a thread that comes late finds
 * CLOSED, or a job that was written before its first phase was opened.
 *
 * Who waits looks for some time and then sleeps, because waking costs more than a small kernel: on a
 * virtual machine 14 µs of the thread that wakes, and 50 µs until the other one runs. A thread looks for
 * its next job for as long as that, the gap between two kernels, and so it does for the next phase and, if
 * it is the caller, for the end of the last unit. It is measured in time: a pause is 10 ns on one CPU
 * and 45 on the next. Meanwhile it offers its core again and again to whoever wants it: another program,
 * or the thread that is waited for.
 */
#include "engine/parallel.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels.h"
#include "engine/platform.h"

#define CLOSED INT32_MAX
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

/* What many threads write lies in lines of the cache of its own. */
struct share {
  _Alignas(64) _Atomic uint64_t next; /* phase · 2³² + chunk of the share to claim */
};

/* A thread and which share of the units is its own; the caller's is 0. */
struct worker {
  pupil_thread thread;
  struct pupil_pool *pool;
  int share;
};

struct pupil_pool {
  _Alignas(64) _Atomic int phase; /* that is open */
  _Alignas(64) _Atomic int done;  /* chunks of it, and its opening */
  _Alignas(64) _Atomic int active; /* threads that may hold a claim */
  _Alignas(64) _Atomic unsigned epoch;
  _Atomic int sleepers, waiting, stop, claims;
  _Alignas(64) const struct pupil_phase *phases;
  int phase_count;
  pupil_mutex mutex;
  pupil_condition work, progress;
  int count; /* of threads started */
  struct worker *threads;
  char *caller_scratch;
  struct share shares[]; /* of the caller and of the threads */
};

/* Each scratch has a line before it that kernels do not touch: matmul's note of what it packed. */
static char *new_scratch(void) {
  char *p = pupil_allocate(PUPIL_SCRATCH + 64);
  if (p == NULL) return NULL;
  pupil_large_pages(p, PUPIL_SCRATCH + 64);
  for (int i = 0; i < 64; i++) p[i] = 0;
  return p + 64;
}

static int chunks_of(const struct pupil_phase *phase) {
  return phase->total <= 0 ? 0 : (phase->total - 1) / phase->grain + 1;
}

/* The first chunk of a share. */
static int begin_of(const struct pupil_pool *pool, int phase, int share) {
  return (int)((int64_t)chunks_of(&pool->phases[phase]) * share / (pool->count + 1));
}

static void wake(struct pupil_pool *pool, pupil_condition *condition, _Atomic int *sleeping) {
  if (atomic_load(sleeping) == 0) return;
  pupil_lock(&pool->mutex);
  pupil_wake_all(condition);
  pupil_unlock(&pool->mutex);
}

/* Notes that a chunk of an open phase is done, or its opening; whether that was the last of it. */
static int completes(struct pupil_pool *pool, int phase) {
  return atomic_fetch_add(&pool->done, 1) == chunks_of(&pool->phases[phase]);
}

/* Opens a phase, or the next one that has units, or closes the job. */
static void open_phase(struct pupil_pool *pool, int phase) {
  do {
    while (phase < pool->phase_count && chunks_of(&pool->phases[phase]) == 0) phase++;
    if (phase >= pool->phase_count) phase = CLOSED;
    atomic_store(&pool->done, 0);
    for (int i = 0; i <= pool->count; i++) {
      atomic_store(&pool->shares[i].next, (uint64_t)phase << 32);
    }
    atomic_store(&pool->phase, phase);
    wake(pool, &pool->progress, &pool->waiting);
  } while (phase != CLOSED && completes(pool, phase++));
}

/* Whether a counter of a share stands at a chunk. */
static int is_chunk(const struct pupil_pool *pool, int share, uint64_t counter) {
  const int phase = (int)(counter >> 32);
  if (phase == CLOSED) return 0;
  return begin_of(pool, phase, share) + (int64_t)(uint32_t)counter < begin_of(pool, phase, share + 1);
}

/* Claims a chunk of what is open, of the share `own` first, and computes it; 0 if there is none. */
static int run_chunk(struct pupil_pool *pool, int own, void *scratch) {
  for (int i = 0; i <= pool->count; i++) {
    const int share = (own + i) % (pool->count + 1);
    _Atomic uint64_t *next = &pool->shares[share].next;
    if (!is_chunk(pool, share, atomic_load(next))) continue;
    const uint64_t claimed = atomic_fetch_add(next, 1);
    if (!is_chunk(pool, share, claimed)) continue;
    const int phase = (int)(claimed >> 32);
    const struct pupil_phase *p = &pool->phases[phase];
    const int64_t begin = (int64_t)(begin_of(pool, phase, share) + (int)(uint32_t)claimed) * p->grain;
    const int64_t end = begin + p->grain < p->total ? begin + p->grain : p->total;
    p->task(p->arguments, (int)begin, (int)end, scratch);
    if (completes(pool, phase)) open_phase(pool, phase + 1);
    return 1;
  }
  return 0;
}

/* Waits until another phase is open than the one whose chunks are all claimed. */
static void wait_for_progress(struct pupil_pool *pool, int phase) {
  struct look look = {0, 0};
  while (atomic_load(&pool->phase) == phase) {
    if (keep_looking(&look)) continue;
    pupil_lock(&pool->mutex);
    atomic_fetch_add(&pool->waiting, 1);
    while (atomic_load(&pool->phase) == phase) pupil_wait(&pool->progress, &pool->mutex);
    atomic_fetch_sub(&pool->waiting, 1);
    pupil_unlock(&pool->mutex);
  }
}

/* Computes chunks until the job is closed, or until none will be open that are not claimed. */
static int run_chunks(struct pupil_pool *pool, int own, void *scratch) {
  int claims = 0, phase;
  while ((phase = atomic_load(&pool->phase)) != CLOSED) {
    while (run_chunk(pool, own, scratch)) claims++;
    if (phase == pool->phase_count - 1) break;
    wait_for_progress(pool, phase);
  }
  return claims;
}

static void take_part(struct pupil_pool *pool, int own, void *scratch) {
  if (atomic_load(&pool->phase) == CLOSED) return;
  atomic_fetch_add(&pool->active, 1);
  /* Only now, with `active` raised, does an open job stay as it is. */
  if (atomic_load(&pool->phase) != CLOSED) {
    atomic_fetch_add(&pool->claims, run_chunks(pool, own, scratch));
  }
  if (atomic_fetch_sub(&pool->active, 1) == 1) wake(pool, &pool->progress, &pool->waiting);
}

PUPIL_THREAD(work, argument) {
  const struct worker *worker = argument;
  struct pupil_pool *pool = worker->pool;
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
    take_part(pool, worker->share, scratch);
  }
  if (scratch != NULL) pupil_release(scratch - 64);
  return 0;
}

/* Announces a job, or the end; wakes whoever sleeps. */
static void announce(struct pupil_pool *pool) {
  atomic_fetch_add(&pool->epoch, 1);
  wake(pool, &pool->work, &pool->sleepers);
}

static void wait_for_others(struct pupil_pool *pool) {
  struct look look = {0, 0};
  while (atomic_load(&pool->phase) != CLOSED || atomic_load(&pool->active) != 0) {
    if (keep_looking(&look)) continue;
    pupil_lock(&pool->mutex);
    atomic_fetch_add(&pool->waiting, 1);
    while (atomic_load(&pool->phase) != CLOSED || atomic_load(&pool->active) != 0) {
      pupil_wait(&pool->progress, &pool->mutex);
    }
    atomic_fetch_sub(&pool->waiting, 1);
    pupil_unlock(&pool->mutex);
  }
}

void pupil_phases(struct pupil_engine *engine, const struct pupil_phase *phases, int count) {
  struct pupil_pool *pool = engine->pool;
  int shared = 0;
  for (int i = 0; i < count; i++) shared |= phases[i].total > phases[i].grain;
  if (pool->count == 0 || !shared) {
    for (int i = 0; i < count; i++) {
      const struct pupil_phase *p = &phases[i];
      if (p->total > 0) p->task(p->arguments, 0, p->total, pool->caller_scratch);
    }
    return;
  }
  pool->phases = phases;
  pool->phase_count = count;
  open_phase(pool, 0);
  announce(pool);
  run_chunks(pool, 0, pool->caller_scratch);
  wait_for_others(pool);
}

void pupil_parallel(struct pupil_engine *engine, pupil_task task, const void *arguments, int total,
                    int grain) {
  const struct pupil_phase phase = {task, arguments, total, grain};
  pupil_phases(engine, &phase, 1);
}

void *pupil_scratch(struct pupil_engine *engine) { return engine->pool->caller_scratch; }

int pupil_pool_claims(const struct pupil_pool *pool) { return atomic_load(&pool->claims); }

struct pupil_pool *pupil_pool_start(int threads) {
  if (threads < 1) threads = 1;
  struct pupil_pool *pool = pupil_allocate(sizeof *pool + (size_t)threads * sizeof *pool->shares);
  if (pool == NULL) return NULL;
  *pool = (struct pupil_pool){.phase = CLOSED};
  pupil_mutex_init(&pool->mutex);
  pupil_condition_init(&pool->work);
  pupil_condition_init(&pool->progress);
  pool->caller_scratch = new_scratch();
  pool->threads = calloc((size_t)threads, sizeof *pool->threads);
  if (pool->caller_scratch == NULL || pool->threads == NULL) {
    pupil_pool_stop(pool);
    return NULL;
  }
  for (int i = 0; i < threads - 1; i++) {
    struct worker *worker = &pool->threads[i];
    *worker = (struct worker){.pool = pool, .share = i + 1};
    if (!pupil_thread_start(&worker->thread, work, worker)) break;
    pool->count++;
  }
  return pool;
}

void pupil_pool_stop(struct pupil_pool *pool) {
  atomic_store(&pool->stop, 1);
  announce(pool);
  for (int i = 0; i < pool->count; i++) pupil_thread_join(pool->threads[i].thread);
  if (pool->caller_scratch != NULL) pupil_release(pool->caller_scratch - 64);
  free(pool->threads);
  pupil_release(pool);
}
