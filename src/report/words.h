/* SPDX-License-Identifier: Apache-2.0
 *
 * words - numbers as the documents of report/ write them. Private to the folder. Each returns `to`.
 */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include <stdint.h>

enum { WORDS_SIZE = 40 };

const char *words_count(uint64_t count, char to[WORDS_SIZE]);                /* 4,800 */
const char *words_decimal(double number, char to[WORDS_SIZE]);               /* 0.8, 12, 4,800 */
const char *words_share(uint64_t part, uint64_t whole, char to[WORDS_SIZE]); /* 1.15%; "-" */
const char *words_duration(uint64_t ms, char to[WORDS_SIZE]);    /* 240 ms, 3.2 s, 12 min 3 s */
const char *words_latency(uint64_t us, char to[WORDS_SIZE]);     /* 1.2 ms; "-" for 0 */
const char *words_moment(uint64_t unix_ms, char to[WORDS_SIZE]); /* 2026-11-23 04:49:00.123 UTC */

#endif
