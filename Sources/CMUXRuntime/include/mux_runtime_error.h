// SPDX-License-Identifier: Apache-2.0
#ifndef MUX_RUNTIME_ERROR_H
#define MUX_RUNTIME_ERROR_H

/// Keeps what mux_last_error says in this thread; what is too long is cut off. Not for other programs.
void mux_keep_error(const char *message);

#endif
