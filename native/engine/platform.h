/* Threads, a lock, ways to wait and a clock, on POSIX and on Windows. */
#ifndef PUPIL_PLATFORM_H
#define PUPIL_PLATFORM_H

#include <stdint.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <malloc.h>
typedef SRWLOCK pupil_mutex;
typedef CONDITION_VARIABLE pupil_condition;
typedef HANDLE pupil_thread;
#define PUPIL_THREAD(name, argument) static DWORD WINAPI name(LPVOID argument)
static inline void pupil_mutex_init(pupil_mutex *m) { InitializeSRWLock(m); }
static inline void pupil_lock(pupil_mutex *m) { AcquireSRWLockExclusive(m); }
static inline void pupil_unlock(pupil_mutex *m) { ReleaseSRWLockExclusive(m); }
static inline void pupil_condition_init(pupil_condition *c) { InitializeConditionVariable(c); }
static inline void pupil_wait(pupil_condition *c, pupil_mutex *m) {
  SleepConditionVariableSRW(c, m, INFINITE, 0);
}
static inline void pupil_wake_all(pupil_condition *c) { WakeAllConditionVariable(c); }
static inline int pupil_thread_start(pupil_thread *t, LPTHREAD_START_ROUTINE run, void *argument) {
  *t = CreateThread(NULL, 0, run, argument, 0, NULL);
  return *t != NULL;
}
static inline void pupil_thread_join(pupil_thread t) {
  WaitForSingleObject(t, INFINITE);
  CloseHandle(t);
}
static inline void pupil_yield(void) { SwitchToThread(); }
static inline int64_t pupil_nanoseconds(void) {
  LARGE_INTEGER ticks, per_second;
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&per_second);
  return (int64_t)((double)ticks.QuadPart * 1e9 / (double)per_second.QuadPart);
}
static inline void *pupil_allocate(size_t bytes) { return _aligned_malloc(bytes, 4096); }
static inline void pupil_release(void *p) { _aligned_free(p); }
#else
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
typedef pthread_mutex_t pupil_mutex;
typedef pthread_cond_t pupil_condition;
typedef pthread_t pupil_thread;
#define PUPIL_THREAD(name, argument) static void *name(void *argument)
static inline void pupil_mutex_init(pupil_mutex *m) { pthread_mutex_init(m, NULL); }
static inline void pupil_lock(pupil_mutex *m) { pthread_mutex_lock(m); }
static inline void pupil_unlock(pupil_mutex *m) { pthread_mutex_unlock(m); }
static inline void pupil_condition_init(pupil_condition *c) { pthread_cond_init(c, NULL); }
static inline void pupil_wait(pupil_condition *c, pupil_mutex *m) { pthread_cond_wait(c, m); }
static inline void pupil_wake_all(pupil_condition *c) { pthread_cond_broadcast(c); }
static inline int pupil_thread_start(pupil_thread *t, void *(*run)(void *), void *argument) {
  return pthread_create(t, NULL, run, argument) == 0;
}
static inline void pupil_thread_join(pupil_thread t) { pthread_join(t, NULL); }
static inline void pupil_yield(void) { sched_yield(); }
static inline int64_t pupil_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
/* A large page where there are any. */
#define PUPIL_ALIGNMENT (2 << 20)
static inline void *pupil_allocate(size_t bytes) {
  void *p = NULL;
  return posix_memalign(&p, PUPIL_ALIGNMENT, bytes) == 0 ? p : NULL;
}
static inline void pupil_release(void *p) { free(p); }
#endif

/*
 * Asks for pages of 2 MiB where the system gives them only on request: a matrix of 1024 columns touches
 * a page of 4 KiB per row, and the first touch of each is a trap.
 */
static inline void pupil_large_pages(char *begin, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  madvise(begin, bytes, MADV_HUGEPAGE);
#else
  (void)begin;
  (void)bytes;
#endif
}

/* Tells the core that a loop only waits. */
static inline void pupil_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

#endif
