/* SPDX-License-Identifier: Apache-2.0
 * fuzz_scan - reports of scanners. The first byte says of which tool, the rest is the report; with "w" it is a file of
 * waivers.
 *
 * What is refused has a place and a sentence without control characters. What is accepted is written as SARIF that
 * reads back to the same findings with the same identities; held against itself nothing is new
 * and nothing is fixed. */
#include <string.h>

#include "fuzz.h"

#include "scan/compare.h"
#include "scan/convert.h"
#include "scan/identity.h"
#include "scan/sarif.h"
#include "scan/waivers.h"

static const uint64_t now_unix_ms = 1800000000000;

static void expect_error(const struct error *err)
{
	EXPECT(err->code < 0 && err->text[0] != '\0');
	EXPECT(strncmp(err->where, "report", 6) == 0);
	for (const char *p = err->text; *p; p++)
		EXPECT((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static int read_as(convert_read *read, const char *text, size_t size, struct findings *list,
		   struct error *err)
{
	const struct convert_input input = {
		.name = "report", .root = "/r", .text = text, .size = size};
	findings_init(list);
	*err = (struct error){0};
	return read(&input, list, err);
}

static void expect_itself(struct findings *list)
{
	struct scan_counts counts;
	findings_compare(list, list);
	findings_count(list, list, &counts);
	EXPECT(counts.total[FINDING_FIXED] == 0);
	EXPECT(counts.total[FINDING_NEW] == 0);
	EXPECT(counts.total[FINDING_EXISTING] + counts.total[FINDING_SUPPRESSED] <= list->count);
}

static int by_identity(const void *left, const void *right)
{
	return strcmp(((const struct finding *)left)->identity,
		      ((const struct finding *)right)->identity);
}

static int by_plain(const void *left, const void *right)
{
	return strcmp(((const struct finding *)left)->plain,
		      ((const struct finding *)right)->plain);
}

static bool are_distinct(const struct findings *list)
{
	bool distinct = true;
	for (uint32_t i = 1; i < list->count; i++)
		distinct = distinct &&
			   strcmp(list->items[i - 1].identity, list->items[i].identity) != 0;
	return distinct;
}

/* In an order of their own: of findings in the same place a fingerprint decides, which is not written. */
static void expect_equal(struct findings *a, struct findings *b)
{
	EXPECT(a->count == b->count && a->tool_count == b->tool_count);
	if (a->count == 0)
		return;
	qsort(b->items, b->count, sizeof *b->items, by_identity);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct finding *x = &a->items[i], *y = &b->items[i];
		EXPECT(strcmp(x->identity, y->identity) == 0);
		EXPECT(x->severity == y->severity && x->suppression == y->suppression);
		EXPECT(x->line == y->line && strcmp(x->path, y->path) == 0);
	}
	qsort(a->items, a->count, sizeof *a->items, by_plain);
	qsort(b->items, b->count, sizeof *b->items, by_plain);
	for (uint32_t i = 0; i < a->count; i++)
		EXPECT(strcmp(a->items[i].plain, b->items[i].plain) == 0);
}

static void expect_back(struct findings *list)
{
	struct findings again;
	struct error err;
	json_t *document = sarif_write(list);
	char *text = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	EXPECT(text != NULL);
	EXPECT(read_as(convert_sarif, text, strlen(text), &again, &err) == 0);
	findings_identify(&again, NULL);
	if (list->count > 0)
		qsort(list->items, list->count, sizeof *list->items, by_identity);
	/* A report can forge davit's own numbering, and then has one identity twice. */
	if (are_distinct(list))
		expect_equal(list, &again);
	findings_done(&again);
	free(text);
}

static void expect_waivers(const char *text, size_t size)
{
	struct waivers waivers;
	struct findings list;
	struct error err = {0};
	if (waivers_read("report", text, size, &waivers, &err) < 0) {
		EXPECT(err.code < 0 && err.text[0] != '\0');
		return;
	}
	findings_init(&list);
	waivers_apply(&waivers, now_unix_ms, &list);
	for (uint32_t i = 0; i < waivers.count; i++) {
		const struct waiver *w = &waivers.items[i];
		EXPECT(w->rule[0] && w->reason[0] && w->owner[0] && strlen(w->until) == 10);
	}
	waivers_done(&waivers);
}

/* libfyaml 0.7.12 forgets a buffer of its own when a quoted scalar has many escapes. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char letters[] = "xbcns"; /* in the order of convert_formats */
	struct findings list;
	struct error err;
	if (size == 0)
		return 0;
	const char *letter = memchr(letters, data[0], sizeof letters - 1);
	const char *text = (const char *)data + 1;
	if (data[0] == 'w')
		expect_waivers(text, size - 1);
	if (!letter)
		return 0;
	if (read_as(convert_formats[letter - letters].read, text, size - 1, &list, &err) < 0) {
		expect_error(&err);
	} else {
		findings_identify(&list, NULL);
		expect_back(&list);
		expect_itself(&list);
	}
	findings_done(&list);
	return 0;
}
