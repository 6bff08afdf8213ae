/* SPDX-License-Identifier: Apache-2.0
 *
 * retry - when is what failed elsewhere tried again, and when is it given up?
 *
 * HOW   Twice as long each time, RETRY_MAX_S and a quarter of it at most, and never at the same instant as others; where
 *       the other side asked for a longer time, that long. After RETRY_DAYS days it is given up.
 * UNITS Milliseconds; Unix milliseconds.
 */
#ifndef CONTROL_RETRY_H
#define CONTROL_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"

enum { RETRY_FIRST_S = 5, RETRY_MAX_S = 600, RETRY_DAYS = 3 };

/* After `tries` of them, the last one included. `asked_s` 0: as we like. */
uint64_t retry_wait_ms(struct env *env, uint32_t tries, uint32_t asked_s);

bool retry_late(uint64_t since_unix_ms, uint64_t now_unix_ms);

#endif
