// SPDX-License-Identifier: Apache-2.0
#include "mux_runtime_error.h"

#include <string.h>

#include "mux_runtime.h"

/// A thread that ends takes its message along, so that nobody has to free any.
static _Thread_local char last_error[1024];

const char *mux_last_error(void) { return last_error; }

void mux_keep_error(const char *message) {
  size_t length = strlen(message);
  if (length >= sizeof last_error) {
    length = sizeof last_error - 1;
    // Not in the middle of a character.
    while (length > 0 && ((unsigned char)message[length] & 0xC0) == 0x80) --length;
  }
  memcpy(last_error, message, length);
  last_error[length] = 0;
}
