/* SPDX-License-Identifier: Apache-2.0
 *
 * traceparent - see traceparent.h for the contract.
 */
#include "wire/traceparent.h"

#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (digit(text[i]) < 0)
			return false;
	return true;
}

static bool is_zero(const char *text, size_t size)
{
	while (size > 0 && text[size - 1] == '0')
		size--;
	return size == 0;
}

bool traceparent_read(const char *text, size_t size, struct traceparent *ret_trace)
{
	enum { TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53 };
	if (size < TRACEPARENT_SIZE || !is_hex(text, 2) || text[2] != '-' ||
	    text[PARENT_AT - 1] != '-' || text[FLAGS_AT - 1] != '-')
		return false;
	bool first = text[0] == '0' && text[1] == '0', never = text[0] == 'f' && text[1] == 'f';
	if (never || (size > TRACEPARENT_SIZE && (first || text[TRACEPARENT_SIZE] != '-')))
		return false;
	const char *trace = text + TRACE_AT, *parent = text + PARENT_AT, *flags = text + FLAGS_AT;
	if (!is_hex(trace, TRACEPARENT_TRACE) || is_zero(trace, TRACEPARENT_TRACE) ||
	    !is_hex(parent, TRACEPARENT_PARENT) || is_zero(parent, TRACEPARENT_PARENT) ||
	    !is_hex(flags, 2))
		return false;
	memcpy(ret_trace->trace, trace, TRACEPARENT_TRACE);
	memcpy(ret_trace->parent, parent, TRACEPARENT_PARENT);
	ret_trace->trace[TRACEPARENT_TRACE] = ret_trace->parent[TRACEPARENT_PARENT] = '\0';
	ret_trace->flags = (uint8_t)(digit(flags[0]) << 4 | digit(flags[1]));
	return true;
}

static char *put_hex(char *to, uint64_t value, int digits)
{
	for (int i = digits - 1; i >= 0; i--)
		*to++ = "0123456789abcdef"[value >> 4 * i & 15];
	return to;
}

void traceparent_write(const struct traceparent *trace, char to[TRACEPARENT_SIZE + 1])
{
	char *at = to;
	memcpy(at, "00-", 3);
	memcpy(at += 3, trace->trace, TRACEPARENT_TRACE);
	*(at += TRACEPARENT_TRACE) = '-';
	memcpy(++at, trace->parent, TRACEPARENT_PARENT);
	*(at += TRACEPARENT_PARENT) = '-';
	*put_hex(at + 1, trace->flags, 2) = '\0';
}

void traceparent_begin(struct traceparent *trace, uint64_t high, uint64_t low)
{
	*put_hex(put_hex(trace->trace, high, 16), low | 1, 16) = '\0';
	trace->flags = 0;
}

void traceparent_pass(struct traceparent *trace, uint64_t parent)
{
	*put_hex(trace->parent, parent | 1, TRACEPARENT_PARENT) = '\0';
}
