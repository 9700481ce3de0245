// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "mux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/select.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <crt_externs.h>
#endif

// Between fork and exec, and in the guard for all of its life, only functions that are safe in signal
// handlers may be called: other threads of the parent may have held any lock.

enum { control_place = 3, report_place = 4, failure_place = 5, first_free = 6 };

static int pipe_for_us(int ends[2]) {
#if defined(__linux__)
  return pipe2(ends, O_CLOEXEC);
#else
  if (pipe(ends) != 0) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return 0;
#endif
}

static void close_from(int first) {
#if defined(__linux__) && defined(SYS_close_range)
  if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0) return;
#endif
  long most = sysconf(_SC_OPEN_MAX);
  if (most < 0 || most > 1 << 16) most = 1 << 16;
  for (int place = first; place < most; place++) close(place);
}

/// Moves descriptors to fixed places, which may be those of each other.
static int place(const int *from, const int *to, int count) {
  int high[6];
  for (int i = 0; i < count; i++) {
    high[i] = fcntl(from[i], F_DUPFD, first_free + 10);
    if (high[i] < 0) return errno;
  }
  for (int i = 0; i < count; i++) {
    if (dup2(high[i], to[i]) < 0) return errno;
  }
  return 0;
}

static void write_all(int descriptor, const void *bytes, size_t count) {
  while (write(descriptor, bytes, count) < 0 && errno == EINTR) {
  }
}

static void usual_signals(void) {
  for (int number = 1; number < NSIG; number++) {
    if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void heard(int number) { (void)number; }

static void nap(void) {
  struct timespec time = {0, 20 * 1000 * 1000};
  nanosleep(&time, NULL);
}

/// Ends the program's whole group; gives the program's status.
static int end_program(pid_t program, int grace) {
  int status = 0;
  int waited = 0;
  if (grace > 0) {
    kill(-program, SIGTERM);
    for (; waited < grace; waited += 20) {
      if (waitpid(program, &status, WNOHANG) == program) {
        kill(-program, SIGKILL);  // what it left behind
        return status;
      }
      nap();
    }
  }
  kill(-program, SIGKILL);
  while (waitpid(program, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// Waits for the end of the program, or of our parent.
static int watch(pid_t program, int grace) {
  sigset_t open;
  sigemptyset(&open);
  int is_watching = grace >= 0;
  for (;;) {
    int status = 0;
    pid_t ended = waitpid(program, &status, WNOHANG);
    if (ended == program) return status;
    if (ended < 0 && errno != EINTR) return 9;
    fd_set readable;
    FD_ZERO(&readable);
    if (is_watching) FD_SET(control_place, &readable);
    // SIGCHLD is blocked outside of this call, so that it cannot be missed.
    int ready = pselect(control_place + 1, &readable, NULL, NULL, NULL, &open);
    if (ready > 0 && is_watching) {
      char byte;
      ssize_t count = read(control_place, &byte, 1);
      if (count == 0) return end_program(program, grace);
      if (count < 0 && errno != EINTR && errno != EAGAIN) return end_program(program, grace);
    }
  }
}

static void run_program(const char *path, char *const arguments[], char *const variables[],
                        const char *folder, pid_t guard) {
  setpgid(0, 0);
#if defined(__linux__)
  // Should the guard itself be killed, the program goes with it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guard) _exit(127);
#else
  (void)guard;
#endif
  fcntl(failure_place, F_SETFD, FD_CLOEXEC);
  close(control_place);
  close(report_place);
  close_from(first_free);
  if (folder == NULL || chdir(folder) == 0) {
    usual_signals();
    execve(path, arguments, variables);
  }
  int code = errno;
  write_all(failure_place, &code, sizeof code);
  _exit(127);
}

static void run_guard(const char *path, char *const arguments[], char *const variables[],
                      const char *folder, const int *ends, int grace) {
  static const int places[] = {0, 1, 2, control_place, report_place};
  setpgid(0, 0);  // Ctrl-C on the terminal is our parent's business
  int message[2] = {0, 0};
  int code = place(ends, places, 5);
  if (code != 0) {
    message[1] = code;
    write_all(ends[4], message, sizeof message);
    _exit(127);
  }
  close_from(failure_place);
  int failure[2];
  if (pipe(failure) != 0) code = errno;
  if (code == 0) {
    // The writing end goes to a fixed place; the reading end stays where it is, if not there.
    int reading = fcntl(failure[0], F_DUPFD, first_free);
    int writing = fcntl(failure[1], F_DUPFD, first_free);
    if (reading < 0 || writing < 0 || dup2(writing, failure_place) < 0) code = errno;
    if (failure[0] != failure_place) close(failure[0]);
    if (failure[1] != failure_place) close(failure[1]);
    close(writing);
    signal(SIGCHLD, heard);
    pid_t self = getpid();
    pid_t program = code == 0 ? fork() : -1;
    if (program == 0) run_program(path, arguments, variables, folder, self);
    if (program < 0 && code == 0) code = errno;
    close(failure_place);
    if (code == 0) {
      setpgid(program, program);
      ssize_t count;
      while ((count = read(reading, &code, sizeof code)) < 0 && errno == EINTR) {
      }
      if (count <= 0) code = 0;
    }
    close(reading);
    message[0] = (int)program;
  }
  message[1] = code;
  write_all(report_place, message, sizeof message);
  if (code != 0) _exit(127);
  // Nothing of the program's is held open here: whoever reads its output must see its end.
  close(0);
  close(1);
  close(2);
  const int deaf[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};
  for (size_t i = 0; i < sizeof deaf / sizeof deaf[0]; i++) signal(deaf[i], SIG_IGN);
  int status = watch((pid_t)message[0], grace);
  write_all(report_place, &status, sizeof status);
  _exit(0);
}

int mux_child_start(const char *path, char *const arguments[], char *const variables[],
                    const char *folder, int input, int output, int errors, int grace,
                    struct mux_child *child) {
  int control[2], report[2];
  if (pipe_for_us(control) != 0) return errno;
  if (pipe_for_us(report) != 0) {
    int code = errno;
    close(control[0]);
    close(control[1]);
    return code;
  }
  const int ends[] = {input, output, errors, control[0], report[1]};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t guard = fork();
  int code = guard < 0 ? errno : 0;
  if (guard == 0) run_guard(path, arguments, variables, folder, ends, grace);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(control[0]);
  close(report[1]);
  int message[2] = {0, ECHILD};
  if (code == 0) {
    ssize_t count;
    while ((count = read(report[0], message, sizeof message)) < 0 && errno == EINTR) {
    }
    code = count == (ssize_t)sizeof message ? message[1] : ECHILD;
    if (code != 0) {
      while (waitpid(guard, NULL, 0) < 0 && errno == EINTR) {
      }
    }
  }
  if (code != 0) {
    close(control[1]);
    close(report[0]);
    return code;
  }
  child->guard = guard;
  child->program = (pid_t)message[0];
  child->control = control[1];
  child->report = report[0];
  return 0;
}

#if defined(__GLIBC__)
static int shown_count;
static char **shown_words;

// glibc hands these to constructors; no other way leads to the words themselves.
__attribute__((constructor)) static void keep_arguments(int count, char **words) {
  shown_count = count;
  shown_words = words;
}
#endif

char **mux_shown_arguments(int *count) {
#if defined(__GLIBC__)
  *count = shown_count;
  return shown_words;
#elif defined(__APPLE__)
  *count = *_NSGetArgc();
  return *_NSGetArgv();
#else
  *count = 0;
  return NULL;
#endif
}
