// SPDX-License-Identifier: Apache-2.0
// Threads that go through the steps of a plan together. Within a run they meet at a spinning
// barrier after each step; between runs they spin for a moment and then sleep.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mux_inference_internal.h"

enum {
  /// Pauses at a barrier before the processor is offered to others.
  BARRIER_SPINS = 4000,
  /// Nanoseconds of spinning between runs before a thread goes to sleep.
  IDLE_SPIN = 50000,
};

typedef struct {
  mux_thread_pool *pool;
  int32_t index;
  pthread_t thread;
} worker;

struct mux_thread_pool {
  int32_t threads;
  worker *workers;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  // What each thread polls has a cache line of its own.
  _Alignas(64) _Atomic uint32_t generation;
  _Alignas(64) _Atomic int32_t arrived;
  _Alignas(64) _Atomic uint32_t round;
  _Alignas(64) _Atomic int32_t next_task[2];
  _Alignas(64) _Atomic int32_t stopping;
  mux_isa isa;
  const mux_step *steps;
  int32_t count;
  float *arena;
  float *const *scratch;
  uint64_t *nanoseconds;
  // A run over images: NULL arenas if it is one over the tasks of one image.
  float *const *arenas;
  int32_t images;
  const float *inputs;
  float *outputs;
  size_t input_size, output_size;
  ptrdiff_t input_offset, output_offset;
};

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// The last to arrive resets the task counter of the step before and lets the others go.
static void barrier(mux_thread_pool *pool, int32_t step) {
  const uint32_t round = atomic_load_explicit(&pool->round, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) == pool->threads - 1) {
    atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->next_task[step & 1], 0, memory_order_relaxed);
    atomic_store_explicit(&pool->round, round + 1, memory_order_release);
    return;
  }
  for (int spins = 0; atomic_load_explicit(&pool->round, memory_order_acquire) == round; ++spins) {
    if (spins < BARRIER_SPINS) {
      pause_briefly();
    } else {
      sched_yield();
    }
  }
}

static void run_steps(mux_thread_pool *pool, int32_t index) {
  // The caller may start the next run as soon as it has passed the last barrier, so nothing of
  // the pool's description of the run is read after that.
  float *scratch = pool->scratch[index];
  const mux_step *steps = pool->steps;
  const int32_t count = pool->count;
  for (int32_t i = 0; i < count; ++i) {
    const mux_step *step = &steps[i];
    const int32_t tasks = mux_step_tasks(step);
    const uint64_t start = index == 0 && pool->nanoseconds ? mux_now() : 0;
    if (pool->threads == 1) {
      mux_step_run(pool->isa, step, 0, tasks, pool->arena, scratch);
    } else {
      if (tasks == 1) {
        if (index == 0) mux_step_run(pool->isa, step, 0, 1, pool->arena, scratch);
      } else {
        // Neighbouring bands of a spatial step share rows: several go to the same thread.
        const int32_t share =
            step->kind == MUX_STEP_SPATIAL && tasks >= 4 * pool->threads ? 2 : 1;
        _Atomic int32_t *next = &pool->next_task[i & 1];
        for (;;) {
          const int32_t task = atomic_fetch_add_explicit(next, share, memory_order_relaxed);
          if (task >= tasks) break;
          const int32_t end = task + share < tasks ? task + share : tasks;
          mux_step_run(pool->isa, step, task, end, pool->arena, scratch);
        }
      }
      barrier(pool, i);
    }
    if (start) pool->nanoseconds[i] += mux_now() - start;
  }
}

static void run_images(mux_thread_pool *pool, int32_t index) {
  float *arena = pool->arenas[index], *scratch = pool->scratch[index];
  for (;;) {
    const int32_t image = atomic_fetch_add_explicit(&pool->next_task[1], 1, memory_order_relaxed);
    if (image >= pool->images) break;
    memcpy(arena + pool->input_offset, pool->inputs + (size_t)image * pool->input_size,
           pool->input_size * sizeof(float));
    for (int32_t i = 0; i < pool->count; ++i) {
      const mux_step *step = &pool->steps[i];
      mux_step_run(pool->isa, step, 0, mux_step_tasks(step), arena, scratch);
    }
    memcpy(pool->outputs + (size_t)image * pool->output_size, arena + pool->output_offset,
           pool->output_size * sizeof(float));
  }
  if (pool->threads > 1) barrier(pool, 0);
}

static void run_share(mux_thread_pool *pool, int32_t index) {
  if (pool->arenas) {
    run_images(pool, index);
  } else {
    run_steps(pool, index);
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
    seen = atomic_load_explicit(&pool->generation, memory_order_acquire);
    run_share(pool, self->index);
  }
}

mux_thread_pool *mux_thread_pool_create(int32_t threads) {
  if (threads < 1) return NULL;
  void *memory = NULL;
  if (posix_memalign(&memory, 64, sizeof(mux_thread_pool)) != 0) return NULL;
  mux_thread_pool *pool = memory;
  memset(pool, 0, sizeof *pool);
  pool->workers = calloc((size_t)threads, sizeof(worker));
  if (!pool->workers) {
    free(pool);
    return NULL;
  }
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
  free(pool);
}

/// Lets all threads take their share of the run that the pool describes.
static void start(mux_thread_pool *pool) {
  atomic_store_explicit(&pool->next_task[0], 0, memory_order_relaxed);
  atomic_store_explicit(&pool->next_task[1], 0, memory_order_relaxed);
  if (pool->threads > 1) {
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
  }
  run_share(pool, 0);
}

void mux_thread_pool_run(mux_thread_pool *pool, mux_isa isa, const mux_step *steps, int32_t count,
                         float *arena, float *const *scratch, uint64_t *nanoseconds) {
  pool->isa = isa;
  pool->steps = steps;
  pool->count = count;
  pool->arena = arena;
  pool->scratch = scratch;
  pool->nanoseconds = nanoseconds;
  pool->arenas = NULL;
  start(pool);
}

void mux_thread_pool_run_images(mux_thread_pool *pool, mux_isa isa, const mux_step *steps,
                                int32_t count, float *const *arenas, float *const *scratch,
                                int32_t images, const float *inputs, size_t input_size,
                                ptrdiff_t input_offset, float *outputs, size_t output_size, ptrdiff_t output_offset) {
  pool->isa = isa;
  pool->steps = steps;
  pool->count = count;
  pool->arenas = arenas;
  pool->scratch = scratch;
  pool->images = images;
  pool->inputs = inputs;
  pool->input_size = input_size;
  pool->outputs = outputs;
  pool->output_size = output_size;
  pool->input_offset = input_offset;
  pool->output_offset = output_offset;
  start(pool);
}
