/* SPDX-License-Identifier: Apache-2.0
 * convert - the table of formats; see convert.h for the contract. */
#include "scan/convert.h"

#include <string.h>

#include "base/buf.h"
#include "scan/sarif.h"

enum { NAMES_MAX = 256 };

const struct convert_format convert_formats[] = {
	{"cppcheck", convert_cppcheck},     {"bandit", convert_bandit},
	{"shellcheck", convert_shellcheck}, {"npm-audit", convert_npm_audit},
	{"sarif", convert_sarif},           {NULL, NULL},
};

int convert_sarif(const struct convert_input *input, struct findings *to, struct error *err)
{
	return sarif_read(input, to, err);
}

int convert_format_find(const char *name, convert_read **ret_read, struct error *err)
{
	struct buf names;
	buf_init(&names, NAMES_MAX);
	for (const struct convert_format *f = convert_formats; f->name; f++) {
		if (strcmp(f->name, name) == 0) {
			*ret_read = f->read;
			buf_done(&names);
			return 0;
		}
		buf_printf(&names, "%s%s", f == convert_formats ? "" : ", ", f->name);
	}
	error_set(err, ERR_INVALID, "davit reads no reports of \"%s\"; it reads: %s.", name,
		  buf_text(&names));
	buf_done(&names);
	return ERR_INVALID;
}
