/* SPDX-License-Identifier: Apache-2.0
 *
 * traceparent - the field by which a request's way through several programs is put together.
 *
 * WHAT  "00-TRACE-PARENT-FLAGS": 32, 16 and 2 digits in lower-case hex. Trace and parent are not all zeros. Of a version
 *       that is newer than 00 and not ff these four are read, whatever follows behind another "-"; what is written is 00.
 * SOURCE W3C Trace Context, https://www.w3.org/TR/trace-context/, section 3.2
 */
#ifndef WIRE_TRACEPARENT_H
#define WIRE_TRACEPARENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACEPARENT_TRACE = 32, TRACEPARENT_PARENT = 16, TRACEPARENT_SIZE = 55 };

struct traceparent {
	char trace[TRACEPARENT_TRACE + 1];
	char parent[TRACEPARENT_PARENT + 1];
	uint8_t flags;
};

/* False: it is none, and nothing is written. */
bool traceparent_read(const char *text, size_t size, struct traceparent *ret_trace);

void traceparent_write(const struct traceparent *trace, char to[TRACEPARENT_SIZE + 1]);

/* A trace and a parent out of random numbers, of which not all are 0. */
void traceparent_begin(struct traceparent *trace, uint64_t high, uint64_t low);
void traceparent_pass(struct traceparent *trace, uint64_t parent);

#endif
