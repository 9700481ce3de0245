// SPDX-License-Identifier: Apache-2.0
// Threads that go through the steps of a plan together. A step is over when all of its tasks are
// done, whoever did them: nobody waits for a thread that the system has put aside between tasks.
// Between runs threads spin for a moment and then sleep.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mux_inference_internal.h"

enum {
  /// Pauses while others finish their tasks before the processor is offered to others.
  WAIT_SPINS = 4000,
  /// Nanoseconds of spinning between runs before a thread goes to sleep.
  IDLE_SPIN = 50000,
  /// Steps that can be shared; plans with more run on the caller's thread alone.
  MOST_STEPS = 4096,
};

typedef struct {
  mux_thread_pool *pool;
  int32_t index;
  pthread_t thread;
} worker;

/// Which of its tasks of a step a thread takes next: the number of the run in the upper half, the
/// task in the lower one, so that a thread that comes late takes nothing of another run; and how
/// many of the step's tasks it has done. Each thread first takes tasks of its own part, which it
/// most likely had in the step before, too: what they read is in its caches.
typedef struct progress {
  _Alignas(64) _Atomic uint64_t next;
  _Alignas(64) _Atomic int32_t done;
} progress;

/// What a run does. Threads work on copies.
typedef struct {
  uint32_t number;
  mux_isa isa;
  const mux_step *steps;
  int32_t count;
  float *arena;
  float *const *scratch;
  uint64_t *nanoseconds;
  progress *progress;
  // A run over images: NULL arenas if it is one over the tasks of one image.
  float *const *arenas;
  int32_t arena_count, images;
  const float *inputs;
  float *outputs;
  size_t input_size, output_size;
  ptrdiff_t input_offset, output_offset;
} run;

struct mux_thread_pool {
  int32_t threads;
  worker *workers;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  // What each thread polls has a cache line of its own.
  _Alignas(64) _Atomic uint32_t generation;
  _Alignas(64) _Atomic int32_t stopping;
  /// Written with the mutex held.
  run current;
  /// [MOST_STEPS][threads]; only what plans use is ever touched.
  progress *progress;
};

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Takes up to `share` of the tasks before `end`: the first one; `end` or more if none is left, -1
/// if the run is over.
static int64_t take(progress *progress, uint32_t number, int32_t share, int32_t end) {
  uint64_t seen = atomic_load_explicit(&progress->next, memory_order_acquire);
  for (;;) {
    if ((uint32_t)(seen >> 32) != number) return -1;
    const int32_t task = (int32_t)(uint32_t)seen;
    if (task >= end) return task;
    if (atomic_compare_exchange_weak_explicit(&progress->next, &seen, seen + (uint64_t)share,
                                              memory_order_acq_rel, memory_order_acquire)) {
      return task;
    }
  }
}

static int32_t done_by_all(const progress *progress, int32_t threads) {
  int32_t done = 0;
  for (int32_t t = 0; t < threads; ++t) {
    done += atomic_load_explicit(&progress[t].done, memory_order_acquire);
  }
  return done;
}

/// Waits until `count` tasks are done, or the run is over; false in that case.
static bool wait_for(const progress *progress, int32_t threads, uint32_t number, int32_t count) {
  for (int spins = 0; done_by_all(progress, threads) < count; ++spins) {
    if ((uint32_t)(atomic_load_explicit(&progress->next, memory_order_acquire) >> 32) != number) {
      return false;
    }
    if (spins < WAIT_SPINS) {
      pause_briefly();
    } else {
      sched_yield();
    }
  }
  return true;
}

static void run_steps_alone(const run *run) {
  for (int32_t i = 0; i < run->count; ++i) {
    const mux_step *step = &run->steps[i];
    const uint64_t start = run->nanoseconds ? mux_now() : 0;
    mux_step_run(run->isa, step, 0, mux_step_tasks(step), run->arena, run->scratch[0]);
    if (start) run->nanoseconds[i] += mux_now() - start;
  }
}

static void run_steps(const run *run, int32_t threads, int32_t index) {
  for (int32_t i = 0; i < run->count; ++i) {
    const mux_step *step = &run->steps[i];
    progress *progress = &run->progress[(ptrdiff_t)i * threads];
    const int32_t tasks = mux_step_tasks(step);
    const uint64_t start = index == 0 && run->nanoseconds ? mux_now() : 0;
    // Neighbouring bands of a spatial step share rows: several go to the same thread.
    const int32_t share = step->kind == MUX_STEP_SPATIAL && tasks >= 4 * threads ? 2 : 1;
    // Single tasks are the caller's. The own part first, then what others have not begun.
    for (int32_t other = 0; other < threads && (tasks > 1 || index == 0); ++other) {
      const int32_t part = (index + other) % threads;
      const int32_t part_end = (int32_t)((int64_t)tasks * (part + 1) / threads);
      for (;;) {
        const int64_t task = take(&progress[part], run->number, share, part_end);
        if (task < 0) return;
        if (task >= part_end) break;
        const int32_t end = task + share < part_end ? (int32_t)task + share : part_end;
        mux_step_run(run->isa, step, (int32_t)task, end, run->arena, run->scratch[index]);
        atomic_fetch_add_explicit(&progress[index].done, end - (int32_t)task, memory_order_acq_rel);
      }
    }
    if (!wait_for(progress, threads, run->number, tasks)) return;
    if (start) run->nanoseconds[i] += mux_now() - start;
  }
}

static void run_images(const run *run, int32_t index) {
  // What an image is computed in belongs to one thread: one that has no arena takes no image.
  while (index < run->arena_count) {
    const int64_t image = take(run->progress, run->number, 1, run->images);
    if (image < 0 || image >= run->images) break;
    float *arena = run->arenas[index], *scratch = run->scratch[index];
    memcpy(arena + run->input_offset, run->inputs + (size_t)image * run->input_size,
           run->input_size * sizeof(float));
    for (int32_t i = 0; i < run->count; ++i) {
      const mux_step *step = &run->steps[i];
      mux_step_run(run->isa, step, 0, mux_step_tasks(step), arena, scratch);
    }
    memcpy(run->outputs + (size_t)image * run->output_size, arena + run->output_offset,
           run->output_size * sizeof(float));
    atomic_fetch_add_explicit(&run->progress->done, 1, memory_order_acq_rel);
  }
  if (index == 0) wait_for(run->progress, 1, run->number, run->images);
}

static void run_share(const run *run, int32_t threads, int32_t index) {
  if (run->arenas) {
    run_images(run, index);
  } else if (threads == 1 || run->count > MOST_STEPS) {
    if (index == 0) run_steps_alone(run);
  } else {
    run_steps(run, threads, index);
  }
}

static void *work(void *argument) {
  worker *self = argument;
  mux_thread_pool *pool = self->pool;
  uint32_t seen = 0;
  for (;;) {
    const uint64_t start = mux_now();
    while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen &&
           !atomic_load(&pool->stopping)) {
      for (int i = 0; i < 16; ++i) pause_briefly();
      if (mux_now() - start < IDLE_SPIN) continue;
      pthread_mutex_lock(&pool->mutex);
      while (atomic_load(&pool->generation) == seen && !atomic_load(&pool->stopping)) {
        pthread_cond_wait(&pool->wake, &pool->mutex);
      }
      pthread_mutex_unlock(&pool->mutex);
    }
    if (atomic_load(&pool->stopping)) return NULL;
    pthread_mutex_lock(&pool->mutex);
    const run current = pool->current;
    pthread_mutex_unlock(&pool->mutex);
    seen = current.number;
    run_share(&current, pool->threads, self->index);
  }
}

mux_thread_pool *mux_thread_pool_create(int32_t threads) {
  if (threads < 1) return NULL;
  void *memory = NULL;
  if (posix_memalign(&memory, 64, sizeof(mux_thread_pool)) != 0) return NULL;
  mux_thread_pool *pool = memory;
  memset(pool, 0, sizeof *pool);
  pool->workers = calloc((size_t)threads, sizeof(worker));
  void *progress = NULL;
  if (!pool->workers ||
      posix_memalign(&progress, 64, MOST_STEPS * (size_t)threads * sizeof(struct progress)) != 0) {
    free(pool->workers);
    free(pool);
    return NULL;
  }
  pool->progress = progress;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->threads = 1;
  for (int32_t i = 1; i < threads; ++i) {
    pool->workers[i].pool = pool;
    pool->workers[i].index = i;
    if (pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]) != 0) {
      mux_thread_pool_destroy(pool);
      return NULL;
    }
    pool->threads = i + 1;
  }
  return pool;
}

void mux_thread_pool_destroy(mux_thread_pool *pool) {
  if (!pool) return;
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->stopping, 1);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  for (int32_t i = 1; i < pool->threads; ++i) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  free(pool->workers);
  free(pool->progress);
  free(pool);
}

/// Lets all threads take their share of a run.
static void start(mux_thread_pool *pool, run description) {
  int32_t count = description.arenas ? 1 : description.count;
  if (count > MOST_STEPS || (pool->threads == 1 && !description.arenas)) count = 0;
  pthread_mutex_lock(&pool->mutex);
  const uint32_t number = atomic_load_explicit(&pool->generation, memory_order_relaxed) + 1;
  description.number = number;
  description.progress = pool->progress;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t tasks = description.arenas ? 0 : mux_step_tasks(&description.steps[i]);
    for (int32_t t = 0; t < pool->threads; ++t) {
      progress *progress = &pool->progress[(ptrdiff_t)i * pool->threads + t];
      const uint64_t first = (uint64_t)((int64_t)tasks * t / pool->threads);
      atomic_store_explicit(&progress->done, 0, memory_order_relaxed);
      atomic_store_explicit(&progress->next, (uint64_t)number << 32 | first, memory_order_release);
    }
  }
  pool->current = description;
  atomic_store_explicit(&pool->generation, number, memory_order_release);
  if (pool->threads > 1) pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  run_share(&description, pool->threads, 0);
}

void mux_thread_pool_run(mux_thread_pool *pool, mux_isa isa, const mux_step *steps, int32_t count,
                         float *arena, float *const *scratch, uint64_t *nanoseconds) {
  start(pool, (run){.isa = isa,
                    .steps = steps,
                    .count = count,
                    .arena = arena,
                    .scratch = scratch,
                    .nanoseconds = nanoseconds});
}

void mux_thread_pool_run_images(mux_thread_pool *pool, mux_isa isa, const mux_step *steps,
                                int32_t count, float *const *arenas, int32_t arena_count,
                                float *const *scratch, int32_t images, const float *inputs,
                                size_t input_size, ptrdiff_t input_offset, float *outputs,
                                size_t output_size, ptrdiff_t output_offset) {
  start(pool, (run){.isa = isa,
                    .steps = steps,
                    .count = count,
                    .scratch = scratch,
                    .arenas = arenas,
                    .arena_count = arena_count,
                    .images = images,
                    .inputs = inputs,
                    .input_size = input_size,
                    .input_offset = input_offset,
                    .outputs = outputs,
                    .output_size = output_size,
                    .output_offset = output_offset});
}
