// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_PROCESS_H
#define MUX_PROCESS_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A program that runs under a guard: a process that does nothing but wait for the program's end and
/// for ours. When this process ends, in whatever way, the guard ends the program with everything in
/// its process group.
struct mux_child {
  pid_t guard;    ///< to be waited for; it ends right after the program
  pid_t program;  ///< leads a process group of its own
  int control;    ///< closing it, as our end does, tells the guard to end the program
  int report;     ///< holds the program's status, as waitpid gives it, once the guard has ended
};

/// Starts a program.
///
/// Signals are unblocked and act as usual in it; no descriptor but the three given is open in it.
///
/// - path, arguments, variables: as execve takes them; the last two end with NULL
/// - folder: the working folder, NULL for ours
/// - input, output, errors: descriptors
/// - grace: milliseconds between asking the program to end (SIGTERM) and making it (SIGKILL) where
///   this process ends first; 0 makes it at once, below 0 lets it live
/// Returns 0, or the system's error number.
int mux_child_start(const char *path, char *const arguments[], char *const variables[],
                    const char *folder, int input, int output, int errors, int grace,
                    struct mux_child *child);

/// The words of the command line where the system shows them to others, to be written over; NULL
/// where the system does not say. `count` gets their number.
char **mux_shown_arguments(int *count);

#ifdef __cplusplus
}
#endif
#endif
