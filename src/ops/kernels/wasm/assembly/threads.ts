/**
 * How one job is shared between threads. All threads run this module on one shared memory. The main
 * thread writes the arguments and the number of units, opens the counter `NEXT`, and every thread
 * claims `grain` units at a time until none are left. A unit's result never depends on who computed
 * it or with which neighbours, so results are the same for every number of threads.
 *
 * Why nothing can be claimed twice or with stale arguments: a worker raises ACTIVE before it claims.
 * The main thread closes NEXT and waits for ACTIVE = 0 before it touches the arguments again, so a
 * worker that comes late finds CLOSED, or a job whose arguments were written before NEXT opened.
 */
const EPOCH: usize = 64; // raised for every job: what sleeping workers wait on
const NEXT: usize = 128; // next unit to claim
const ACTIVE: usize = 192; // workers that may hold a claim
const SLEEPERS: usize = 256;
const STOP: usize = 260;
const MAIN_WAITS: usize = 264;
const WORKER_UNITS: usize = 268; // claims that workers made, ever
const FUNCTION: usize = 320;
const TOTAL: usize = 324;
const GRAIN: usize = 328;
const JOB: usize = 332;
const ARGUMENTS: usize = 512; // up to 64 words

const CLOSED: i32 = 0x40000000;
/** About 50 µs of looking before a worker goes to sleep: the gap between two kernels is shorter. */
const SPINS: i32 = 20000;

/** Bytes of working memory per thread; see matmul.ts and attention.ts for what lies in it. */
export const SCRATCH_BYTES: i32 = 1 << 20;

/**
 * The main thread looks this often whether the workers are done before it sleeps as well: where other
 * programs want the cores, its looking would keep a worker from finishing.
 */
const FINAL_SPINS: i32 = 4000;

let workers: i32 = 0;
let mayBlock: bool = false;
/** This thread's working memory. */
export let scratch: usize = 0;
/** Number of the current job: lets a thread recognise work it did for an earlier unit of it. */
export let job: i32 = 0;

// @ts-ignore: decorator
@inline
export function setInt(index: i32, value: i32): void {
  store<i32>(ARGUMENTS + (<usize>index << 2), value);
}
// @ts-ignore: decorator
@inline
export function setPointer(index: i32, value: usize): void {
  store<usize>(ARGUMENTS + (<usize>index << 2), value);
}
// @ts-ignore: decorator
@inline
export function setFloat(index: i32, value: f32): void {
  store<f32>(ARGUMENTS + (<usize>index << 2), value);
}
// @ts-ignore: decorator
@inline
export function int(index: i32): i32 {
  return load<i32>(ARGUMENTS + (<usize>index << 2));
}
// @ts-ignore: decorator
@inline
export function pointer(index: i32): usize {
  return load<usize>(ARGUMENTS + (<usize>index << 2));
}
// @ts-ignore: decorator
@inline
export function float(index: i32): f32 {
  return load<f32>(ARGUMENTS + (<usize>index << 2));
}

/** Called once in every thread; a browser's main thread may not block. */
export function setUp(scratchPointer: usize, numWorkers: i32, canBlock: bool): void {
  scratch = scratchPointer;
  workers = numWorkers;
  mayBlock = canBlock;
  if (numWorkers > 0) atomic.store<i32>(NEXT, CLOSED);
}

export function threads(): i32 {
  return workers + 1;
}

/** Pieces of work that workers have done so far: shows that they are there. */
export function workerClaims(): i32 {
  return atomic.load<i32>(WORKER_UNITS);
}

/** Runs a task over units 0..total-1. The task is `(begin, end) => void` by table index. */
export function parallel(task: i32, total: i32, grain: i32): void {
  if (total <= 0) return;
  job++;
  if (workers == 0 || total <= grain) {
    call_indirect<void>(task, 0, total);
    return;
  }
  store<i32>(FUNCTION, task);
  store<i32>(TOTAL, total);
  store<i32>(GRAIN, grain);
  store<i32>(JOB, job);
  atomic.store<i32>(NEXT, 0);
  atomic.add<i32>(EPOCH, 1);
  // A short job is over before a sleeper is awake; waking would only cost the call.
  if (total > 3 * grain && atomic.load<i32>(SLEEPERS) > 0) atomic.notify(EPOCH, workers);
  claim(task, total, grain);
  atomic.store<i32>(NEXT, CLOSED);
  let active = atomic.load<i32>(ACTIVE);
  for (let spins = 0; active != 0; spins++) {
    if (spins > FINAL_SPINS && mayBlock) {
      atomic.store<i32>(MAIN_WAITS, 1);
      // With a limit, in case the worker was past looking at MAIN_WAITS.
      atomic.wait<i32>(ACTIVE, active, 200_000);
      atomic.store<i32>(MAIN_WAITS, 0);
    }
    active = atomic.load<i32>(ACTIVE);
  }
}

/** Claims and runs until nothing is left; returns how many claims it made. */
function claim(task: i32, total: i32, grain: i32): i32 {
  let claims = 0;
  let begin = atomic.add<i32>(NEXT, grain);
  while (begin < total) {
    call_indirect<void>(task, begin, min(begin + grain, total));
    claims++;
    begin = atomic.add<i32>(NEXT, grain);
  }
  return claims;
}

/** A worker's whole life. */
export function work(): void {
  let seen = atomic.load<i32>(EPOCH);
  while (atomic.load<i32>(STOP) == 0) {
    if (atomic.load<i32>(NEXT) < CLOSED) {
      atomic.add<i32>(ACTIVE, 1);
      // Only now, with ACTIVE raised, does an open job stay as it is.
      if (atomic.load<i32>(NEXT) < CLOSED) {
        job = load<i32>(JOB);
        const claims = claim(load<i32>(FUNCTION), load<i32>(TOTAL), load<i32>(GRAIN));
        atomic.add<i32>(WORKER_UNITS, claims);
      }
      atomic.sub<i32>(ACTIVE, 1);
      if (atomic.load<i32>(MAIN_WAITS) != 0) atomic.notify(ACTIVE, 1);
    }
    let spins = 0;
    let now = atomic.load<i32>(EPOCH);
    while (now == seen && spins < SPINS) {
      now = atomic.load<i32>(EPOCH);
      spins++;
    }
    if (now == seen) {
      atomic.add<i32>(SLEEPERS, 1);
      atomic.wait<i32>(EPOCH, seen, -1);
      atomic.sub<i32>(SLEEPERS, 1);
      now = atomic.load<i32>(EPOCH);
    }
    seen = now;
  }
}

/** Ends the workers. */
export function stopWorkers(): void {
  atomic.store<i32>(STOP, 1);
  atomic.add<i32>(EPOCH, 1);
  atomic.notify(EPOCH, workers);
  workers = 0;
}
