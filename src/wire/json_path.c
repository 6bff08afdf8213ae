/* SPDX-License-Identifier: Apache-2.0
 * json_path - see json_path.h for the contract. */
#include "wire/json_path.h"

#include <string.h>

#include "wire/chars.h"

static bool is_name(char c)
{
	return (unsigned char)c > 0x20 && c != 0x7f && c != '.' && c != '[' && c != ']';
}

static bool next_name(const char **at, struct json_step *ret_step)
{
	const char *begin = *at + 1, *end = begin;
	while (is_name(*end))
		end++;
	*ret_step = (struct json_step){.name = begin, .size = (size_t)(end - begin)};
	*at = end;
	return end > begin;
}

static bool next_index(const char **at, struct json_step *ret_step)
{
	const char *begin = *at + 1, *p = begin;
	uint32_t index = 0;
	for (; char_is_digit(*p) && index <= JSON_PATH_INDEX_MAX; p++)
		index = index * 10 + (uint32_t)(*p - '0');
	*ret_step = (struct json_step){.index = index};
	*at = p + 1;
	return p > begin && *p == ']' && index <= JSON_PATH_INDEX_MAX;
}

bool json_path_next(const char **at, struct json_step *ret_step)
{
	if (**at == '.')
		return next_name(at, ret_step);
	return **at == '[' && next_index(at, ret_step);
}

bool json_path_valid(const char *text)
{
	struct json_step step;
	int steps = 0;
	if (*text++ != '$')
		return false;
	while (*text)
		if (++steps > JSON_PATH_STEPS_MAX || !json_path_next(&text, &step))
			return false;
	return true;
}
