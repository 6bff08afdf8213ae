/* SPDX-License-Identifier: Apache-2.0
 * field_rule - see field_rule.h for the contract. */
#include "wire/field_rule.h"

#include <string.h>

#include "wire/chars.h"

/* Lower case; one that ends with '-' stands for all that begin so. */
static const char *const kept[] = {
	/* they say where a message goes and where it ends */
	"host",
	"content-length",
	"transfer-encoding",
	"trailer",
	"expect",
	/* they belong to one connection */
	"connection",
	"keep-alive",
	"upgrade",
	"te",
	"http2-settings",
	"proxy-",
	"sec-websocket-",
	/* davit writes them */
	"via",
	"forwarded",
	"x-forwarded-",
	"x-real-ip",
	"x-request-id",
	"x-davit-",
	"traceparent",
	"tracestate",
};

static bool is_kept(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		size_t length = strlen(kept[i]);
		bool family = kept[i][length - 1] == '-';
		if (family ? size >= length && chars_equal(name, length, kept[i], length)
			   : chars_equal(name, size, kept[i], length))
			return true;
	}
	return false;
}

bool field_rule_name(const char *name)
{
	size_t size = strlen(name);
	if (size == 0 || size > FIELD_RULE_NAME_MAX)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!char_is(name[i], CHAR_TOKEN))
			return false;
	return !is_kept(name, size);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool field_rule_value(const char *value)
{
	size_t size = strlen(value);
	if (size == 0 || size > FIELD_RULE_VALUE_MAX || is_blank(value[0]) ||
	    is_blank(value[size - 1]))
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_blank(value[i]) && (value[i] <= ' ' || value[i] >= 127))
			return false;
	return true;
}
