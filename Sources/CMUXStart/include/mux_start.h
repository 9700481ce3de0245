// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_START_H
#define MUX_START_H

#include <stdbool.h>

/// How often a waiting thread of OpenMP looks before it sleeps, in programs that train and whose user has
/// not said anything about it (`GOMP_SPINCOUNT`, `OMP_WAIT_POLICY`).
///
/// libgomp's own 300,000 are milliseconds: while a thread spins for another one, which the system has put
/// aside for some other process, it takes the time that the other one needs. 10,000 are long enough
/// for the gaps between the parts of a training step.
#define MUX_SPIN_COUNT "10000"

/// Whether a command line trains networks in its own process.
bool mux_command_trains(int count, const char *const *words);

#endif
