/* SPDX-License-Identifier: Apache-2.0
 * test_identity - a finding is the same one after lines have moved, and another one after its line has changed. */
#include <sys/stat.h>
#include <unistd.h>

#include "kit.h"

static char directory[] = "/tmp/davit-identity.XXXXXX";

static void path_in(const char *name, char to[256])
{
	snprintf(to, 256, "%s/%s", directory, name);
}

static void write_source(const char *name, const char *text)
{
	char path[256];
	path_in(name, path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_directory(void **state)
{
	char path[256];
	(void)state;
	if (!mkdtemp(directory))
		return 1;
	path_in("src", path);
	return mkdir(path, 0700);
}

static int remove_directory(void **state)
{
	static const char *const names[] = {"src/a.c", "src/out", "src/pipe", "src", "."};
	char path[256];
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		path_in(names[i], path);
		(void)remove(path);
	}
	return rmdir(directory) == 0 || access(directory, F_OK) != 0 ? 0 : 1;
}

/* The identities of a report, with the tree or without. */
static void identify(const char *text, bool with_tree, struct findings *list)
{
	struct source *source = NULL;
	struct error err;
	assert_int_equal(kit_read(convert_sarif, text, list, &err), 0);
	if (with_tree)
		assert_int_equal(source_open(directory, &source, &err), 0);
	findings_identify(list, source);
	source_free(source);
}

static void expect_same(const char *a, const char *b)
{
	assert_string_equal(a, b);
}

static void lines_that_move_keep_their_identity(void **state)
{
	struct findings before, after;
	(void)state;
	write_source("src/a.c", "one\n\tbad(x);\nthree\n");
	identify(REPORT(AT(2, "bad")), true, &before);
	assert_int_equal(before.items[0].kind, IDENTITY_CONTEXT);
	write_source("src/a.c", "new\nnew\none\n        bad(x);  \n three\n");
	identify(REPORT(AT(4, "said in other words")), true, &after);
	expect_same(before.items[0].identity, after.items[0].identity);
	findings_done(&after);
	write_source("src/a.c", "one\nbad(y);\nthree\n");
	identify(REPORT(AT(2, "bad")), true, &after);
	assert_string_not_equal(before.items[0].identity, after.items[0].identity);
	expect_same(before.items[0].plain, after.items[0].plain);
	findings_done(&before);
	findings_done(&after);
}

static void equal_lines_are_numbered_from_above(void **state)
{
	struct findings two, three;
	(void)state;
	write_source("src/a.c", "x\nbad\nx\nbad\nx\n");
	identify(REPORT(AT(4, "m") "," AT(2, "m")), true, &two);
	write_source("src/a.c", "x\nbad\nx\nbad\nx\nbad\nx\n");
	identify(REPORT(AT(4, "m") "," AT(6, "m") "," AT(2, "m")), true, &three);
	assert_string_not_equal(two.items[0].identity, two.items[1].identity);
	expect_same(two.items[0].identity, three.items[0].identity);
	expect_same(two.items[1].identity, three.items[1].identity);
	assert_string_not_equal(three.items[2].identity, three.items[1].identity);
	assert_string_not_equal(three.items[2].identity, three.items[0].identity);
	findings_done(&two);
	findings_done(&three);
}

static void the_tools_own_fingerprint_goes_before_the_lines(void **state)
{
	static const char *const results[] = {
		"{\"ruleId\":\"R\",\"partialFingerprints\":{\"primaryLocationLineHash\":\"abc:1\"}"
		"}",
		"{\"ruleId\":\"R\",\"fingerprints\":{\"z/v1\":\"no\",\"hash/v1\":\"abc:1\"}}",
		"{\"ruleId\":\"R\",\"message\":{\"text\":\"else\"},\"fingerprints\":{\"hash/"
		"v1\":\"abc:1\"}}",
	};
	struct findings first, list;
	char text[512];
	(void)state;
	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
		snprintf(text, sizeof text, REPORT("%s"), results[i]);
		identify(text, true, i == 0 ? &first : &list);
		if (i == 0)
			continue;
		assert_int_equal(list.items[0].kind, IDENTITY_FINGERPRINT);
		expect_same(first.items[0].identity, list.items[0].identity);
		findings_done(&list);
	}
	findings_done(&first);
	/* Another rule, or a note instead of a hash, is another finding. */
	identify(REPORT("{\"ruleId\":\"R\",\"fingerprints\":{\"matchBasedId/v1\":\"requires "
			"login\"}}"),
		 true, &list);
	assert_int_equal(list.items[0].kind, IDENTITY_MESSAGE);
	findings_done(&list);
}

static void without_the_tree_the_quoted_lines_count_then_the_message(void **state)
{
	struct findings quoted, bare;
	(void)state;
	identify(
		REPORT("{\"ruleId\":\"R\",\"locations\":[{\"physicalLocation\":{"
		       "\"artifactLocation\":"
		       "{\"uri\":\"gone.c\"},\"region\":{\"startLine\":3,\"snippet\":{\"text\":\"  "
		       "bad ( x ) \"}}}}]}"),
		true, &quoted);
	assert_int_equal(quoted.items[0].kind, IDENTITY_SNIPPET);
	identify(REPORT(AT(3, "m")), false, &bare);
	assert_int_equal(bare.items[0].kind, IDENTITY_MESSAGE);
	findings_done(&quoted);
	findings_done(&bare);
}

static void nothing_outside_of_the_tree_is_read(void **state)
{
	struct source *source;
	struct error err;
	struct buf text;
	char path[256];
	(void)state;
	path_in("src/out", path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	path_in("src/pipe", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	write_source("src/a.c", "one\n");
	buf_init(&text, 4096);
	assert_int_equal(source_open(directory, &source, &err), 0);
	assert_true(source_context(source, "src/a.c", 1, &text));
	assert_false(source_context(source, "src/a.c", 2, &text));
	assert_false(source_context(source, "src/a.c", 0, &text));
	assert_false(source_context(source, "src/out", 1, &text));
	assert_false(source_context(source, "/etc/passwd", 1, &text));
	assert_false(source_context(source, "../../etc/passwd", 1, &text));
	assert_false(source_context(source, "src/pipe", 1, &text));
	assert_false(source_context(source, "src", 1, &text));
	assert_string_equal(buf_text(&text), "\none\n");
	source_free(source);
	buf_done(&text);
	assert_int_equal(source_open("/nowhere", &source, &err), ERR_NOT_FOUND);
}

/* --- properties, over drawn reports */

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 16) % below;
}

enum { TREE_LINES = 40, DRAWN = 12, ROUNDS = 200 };

/* A tree of few different lines, so that many are equal, and findings in some of them. */
static void draw_tree(uint32_t *seed, char lines[TREE_LINES][8], uint32_t at[DRAWN])
{
	for (uint32_t i = 0; i < TREE_LINES; i++)
		snprintf(lines[i], sizeof lines[i], "l%u", draw(seed, 3));
	for (uint32_t i = 0; i < DRAWN; i++)
		at[i] = 1 + draw(seed, TREE_LINES);
}

static void put_tree(char lines[TREE_LINES][8], uint32_t shift)
{
	struct buf text;
	buf_init(&text, 4096);
	for (uint32_t i = 0; i < shift; i++)
		buf_puts(&text, "other\n");
	for (uint32_t i = 0; i < TREE_LINES; i++)
		buf_printf(&text, "%s\n", lines[i]);
	write_source("src/a.c", buf_text(&text));
	buf_done(&text);
}

static void identify_drawn(const uint32_t at[DRAWN], uint32_t shift, bool backwards,
			   struct findings *list)
{
	struct buf text;
	buf_init(&text, 16384);
	buf_puts(&text, "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"T\"}},"
			"\"results\":[");
	for (uint32_t i = 0; i < DRAWN; i++) {
		uint32_t line = at[backwards ? DRAWN - 1 - i : i] + shift;
		buf_printf(&text,
			   "%s{\"ruleId\":\"R%u\",\"locations\":[{\"physicalLocation\":{"
			   "\"artifactLocation\":{\"uri\":\"src/"
			   "a.c\"},\"region\":{\"startLine\":%u}}}]}",
			   i > 0 ? "," : "", (line - shift) % 2, line);
	}
	buf_puts(&text, "]}]}");
	identify(buf_text(&text), true, list);
	buf_done(&text);
}

static void moving_and_reordering_change_nothing(void **state)
{
	char lines[TREE_LINES][8];
	uint32_t seed = 1, at[DRAWN];
	(void)state;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		struct findings before, after;
		uint32_t shift = draw(&seed, 5);
		draw_tree(&seed, lines, at);
		/* Of the first line, what stands before it is a part. */
		snprintf(lines[0], sizeof lines[0], "first");
		for (uint32_t i = 0; i < DRAWN; i++)
			at[i] += at[i] == 1;
		put_tree(lines, 0);
		identify_drawn(at, 0, false, &before);
		put_tree(lines, shift);
		identify_drawn(at, shift, true, &after);
		assert_int_equal(before.count, after.count);
		for (uint32_t i = 0; i < before.count; i++) {
			expect_same(before.items[i].identity, after.items[i].identity);
			for (uint32_t k = 0; k < i; k++)
				assert_string_not_equal(before.items[i].identity,
							before.items[k].identity);
		}
		findings_done(&before);
		findings_done(&after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_move_keep_their_identity),
		cmocka_unit_test(equal_lines_are_numbered_from_above),
		cmocka_unit_test(the_tools_own_fingerprint_goes_before_the_lines),
		cmocka_unit_test(without_the_tree_the_quoted_lines_count_then_the_message),
		cmocka_unit_test(nothing_outside_of_the_tree_is_read),
		cmocka_unit_test(moving_and_reordering_change_nothing),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
