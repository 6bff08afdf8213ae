/* SPDX-License-Identifier: Apache-2.0
 * kit - what the tests of scans share: recorded reports, small SARIF texts, lists made of them. */
#ifndef TESTS_UNIT_SCAN_KIT_H
#define TESTS_UNIT_SCAN_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "base/buf.h"
#include "scan/convert.h"
#include "scan/identity.h"
#include "scan/sarif.h"

enum { KIT_TEXT_MAX = 16 << 20 };

/* A run of the tool "T" with these results and rules. */
#define RULES_RUN(rules, results) \
	"{\"tool\":{\"driver\":{\"name\":\"T\",\"rules\":[" rules "]}},\"results\":[" results "]}"
#define SARIF(runs)     "{\"version\":\"2.1.0\",\"runs\":[" runs "]}"
#define REPORT(results) SARIF(RULES_RUN("", results))
/* A finding of rule R at a line of src/a.c. */
#define AT(line, message)                                                                       \
	"{\"ruleId\":\"R\",\"message\":{\"text\":\"" message                                    \
	"\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"src/a.c\"}," \
	"\"region\":{\"startLine\":" #line "}}}]}"

/* The whole file; buf_done() frees. */
static inline void kit_file(const char *path, struct buf *to)
{
	char part[4096];
	size_t count;
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is not there", path);
	buf_init(to, KIT_TEXT_MAX);
	while ((count = fread(part, 1, sizeof part, file)) > 0)
		buf_append(to, part, count);
	fclose(file);
}

static inline void kit_recorded(const char *name, struct buf *to)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", SCAN_RECORDED, name);
	kit_file(path, to);
}

static inline int kit_read(convert_read *read, const char *text, struct findings *list,
			   struct error *err)
{
	const struct convert_input input = {.name = "report", .text = text, .size = strlen(text)};
	findings_init(list);
	return read(&input, list, err);
}

/* Of SARIF that must be fine, with identities. */
static inline void kit_list(const char *text, struct findings *list)
{
	struct error err;
	if (kit_read(convert_sarif, text, list, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	findings_identify(list, NULL);
}

/* It must be refused, with a sentence that says `words`. */
static inline void kit_refused(convert_read *read, const char *text, const char *words)
{
	struct findings list;
	struct error err = {0};
	if (kit_read(read, text, &list, &err) >= 0)
		fail_msg("accepted, and should not be: %.200s", text);
	if (!strstr(err.text, words) && !strstr(err.where, words))
		fail_msg("\"%s\" is not in: %s: %s", words, err.where, err.text);
	assert_true(strncmp(err.where, "report", 6) == 0);
	findings_done(&list);
}

#endif
