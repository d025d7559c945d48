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
 * k is cut into as few blocks of at most KC terms as there must be, of equal length: between two blocks a
 * tile is stored and loaded again, and A and B are packed once more. With 512 terms a panel of B,
 * [k][2 vectors], is 64 KiB at 512 bits: it streams from the second cache, two lines a step of 12 cycles,
 * which the CPU foresees; shorter blocks, whose panels fit into the first cache, measured slower (512³ with
 * 256 terms at 165, with 512 at 200 GFLOP/s). All panels of a unit are packed before their first use,
 * BLOCK numbers at most: half of the second cache of CPUs with 512-bit vectors, which has 1 to 2 MiB, a
 * quarter to all of it elsewhere.
 *
 * A is read in place where its rows lie together (k ≤ KC). Else some rows at a time, COPIED numbers, are
 * copied to lie together: rows that are a power of two apart would share a few sets of the caches. Stored
 * [k, m], A is copied to [k][ROWS].
 *
 * In a training step operands come from the third cache or from memory, hardly ever from the second (they
 * are as large as it is), and rows that are read side by side are no pattern that the CPU foresees. So
 * lines are asked for a tile ahead: of C, which is new memory or far away since the last block of k; of A,
 * while it is read in place for the first time ([1024, 256]·[256, 256] of operands that are in no cache:
 * at 170 instead of 142 GFLOP/s); and of what is packed, some rows ahead.
 */
#include "matmul.h"

#include "kernels.h"
#include "pack.h"

#define KC 512
#if VW == 16
#define BLOCK (192 * 1024)
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
};

/* One tile of a known number of rows; `vectors` whole vectors of columns, the last of `last` lanes. */
INLINE void run_tile(const struct tile *t, const int rows, const int vectors, const int last) {
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
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) __builtin_prefetch(t->next_c + r * t->c_row + v * VW, 1);
  }
  const float *next = t->next_a;
  const int next_step = t->next_step;
  for (int k = t->kc; k > 0; k--) {
    __builtin_prefetch(next, 0, 2);
    next += next_step;
    vf b0 = vload_upto(b, vectors == 1 ? last : VW, 0), b1 = b0;
    if (vectors == 2) b1 = vload_upto(b + VW, last, 0);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      /* Four pointers and one stride reach 12 rows with the addressing of x64. */
      const float *base = r < 3 ? a : r < 6 ? a3 : r < 9 ? a6 : a9;
      vf x = vset(base[(r % 3) * a_row]);
      sums[r][0] = vfma(x, b0, sums[r][0]);
      if (vectors == 2) sums[r][1] = vfma(x, b1, sums[r][1]);
    }
    a += a_step;
    a3 += a_step;
    a6 += a_step;
    a9 += a_step;
    b += b_row;
  }
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
  if (columns == NR) run_tile(t, rows, 2, VW);
  else if (columns > VW) run_tile(t, rows, 2, columns - VW);
  else run_tile(t, rows, 1, columns);
}

static __attribute__((noinline)) void whole_tile(const struct tile *t) { run_tile(t, MR, 2, VW); }

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
  int keeps;    /* all of k is packed at once, for the units to come */
};

/* What lies packed in a thread's scratch: in the line before it. */
struct note {
  int64_t job, block;
};

static enum start start_of(const struct job *job, int k0) {
  if (k0 > 0 || job->x.flags & MATMUL_ADD) return FROM_C;
  return job->x.bias != NULL ? FROM_BIAS : FROM_ZERO;
}

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

/* One unit: rows m0..m1 and columns n0..n1 of one matrix of the batch. */
static void run_unit(const struct job *job, int64_t batch, int m0, int m1, int n0, int n1,
                     int64_t block, float *scratch) {
  const struct matmul *x = &job->x;
  const int k = (int)x->k;
  const float *a = x->a + batch * x->stride_a, *b = x->b + batch * x->stride_b;
  float *c = x->c + batch * x->m * x->n;
  const int transpose_a = (x->flags & MATMUL_TRANSPOSE_A) != 0;
  const int transpose_b = (x->flags & MATMUL_TRANSPOSE_B) != 0;
  struct note *note = (struct note *)(void *)((char *)scratch - 64);
  const int packed = job->keeps && note->job == job->number && note->block == block;
  for (int k0 = 0; k0 == 0 || k0 < k; k0 += job->kc) {
    const int kc = k - k0 < job->kc ? k - k0 : job->kc;
    float *panels = scratch + (job->keeps ? (int64_t)k0 * job->columns : 0);
    for (int n = n0; n < n1 && !job->in_place && !packed; n += NR) {
      const int columns = n1 - n < NR ? n1 - n : NR;
      float *panel = panels + (int64_t)(n - n0) * kc;
      if (transpose_b) pack_columns(panel, b + n * job->ldb + k0, job->ldb, kc, columns);
      else pack_rows(panel, b + k0 * job->ldb + n, job->ldb, kc, columns);
    }
    const int gathered = !transpose_a && k > job->kc && n1 - n0 > NR;
    const int copies = transpose_a || gathered;
    const int rows = kc == 0 ? m1 - m0 : COPIED / kc / MR * MR;
    for (int m = m0; m < m1; m += rows) {
      const int end = m1 - m < rows ? m1 : m + rows;
      float *copied = scratch + BLOCK;
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
            .next_step = !copies && n == n0 && kc == k ? MR : 0,
        };
        run_panel(tile, copies ? MR * kc : MR * job->lda, m, end, columns);
      }
    }
  }
  if (!job->in_place) *note = (struct note){job->number, job->keeps ? block : -1};
}

static void task(const void *arguments, int begin, int end, void *scratch) {
  const struct job *job = arguments;
  const int m = (int)job->x.m, n = (int)job->x.n;
  for (int unit = begin; unit < end; unit++) {
    const int block_m = unit % job->blocks_m, rest = unit / job->blocks_m;
    const int block_n = rest % job->blocks_n, batch = rest / job->blocks_n;
    const int m0 = block_m * job->rows, n0 = block_n * job->columns;
    const int m1 = m0 + job->rows < m ? m0 + job->rows : m;
    const int n1 = n0 + job->columns < n ? n0 + job->columns : n;
    run_unit(job, batch, m0, m1, n0, n1, job->x.stride_b == 0 ? block_n : rest, scratch);
  }
}

static int divide_up(int64_t a, int64_t b) { return (int)((a + b - 1) / b); }
static int at_least_one(int64_t n) { return n < 1 ? 1 : (int)n; }

/*
 * Cuts the product into units: as many for every thread, of 30 µs or more, so that one that is held up can be
 * helped out. By rows first: their B is packed once per thread; by columns where rows are few, or where B is
 * more than a block and every unit can have a block of its own.
 */
static void cut(struct job *job, int threads) {
  const struct matmul *x = &job->x;
  const double work = (double)x->batch * (double)x->m * (double)x->n * (double)x->k;
  const double pieces = work / (175000.0 * VW);
  const int wanted = threads == 1 || pieces < threads ? threads
                     : pieces < 4 * threads         ? (int)pieces
                                                    : 4 * threads;
  const int batch = (int)x->batch;
  const int most_m = at_least_one(x->m / (4 * MR)), most_n = at_least_one(x->n / (2 * NR));
  job->kc = x->k == 0 ? 1 : divide_up(x->k, divide_up(x->k, KC));
  int blocks_n = divide_up(x->n, BLOCK / job->kc / NR * NR);
  if (blocks_n > 1 && blocks_n < wanted && x->n >= wanted * 8 * NR) blocks_n = wanted;
  while (batch * most_m * blocks_n < wanted && blocks_n < most_n) blocks_n++;
  job->columns = divide_up(divide_up(x->n, blocks_n), NR) * NR;
  job->blocks_n = divide_up(x->n, job->columns);
  job->keeps = x->k * job->columns <= BLOCK;
  int blocks_m = divide_up(wanted, batch * job->blocks_n);
  while (batch * job->blocks_n * blocks_m % threads != 0 && blocks_m < 2 * wanted) blocks_m++;
  if (blocks_m > most_m) blocks_m = most_m;
  job->rows = divide_up(divide_up(x->m, blocks_m), MR) * MR;
  job->blocks_m = divide_up(x->m, job->rows);
}

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
  /* A claim is at least some 20 µs of work: less is done before another thread has begun. */
  const double work = (double)(x->m < job.rows ? x->m : job.rows) *
                      (double)(x->n < job.columns ? x->n : job.columns) * (double)(x->k + 8);
  const double grain = 60000.0 * VW / work;
  const int units = (int)x->batch * job.blocks_n * job.blocks_m;
  /* Below some 30 µs in all, waking and waiting costs what a second thread gains. */
  if ((double)x->batch * (double)x->m * (double)x->n * (double)x->k < 150000.0 * VW) {
    task(&job, 0, units, pupil_scratch(engine));
    return 0;
  }
  pupil_parallel(engine, task, &job, units, grain < 1 ? 1 : grain > units ? units : (int)grain);
  return 0;
}
