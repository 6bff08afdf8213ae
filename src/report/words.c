/* SPDX-License-Identifier: Apache-2.0
 * words - see words.h. */
#include "report/words.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *words_count(uint64_t count, char to[WORDS_SIZE])
{
	char digits[24];
	size_t used = 0;
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			to[used++] = ',';
		to[used++] = digits[i];
	}
	to[used] = '\0';
	return to;
}

const char *words_decimal(double number, char to[WORDS_SIZE])
{
	static const double SMALL = 10, MOST = 1e15;
	if (number < SMALL)
		snprintf(to, WORDS_SIZE, "%.1f", number);
	else
		words_count((uint64_t)((number < MOST ? number : MOST) + 0.5), to);
	return to;
}

const char *words_share(uint64_t part, uint64_t whole, char to[WORDS_SIZE])
{
	if (whole == 0)
		snprintf(to, WORDS_SIZE, "-");
	else
		snprintf(to, WORDS_SIZE, "%.2f%%", 100.0 * (double)part / (double)whole);
	return to;
}

const char *words_duration(uint64_t ms, char to[WORDS_SIZE])
{
	unsigned long long s = ms / 1000;
	if (ms < 1000)
		snprintf(to, WORDS_SIZE, "%llu ms", (unsigned long long)ms);
	else if (s < 60)
		snprintf(to, WORDS_SIZE, "%llu.%llu s", s, (unsigned long long)(ms / 100 % 10));
	else if (s < 3600)
		snprintf(to, WORDS_SIZE, "%llu min %llu s", s / 60, s % 60);
	else if (s < 48ull * 3600)
		snprintf(to, WORDS_SIZE, "%llu h %llu min", s / 3600, s / 60 % 60);
	else
		snprintf(to, WORDS_SIZE, "%llu days %llu h", s / 86400, s / 3600 % 24);
	return to;
}

const char *words_latency(uint64_t us, char to[WORDS_SIZE])
{
	if (us == 0)
		snprintf(to, WORDS_SIZE, "-");
	else
		snprintf(to, WORDS_SIZE, us < 10000 ? "%.2f ms" : "%.0f ms", (double)us / 1000);
	return to;
}

const char *words_moment(uint64_t unix_ms, char to[WORDS_SIZE])
{
	text_format_time(unix_ms, to, WORDS_SIZE);
	char *t = strchr(to, 'T'), *z = strchr(to, 'Z');
	if (t && z) {
		*t = ' ';
		text_copy(z, (size_t)(WORDS_SIZE - (z - to)), " UTC");
	}
	return to;
}
