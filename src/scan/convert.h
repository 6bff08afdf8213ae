/* SPDX-License-Identifier: Apache-2.0
 *
 * convert - reports of tools that write no SARIF, and SARIF itself, read into one list of findings.
 *
 *     cppcheck    --xml (version 2)     error high, warning medium, style performance portability low; information
 *                                       (what cppcheck could not see) is left out
 *     bandit      -f json               its severities, one step lower where bandit's confidence is low
 *     shellcheck  -f json1              error high, warning medium, info style low
 *     npm-audit   --json, npm 7 and up  critical high moderate low, info low; one finding an advisory and package
 *     sarif       2.1.0                 as sarif.h says
 *
 * ERRORS ERR_INVALID and ERR_LIMIT, where = the file and the line or member. A tool that says that it could not
 *       look at everything (bandit's `errors`, npm's `error`) is an error, never "nothing found".
 * LIMITS SCAN_BYTES_MAX bytes; finding.h; json_input.h; of XML no document type, so no entities but the five, and
 *       CONVERT_XML_DEPTH_MAX levels.
 */
#ifndef SCAN_CONVERT_H
#define SCAN_CONVERT_H

#include <stddef.h>

#include "scan/finding.h"
#include "scan/hide.h"

enum { CONVERT_XML_DEPTH_MAX = 16 };

struct convert_input {
	const char *name; /* of the file, for errors */
	const char *root; /* of the tree, absolute; or NULL */
	const char *text;
	size_t size;
	const struct scan_hide
		*hide; /* of each text of a JSON report, as it stands there; NULL: nothing */
};

/* Adds to `to`, which also knows the tool when it found nothing. */
typedef int convert_read(const struct convert_input *input, struct findings *to, struct error *err);

struct convert_format {
	const char *name;
	convert_read *read;
};

extern const struct convert_format convert_formats[]; /* ended by name NULL */

/* ERR_INVALID with the names that there are. */
int convert_format_find(const char *name, convert_read **ret_read, struct error *err) MUST_CHECK;

convert_read convert_cppcheck, convert_bandit, convert_shellcheck, convert_npm_audit, convert_sarif;

#endif
