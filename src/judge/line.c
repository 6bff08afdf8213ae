/* SPDX-License-Identifier: Apache-2.0
 * line - see line.h for the contract. */
#include "judge/line.h"

#include <string.h>

#include "base/text.h"

void judge_line_put(struct judge_line *line, const char *text)
{
	size_t left = line->size - line->used - 1, length = strlen(text);
	if (length > left)
		length = left;
	memcpy(line->to + line->used, text, length);
	line->used += length;
	line->to[line->used] = '\0';
}

/* 4800 as "4,800". */
void judge_line_count(struct judge_line *line, uint64_t count)
{
	char digits[32];
	size_t at = sizeof digits - 1, written = 0;
	digits[at] = '\0';
	do {
		if (written > 0 && written % 3 == 0)
			digits[--at] = ',';
		digits[--at] = (char)('0' + count % 10);
		count /= 10;
		written++;
	} while (count > 0);
	judge_line_put(line, digits + at);
}

void judge_line_share(struct judge_line *line, uint64_t part, uint64_t whole)
{
	char text[16];
	double bp = (double)part * SHARE_FULL_BP / (double)whole + 0.5;
	judge_line_put(line, text_format_share((uint32_t)bp, text, sizeof text));
}

/* 812 us, 1.2 ms, 812 ms, 12.3 s: three digits say enough. */
void judge_line_time(struct judge_line *line, uint64_t us)
{
	uint64_t unit = us < 1000 ? 1 : us < 10000000 ? 1000 : 1000000;
	judge_line_count(line, us / unit);
	if (unit > 1 && us / unit < 100 && us % unit / (unit / 10) > 0) {
		judge_line_put(line, ".");
		judge_line_count(line, us % unit / (unit / 10));
	}
	judge_line_put(line, unit == 1 ? " us" : unit == 1000 ? " ms" : " s");
}

/* 0.3 as "0.3", 12.4 as "12": what was expected is no whole number. */
void judge_line_number(struct judge_line *line, double number)
{
	if (number < 0)
		number = 0;
	uint64_t tenths = (uint64_t)(number * 10 + 0.5);
	judge_line_count(line, tenths >= 100 ? (tenths + 5) / 10 : tenths / 10);
	if (tenths < 100 && tenths % 10 > 0) {
		judge_line_put(line, ".");
		judge_line_count(line, tenths % 10);
	}
}

void judge_line_digits(struct judge_line *line, double number)
{
	static const double MOST = 1e15;
	double size = number < 0 ? -number : number, scale = 1;
	uint32_t places = 0;
	for (; size > 0 && size * scale < 100 && places < 6; places++)
		scale *= 10;
	uint64_t parts = (uint64_t)((size < MOST ? size : MOST) * scale + 0.5);
	for (; places > 0 && parts % 10 == 0; places--) {
		parts /= 10;
		scale /= 10;
	}
	if (number < 0)
		judge_line_put(line, "-");
	judge_line_count(line, parts / (uint64_t)scale);
	if (places == 0)
		return;
	judge_line_put(line, ".");
	for (uint64_t rest = parts % (uint64_t)scale, unit = (uint64_t)scale / 10; unit > 0;
	     unit /= 10)
		judge_line_count(line, rest / unit % 10);
}

void judge_line_odds(struct judge_line *line, double odds)
{
	static const double MOST = 1e9;
	bool against = odds >= 1;
	double times = against ? odds : 1 / odds;
	if (!against)
		judge_line_put(line, "1 : ");
	if (times > MOST)
		judge_line_put(line, "over ");
	judge_line_number(line, times > MOST ? MOST : times);
	if (against)
		judge_line_put(line, " : 1");
}
