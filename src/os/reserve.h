/* SPDX-License-Identifier: Apache-2.0
 *
 * reserve - room on a disk, held by a file until something that cannot wait needs it.
 *
 * HOW   held = reserve_hold(dir, "name", bytes, &err) == 0;  at the start, and again from time to time
 *       a write fails with ERR_NO_SPACE, and must not: if (reserve_spend(dir, "name")) write again;
 *       Names are relative to `dir_fd` (AT_FDCWD is allowed).
 * OWNS  Nothing but the file, which stays when the process ends: the next start has it at hand.
 * LIMITS What is given up belongs to whoever comes first: write at once. A file system that compresses or
 *       copies on write may promise less than `bytes`.
 */
#ifndef OS_RESERVE_H
#define OS_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* 0: the file is there, and the file system has promised it all its blocks. It is only made where twice as much
 * is free, so that what is given up in need is not taken back by the next look: NO_SPACE where it is not. Any other
 * error is not about room: the name is taken, the directory is read-only or gone. */
MUST_CHECK int reserve_hold(int dir_fd, const char *name, uint64_t bytes, struct error *err);

/* Give the room up. True: there was some, and it is free when this returns. */
bool reserve_spend(int dir_fd, const char *name);

#endif
