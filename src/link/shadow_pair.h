/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow_pair - two answers to the same request, as a gateway worker tells the controller of them.
 *
 * WHAT  The live release's answer is the first side. The second is that of the release that gets copies, or (`noise`)
 *       that of the live release itself to another copy: what differs there differs for no release's fault.
 *       Every pair that was chosen before its answers were known is told, also when they are the same. Bodies are in it only
 *       where they differ, each up to SHADOW_BODY_MAX.
 * HOW   The controller listens as D/SHADOW_SOCKET (os/channel.h), workers connect, one message is one pair. A message
 *       that does not fit into the socket just now is dropped by the worker, and counted: nobody waits.
 * SECRETS Values of fields that carry credentials are not in it, nor the query of the request: shadow_field_hidden().
 *       Bodies are whole: the receiver redacts before it keeps anything.
 * OWNS  shadow_pair_read() leaves the bodies in the bytes that it read.
 * UNITS Microseconds from a request's last byte to the head of its answer.
 * ERRORS shadow_pair_read(): ERR_CORRUPT for anything that is not exactly one message of this ABI.
 * LIMITS The enum below; a message is at most SHADOW_PAIR_MAX bytes.
 * SEE   gateway/pairing.h, control/diffs.h, tests/fuzz/fuzz_shadow_pair.c
 */
#ifndef LINK_SHADOW_PAIR_H
#define LINK_SHADOW_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "link/table.h"

#define SHADOW_SOCKET "shadow.sock" /* its name in the state directory */

enum {
	SHADOW_PAIR_ABI = 1,
	SHADOW_PAIR_MAX = 60 << 10,
	SHADOW_BODY_MAX = 16000,
	SHADOW_FIELDS_MAX = TABLE_MIRROR_HEADERS_MAX,
	SHADOW_METHOD_SIZE = 16, /* with the NUL, as all of these */
	SHADOW_PATH_SIZE = 192,
	SHADOW_VALUE_SIZE = 96,
};

struct shadow_side {
	uint16_t status;
	uint64_t first_us;
	uint64_t body_bytes; /* of the whole body */
	bool cut;            /* `body` is not all of it */
	uint32_t body_size;
	const char *body; /* not NUL-terminated */
};

struct shadow_field { /* of the answers' heads; "" where it is not there, or hidden */
	char name[TABLE_NAME_SIZE];
	char value[2][SHADOW_VALUE_SIZE];
};

struct shadow_pair {
	char app[TABLE_NAME_SIZE];
	char environment[TABLE_NAME_SIZE];
	struct digest release; /* that gets the copies */
	bool noise;
	char method[SHADOW_METHOD_SIZE];
	char path[SHADOW_PATH_SIZE]; /* without the query, cut */
	bool body_differs;
	uint32_t field_count; /* those that differ */
	struct shadow_field fields[SHADOW_FIELDS_MAX];
	struct shadow_side sides[2];
};

/* The number of bytes written to `to`, or 0 when they do not fit. */
size_t shadow_pair_write(const struct shadow_pair *pair, void *to, size_t capacity);

int shadow_pair_read(const void *bytes, size_t size, struct shadow_pair *ret_pair,
		     struct error *err) MUST_CHECK;

/* A field whose values are told to nobody. `name` is in lower case. */
bool shadow_field_hidden(const char *name);

#endif
