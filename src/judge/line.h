/* SPDX-License-Identifier: Apache-2.0
 *
 * line - a sentence under construction, in memory of the caller's: numbers as people read them.
 *
 * LIMITS What does not fit is cut; the text always ends with a NUL.
 */
#ifndef JUDGE_LINE_H
#define JUDGE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct judge_line {
	char *to;
	size_t used, size;
};

void judge_line_put(struct judge_line *line, const char *text);
void judge_line_count(struct judge_line *line, uint64_t count);                /* 4,800 */
void judge_line_share(struct judge_line *line, uint64_t part, uint64_t whole); /* 1.15% */
void judge_line_time(struct judge_line *line, uint64_t us);     /* 812 us, 1.2 ms, 12.3 s */
void judge_line_number(struct judge_line *line, double number); /* 0.3, 12 */
void judge_line_digits(struct judge_line *line,
		       double number); /* 0.0345, 2.5, 1,240: three tell enough */
void judge_line_odds(struct judge_line *line, double odds); /* 1,240 : 1, 1 : 40 */

#endif
