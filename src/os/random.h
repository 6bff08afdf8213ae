/* SPDX-License-Identifier: Apache-2.0
 *
 * random - bytes nobody can guess, from the kernel. Never fails: a system without them aborts.
 */
#ifndef OS_RANDOM_H
#define OS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *to, size_t size);

/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(uint64_t bound);

/* Lower-case hex digits, size-1 of them, and a NUL. Returns `to`. */
const char *random_hex(char *to, size_t size);

#endif
