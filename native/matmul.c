/*
 * C = op(A)·op(B) (+ bias, or + C), batched.
 *
 * Every element of C is one chain of multiply-adds along k, from the bias (or 0, or what is in C)
 * upwards. Where a block or a tile ends changes nothing in that order, so results depend neither on
 * the blocking, nor on the threads, nor on the width of the vectors: all executors with a fused
 * multiply-add give the same bits.
 *
 * Tile: ROWS × 2 vectors of C stay in registers while they walk along k; a step reads two vectors of
 * B and broadcasts one number of A per row. With 32 registers (AVX-512, NEON) 12 rows make 24 chains:
 * enough for two multiply-adds a cycle with a latency of 4, and 14 loads for 24 multiply-adds. With
 * 16 registers (AVX2, SSE2) 6 rows make 12 chains, 2 for B and 1 for A.
 *
 * A is multiplied as it lies where its rows are at most KC_IN_PLACE terms long: with all of k in one block no
 * tile of C is stored and loaded again, and nothing is copied (1024³ on one thread of a Xeon with AVX-512: at
 * 190 GFLOP/s, with copies in blocks of 512 at 175). Longer rows, a power of two apart, would share a few
 * sets of the second cache, and A stored [k, m] has no rows: some of it at a time, COPIED numbers, is copied,
 * to rows that lie together or to [k][ROWS], and k is cut into as few blocks of at most KC terms as there must
 * be, of equal length. A panel of B, [k][2 vectors], is 64 KiB or more at 512 bits: it streams from the second
 * cache, two lines a step of 12 cycles, which the CPU foresees; panels that fit into the first one, of 256
 * terms, measured slower.
 *
 * B is packed in blocks of BLOCK numbers at most: half of the second cache of CPUs with 512-bit vectors that
 * have 2 MiB, a quarter to all of it elsewhere. Units that follow each other on a thread use the same block.
 * Where k is too long for that, it is computed in rounds, phases of one job: else every unit would pack all of
 * its columns again ([256, 32000]·[32000, 128] on two threads: at 270 instead of 216 GFLOP/s).
 *
 * In a training step operands come from the third cache or from memory, hardly ever from the second (they
 * are as large as it is), and rows that are read side by side are no pattern that the CPU foresees. So
 * lines are asked for a tile ahead: of C, which is new memory or far away since the last block of k; of A,
 * while it is read in place for the first time ([1024, 256]·[256, 256] of operands that are in no cache:
 * at 170 instead of 142 GFLOP/s); and of what is packed, some rows ahead. Asked for all at once, C's lines
 * take the places of B's among the misses that the first cache can wait for: one in four terms is as good
 * as none ([1024, 256]·[256, 4096]: at 188 instead of 174). Where A was copied it was 3 % slower, so there they
 * are asked for at once.
 */
#include "matmul.h"

#include "kernels.h"
#include "pack.h"

#define KC 512
#define KC_IN_PLACE 1024
#if VW == 16
#define BLOCK (256 * 1024)
#else
#define BLOCK (128 * 1024)
#endif
#define COPIED (96 * 1024)

/* A thread's scratch: the packed block of B, what is copied of A, a row that is shorter than a tile. */
_Static_assert((BLOCK + COPIED) * sizeof(float) <= PUPIL_SCRATCH, "scratch");

/* How a tile's sums start. */
enum start { FROM_ZERO, FROM_BIAS, FROM_C };

struct tile {
  const float *a; /* element (row, k) of A is a[row·a_row + k·a_step] */
  int64_t a_row, a_step;
  const float *b; /* element (k, column) of B is b[k·b_row + column] */
  int64_t b_row;
  int kc;
  float *c;
  int64_t c_row;
  const float *bias;
  enum start start;
  /* The tile after this one: its lines are asked for while this one is computed. */
  float *next_c;
  const float *next_a;
  int next_step; /* 0: A is near */
  int copied;    /* A is a copy: C's lines are asked for at once */
};

/*
 * One tile of a known number of rows; `vectors` whole vectors of columns, the last of `last` lanes. `spreads`: asks
 * for C's lines one by one.
 */
INLINE void run_tile(const struct tile *t, const int rows, const int vectors, const int last,
                     const int spreads) {
  vf sums[MR][2];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      const int lanes = v == vectors - 1 ? last : VW;
      if (t->start == FROM_ZERO) sums[r][v] = vzero();
      else {
        const float *from = t->start == FROM_BIAS ? t->bias : t->c + r * t->c_row;
        sums[r][v] = vload_upto(from + v * VW, lanes, 0);
      }
    }
  }
  const float *a = t->a, *b = t->b;
  const int64_t a_row = t->a_row, a_step = t->a_step, b_row = t->b_row;
  const float *a3 = a + 3 * a_row, *a6 = a + 6 * a_row, *a9 = a + 9 * a_row;
  const float *next = t->next_a;
  const int next_step = t->next_step;
#define STEP()                                                                     \
  do {                                                                             \
    __builtin_prefetch(next, 0, 2);                                                \
    next += next_step;                                                             \
    vf b0 = vload_upto(b, vectors == 1 ? last : VW, 0), b1 = b0;                   \
    if (vectors == 2) b1 = vload_upto(b + VW, last, 0);                            \
    _Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) {                      \
      /* Four pointers and one stride reach 12 rows with the addressing of x64. */ \
      const float *base = r < 3 ? a : r < 6 ? a3 : r < 9 ? a6 : a9;                \
      vf x = vset(base[(r % 3) * a_row]);                                          \
      sums[r][0] = vfma(x, b0, sums[r][0]);                                        \
      if (vectors == 2) sums[r][1] = vfma(x, b1, sums[r][1]);                      \
    }                                                                              \
    a += a_step;                                                                   \
    a3 += a_step;                                                                  \
    a6 += a_step;                                                                  \
    a9 += a_step;                                                                  \
    b += b_row;                                                                    \
  } while (0)
  int k = t->kc;
  const float *next_c = t->next_c;
  if (spreads && !t->copied && k >= 8 * rows) {
    for (int r = 0; r < rows; r++, next_c += t->c_row, k -= 8) {
#pragma GCC unroll 2
      for (int v = 0; v < 2; v++) {
        if (v < vectors) __builtin_prefetch(next_c + v * VW, 1);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) STEP();
      }
    }
  } else {
    for (int r = 0; r < rows; r++, next_c += t->c_row) {
      __builtin_prefetch(next_c, 1);
      if (vectors == 2) __builtin_prefetch(next_c + VW, 1);
    }
  }
  for (; k > 0; k--) STEP();
#undef STEP
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      vstore_upto(t->c + r * t->c_row + v * VW, sums[r][v], v == vectors - 1 ? last : VW);
    }
  }
}

/* `columns` 1..NR. */
INLINE void tile_of_rows(const struct tile *t, const int rows, int columns) {
  if (columns == NR) run_tile(t, rows, 2, VW, 0);
  else if (columns > VW) run_tile(t, rows, 2, columns - VW, 0);
  else run_tile(t, rows, 1, columns, 0);
}

static __attribute__((noinline)) void whole_tile(const struct tile *t) { run_tile(t, MR, 2, VW, 1); }

#define CASE(rows)                          \
  case rows:                                \
    tile_of_rows(t, rows, columns);         \
    break

static __attribute__((noinline)) void edge_tile(const struct tile *t, int rows, int columns) {
  switch (rows) {
#if MR == 12
    CASE(12);
    CASE(11);
    CASE(10);
    CASE(9);
    CASE(8);
    CASE(7);
#endif
    CASE(6);
    CASE(5);
    CASE(4);
    CASE(3);
    CASE(2);
    CASE(1);
  }
}

struct job {
  struct matmul x;
  int64_t number; /* of the product, ever: what a thread packed for another one is of no use */
  int64_t lda, ldb;
  int kc;            /* terms of a block */
  int rows, columns; /* of a unit */
  int blocks_m, blocks_n;
  int in_place; /* B is not packed */
  int round;    /* terms of which B's columns of a unit are packed, and stay for the units to come */
};

/* Terms k0..k1 of a product, which all units compute before the next ones. */
struct round {
  const struct job *job;
  int k0, k1;
};

/* What lies packed in a thread's scratch: in the line before it. */
struct note {
  int64_t job, block;
  int k0;
};

static enum start start_of(const struct job *job, int k0) {
  if (k0 > 0 || job->x.flags & MATMUL_ADD) return FROM_C;
  return job->x.bias != NULL ? FROM_BIAS : FROM_ZERO;
}

static int divide_up(int64_t a, int64_t b) { return (int)((a + b - 1) / b); }
static int at_least_one(int64_t n) { return n < 1 ? 1 : (int)n; }

/* Rows m0..m1 of the columns of one panel; the tiles of A are `tile_step` apart. */
static void run_panel(struct tile tile, int64_t tile_step, int m0, int m1, int columns) {
  float *c = tile.c;
  for (int m = m0; m < m1; m += MR) {
    const int rows = m1 - m < MR ? m1 - m : MR;
    tile.c = c + m * tile.c_row;
    tile.next_c = tile.c + MR * tile.c_row;
    tile.next_a = tile.a + tile_step;
    if (rows == MR && columns == NR) whole_tile(&tile);
    else edge_tile(&tile, rows, columns);
    tile.a += tile_step;
  }
}

/* Terms k0..k0+kc of rows m0..m1 and columns n0..n1; B's panels are packed, or B is read where it is. */
static void run_block(const struct job *job, const float *a, const float *b, float *c, const float *panels,
                      int k0, int kc, int m0, int m1, int n0, int n1, float *copied) {
  const struct matmul *x = &job->x;
  const int transpose_a = (x->flags & MATMUL_TRANSPOSE_A) != 0;
  const int gathered = !transpose_a && x->k > job->kc && n1 - n0 > NR;
  const int copies = transpose_a || gathered;
  const int rows = kc == 0 ? m1 - m0 : COPIED / kc / MR * MR;
  for (int m = m0; m < m1; m += rows) {
    const int end = m1 - m < rows ? m1 : m + rows;
    if (gathered) gather_a(copied, a + k0, job->lda, kc, m, end);
    if (transpose_a) copy_a(copied, a + k0 * job->lda, job->lda, kc, m, end);
    for (int n = n0; n < n1; n += NR) {
      const int columns = n1 - n < NR ? n1 - n : NR;
      struct tile tile = {
          .a = copies ? copied : a + m * job->lda + k0,
          .a_row = transpose_a ? 1 : gathered ? kc : job->lda,
          .a_step = transpose_a ? MR : 1,
          .b = job->in_place ? b + k0 * job->ldb + n : panels + (int64_t)(n - n0) * kc,
          .b_row = job->in_place ? job->ldb : NR,
          .kc = kc,
          .c = c + n,
          .c_row = x->n,
          .bias = x->bias == NULL ? NULL : x->bias + n,
          .start = start_of(job, k0),
          .next_step = !copies && n == n0 && kc == x->k ? MR : 0,
          .copied = copies,
      };
      run_panel(tile, copies ? MR * kc : MR * job->lda, m, end, columns);
    }
  }
}

/* Columns n0..n1 of a block of k of B, as panels [kc][NR]. */
static void pack_b(const struct job *job, const float *b, int k0, int kc, int n0, int n1, float *to) {
  for (int n = n0; n < n1; n += NR, to += NR * kc) {
    const int columns = n1 - n < NR ? n1 - n : NR;
    if (job->x.flags & MATMUL_TRANSPOSE_B) pack_columns(to, b + n * job->ldb + k0, job->ldb, kc, columns);
    else pack_rows(to, b + k0 * job->ldb + n, job->ldb, kc, columns);
  }
}

/* One unit: rows m0..m1 and columns n0..n1 of one matrix of the batch. */
static void run_unit(const struct round *round, int64_t batch, int m0, int m1, int n0, int n1,
                     int64_t block, float *scratch) {
  const struct job *job = round->job;
  const struct matmul *x = &job->x;
  const float *a = x->a + batch * x->stride_a, *b = x->b + batch * x->stride_b;
  float *c = x->c + batch * x->m * x->n, *panels = scratch;
  struct note *note = (struct note *)(void *)((char *)scratch - 64);
  const int packs = !job->in_place && (note->job != job->number || note->block != block ||
                                       note->k0 != round->k0);
  int k0 = round->k0;
  do {
    const int kc = round->k1 - k0 < job->kc ? round->k1 - k0 : job->kc;
    if (packs) pack_b(job, b, k0, kc, n0, n1, panels);
    run_block(job, a, b, c, panels, k0, kc, m0, m1, n0, n1, scratch + BLOCK);
    panels += (int64_t)divide_up(n1 - n0, NR) * NR * kc;
    k0 += kc;
  } while (k0 < round->k1);
  if (packs) *note = (struct note){job->number, block, round->k0};
}

/* Where part `i` of `parts` begins, when n is cut into pieces of `size` and they are dealt out evenly. */
static int border(int n, int size, int i, int parts) {
  const int64_t pieces = (n + size - 1) / size, at = pieces * i / parts * size;
  return at < n ? (int)at : n;
}

static void task(const void *arguments, int begin, int end, void *scratch) {
  const struct round *round = arguments;
  const struct job *job = round->job;
  const int m = (int)job->x.m, n = (int)job->x.n;
  for (int unit = begin; unit < end; unit++) {
    const int block_m = unit % job->blocks_m, rest = unit / job->blocks_m;
    const int block_n = rest % job->blocks_n, batch = rest / job->blocks_n;
    const int m0 = border(m, MR, block_m, job->blocks_m), m1 = border(m, MR, block_m + 1, job->blocks_m);
    const int n0 = border(n, NR, block_n, job->blocks_n), n1 = border(n, NR, block_n + 1, job->blocks_n);
    run_unit(round, batch, m0, m1, n0, n1, job->x.stride_b == 0 ? block_n : rest, scratch);
  }
}

/* Whether A is multiplied as it lies. */
static int reads_a(const struct matmul *x) {
  return !(x->flags & MATMUL_TRANSPOSE_A) && x->k <= KC_IN_PLACE;
}

/*
 * What a product costs per term of k, in numbers that are packed, if its columns are cut into so many blocks.
 * Every thread that has a part of one packs it; A is copied for each, or read again, at a third of that. 30
 * multiply-adds take as long as packing a number; a thread's blocks are its own where there are as many for
 * all, so that the one with most panels is waited for.
 */
static double cost(const struct matmul *x, int threads, int blocks_n) {
  const int own = blocks_n % threads == 0, panels = divide_up(x->n, NR);
  const double packs = own ? 1 : (double)(blocks_n + threads - 1) / blocks_n;
  const double columns = NR * (double)(own ? divide_up(panels, threads) * threads : panels);
  const double copies = blocks_n * (reads_a(x) ? 0.3 : 1);
  return packs * (double)x->n + (copies + columns / 30) * (double)x->m;
}

/*
 * Cuts the product into units: as many for every thread, of 30 µs or more, so that one that is held up can be
 * helped out. Blocks of columns as few as fit into the cache, or as many for every thread, whatever costs less;
 * each is cut by rows, which use what was packed for the first of them.
 */
static void cut(struct job *job, int threads) {
  const struct matmul *x = &job->x;
  const double work = (double)x->batch * (double)x->m * (double)x->n * (double)x->k;
  const double pieces = work / (175000.0 * VW);
  const int wanted = threads == 1 || pieces < threads ? threads
                     : pieces < 4 * threads         ? (int)pieces
                                                    : 4 * threads;
  const int batch = (int)x->batch, tiles = divide_up(x->m, MR), panels = divide_up(x->n, NR);
  const int most_m = at_least_one(x->m / (4 * MR)), most_n = at_least_one(x->n / (2 * NR));
  const int enough = wanted < 2 * threads ? wanted : 2 * threads;
  job->kc = reads_a(x) || x->k == 0 ? at_least_one(x->k) : divide_up(x->k, divide_up(x->k, KC));
  int blocks_n = divide_up(panels, BLOCK / job->kc / NR);
  while (batch * most_m * blocks_n < enough && blocks_n < most_n) blocks_n++;
  const int even = divide_up(blocks_n, threads) * threads;
  if (even <= panels && cost(x, threads, even) < cost(x, threads, blocks_n)) blocks_n = even;
  job->blocks_n = blocks_n;
  job->columns = divide_up(panels, blocks_n) * NR;
  job->round = job->in_place ? (int)x->k : at_least_one(BLOCK / job->columns / job->kc) * job->kc;
  int blocks_m = divide_up(wanted, batch * blocks_n);
  while (batch * blocks_n * blocks_m % threads != 0 && blocks_m < most_m) blocks_m++;
  if (blocks_m > most_m) blocks_m = most_m;
  while (batch * blocks_n * blocks_m % threads != 0 && blocks_m > 1) blocks_m--;
  job->rows = divide_up(tiles, blocks_m) * MR;
  job->blocks_m = blocks_m;
}

/* Of one job of the threads. */
#define MOST_ROUNDS 16

int NAME(matmul)(struct pupil_engine *engine, const void *arguments) {
  static _Thread_local int64_t number;
  const struct matmul *x = arguments;
  if (x->batch * x->m * x->n == 0) return 0;
  struct job job = {.x = *x, .number = ++number};
  job.lda = x->flags & MATMUL_TRANSPOSE_A ? x->m : x->k;
  job.ldb = x->flags & MATMUL_TRANSPOSE_B ? x->k : x->n;
  /* So few rows do not pay for packing. */
  job.in_place = !(x->flags & MATMUL_TRANSPOSE_B) && x->m <= 2 * MR;
  cut(&job, engine->threads);
  const int k = (int)x->k, units = (int)x->batch * job.blocks_n * job.blocks_m;
  /* A claim is at least some 20 µs of work: less is done before another thread has begun. */
  const double unit = (double)(x->m < job.rows ? x->m : job.rows) *
                      (double)(x->n < job.columns ? x->n : job.columns) *
                      (double)((k < job.round ? k : job.round) + 8);
  const double grain = 60000.0 * VW / unit;
  /* Below some 30 µs in all, waking and waiting costs what a second thread gains. */
  const double work = (double)x->batch * (double)x->m * (double)x->n * (double)k;
  const int shared = work >= 150000.0 * VW;
  const int chunk = !shared || grain > units ? units : at_least_one((int64_t)grain);
  struct round rounds[MOST_ROUNDS];
  struct pupil_phase phases[MOST_ROUNDS];
  int count = 0, k0 = 0;
  do {
    rounds[count] = (struct round){&job, k0, k - k0 < job.round ? k : k0 + job.round};
    phases[count] = (struct pupil_phase){task, &rounds[count], units, chunk};
    count++;
    k0 += job.round;
    if (k0 < k && count < MOST_ROUNDS) continue;
    pupil_phases(engine, phases, count);
    count = 0;
  } while (k0 < k);
  return 0;
}
