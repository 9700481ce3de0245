// SPDX-License-Identifier: Apache-2.0
// libgomp reads its variables when it is loaded, before anything in the program runs. So a program that
// trains begins by starting itself once more with the variable set. That happens before libraries are
// initialised, which takes ten times as long as all that comes before.
#include "mux_start.h"

#include <stddef.h>

static bool is_equal(const char *a, const char *b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

bool mux_command_trains(int count, const char *const *words) {
  if (count < 2) return false;
  if (is_equal(words[1], "train")) return true;
  if (is_equal(words[1], "search") && count > 2) {
    return is_equal(words[2], "worker") || is_equal(words[2], "supernet");
  }
  // These train where an option says so.
  const char *option = is_equal(words[1], "benchmark")   ? "--train"
                       : is_equal(words[1], "reproduce") ? "--data"
                                                         : NULL;
  for (int i = 2; option && i < count; ++i) {
    if (is_equal(words[i], option)) return true;
  }
  return false;
}

#if defined(__linux__)
#include <features.h>
#endif
#if defined(__GLIBC__)
#include <limits.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { MOST_VARIABLES = 4096 };

static bool has_name(const char *variable, const char *name) {
  while (*name && *variable == *name) ++variable, ++name;
  return !*name && *variable == '=';
}

/// Starts the program once more, with one variable more. If that cannot be done, it goes on as it is.
static void start(int count, char **words, char **variables) {
  if (!mux_command_trains(count, (const char *const *)words)) return;
  // Started by the loader as its argument: the program to start would be the loader.
  if (getauxval(AT_BASE) == 0) return;
  char *changed[MOST_VARIABLES + 2];
  int known = 0;
  for (; variables[known]; ++known) {
    if (known == MOST_VARIABLES) return;
    // What the user says counts; and the second start comes to its end here.
    if (has_name(variables[known], "GOMP_SPINCOUNT") ||
        has_name(variables[known], "OMP_WAIT_POLICY")) {
      return;
    }
    changed[known] = variables[known];
  }
  static char variable[] = "GOMP_SPINCOUNT=" MUX_SPIN_COUNT;
  changed[known] = variable;
  changed[known + 1] = NULL;
  // Its own path, not the link to it, which lists of processes would show as its name.
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0 || length >= (ssize_t)sizeof path - 1) return;
  path[length] = 0;
  execve(path, words, changed);
}

/// Runs before the libraries' own initialisers, in programs only.
__attribute__((used, section(".preinit_array"))) static void (*const at_start)(int, char **,
                                                                               char **) = start;
#endif
