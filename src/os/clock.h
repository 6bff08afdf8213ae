/* SPDX-License-Identifier: Apache-2.0
 *
 * clock - what time it is, and which boot of the machine this is.
 *
 * TIME  clock_now_ms() is CLOCK_MONOTONIC: comparable between processes of one boot, worth nothing after
 *       the next. clock_wall_ms() is Unix time, for people and records.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

uint64_t clock_now_ms(void);
uint64_t clock_wall_ms(void);

/* The kernel's id of this boot, 36 characters; the same text in every process until the reboot. */
const char *clock_boot_id(void);

#endif
