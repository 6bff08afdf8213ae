/* SPDX-License-Identifier: Apache-2.0
 *
 * field_rule - which header fields a person may have set or removed on their way through the gateway,
 *              and to what.
 *
 * WHAT  A rule names a field (RFC 9110, 5.1) and, where it sets it, its value. Fields that frame a message
 *       or belong to one connection (RFC 9110, 7.6.1), those that davit writes itself, and those of a
 *       WebSocket's handshake are not up for rules: who could change them could smuggle requests, or
 *       speak for davit.
 * HOW   Whoever reads a rule asks here: the reader of davit.yaml, for a sentence with a place, and the
 *       check of the gateway's table, which trusts nobody. Applied they are struct http1_set
 *       (wire/http1_write.h): http1_set_has() and then the fields in order, over any (name, value) pairs.
 * LIMITS The enum below.
 */
#ifndef WIRE_FIELD_RULE_H
#define WIRE_FIELD_RULE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	FIELD_RULES_MAX = 32,     /* of one environment, both ways together */
	FIELD_RULE_NAME_MAX = 90, /* bytes */
	FIELD_RULE_VALUE_MAX = 1000,
	FIELD_RULES_BYTES_MAX = 4096, /* of names and values in one direction */
};

/* To follow "must be". */
#define FIELD_RULE_NAME_SHAPE                                                                   \
	"the name of a header field of at most 90 bytes, and none that frames a message or is " \
	"davit's own to write (\"davit docs requests.headers\" lists them)"
#define FIELD_RULE_VALUE_SHAPE                                                              \
	"visible ASCII with blanks and tabs inside, such as \"no-store\", of at most 1000 " \
	"bytes"

/* A token of bounded length, and none of those that are not up for rules. */
bool field_rule_name(const char *name);

/* Not empty, bounded, visible ASCII, with blanks and tabs only inside. */
bool field_rule_value(const char *value);

#endif
