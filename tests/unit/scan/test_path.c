/* SPDX-License-Identifier: Apache-2.0
 * test_path - a file has one name, however a scanner writes it. */
#include "kit.h"
#include "scan/path.h"

static void expect_uri(const char *uri, const char *root, const char *expected)
{
	char path[FINDING_PATH_SIZE];
	assert_true(path_of_uri(uri, path));
	path_normalise(path, root);
	assert_string_equal(path, expected);
}

static void every_way_to_write_a_file_is_one(void **state)
{
	(void)state;
	expect_uri("src/app.c", NULL, "src/app.c");
	expect_uri("./src//app.c", NULL, "src/app.c");
	expect_uri("src\\app.c", NULL, "src/app.c");
	expect_uri("src/x/../app.c", NULL, "src/app.c");
	expect_uri("src/%61pp.c", NULL, "src/app.c");
	expect_uri("file:///home/me/shop/src/app.c", "/home/me/shop", "src/app.c");
	expect_uri("file://localhost/home/me/shop/src/app.c", "/home/me/shop", "src/app.c");
	expect_uri("file:/home/me/shop/src/app.c", "/home/me/shop", "src/app.c");
	expect_uri("/home/me/shop/./src/app.c", "/home/me/shop", "src/app.c");
}

static void what_lies_outside_stays_where_it_is(void **state)
{
	(void)state;
	expect_uri("file:///usr/include/stdio.h", "/home/me/shop", "/usr/include/stdio.h");
	expect_uri("/home/me/shopping/a.c", "/home/me/shop", "/home/me/shopping/a.c");
	expect_uri("../a.c", NULL, "../a.c");
	expect_uri("../../x/../a.c", NULL, "../../a.c");
	expect_uri("/../../etc/passwd", NULL, "/etc/passwd");
	expect_uri("file:///C:/shop/a.c", NULL, "C:/shop/a.c");
	expect_uri("https://shop.example/a//b?c=%2e", NULL, "https://shop.example/a//b?c=%2e");
}

static void what_cannot_be_shown_is_escaped(void **state)
{
	(void)state;
	expect_uri("a%00b", NULL, "a%00b");
	expect_uri("a%0ab", NULL, "a%0ab");
	expect_uri("a\033[31mb", NULL, "a%1B[31mb");
	expect_uri("a%ff", NULL, "a%ff");
	expect_uri("gr%C3%BCn.c", NULL, "gr\xc3\xbcn.c");
	expect_uri("100%", NULL, "100%");
}

static void what_is_written_reads_back(void **state)
{
	static const char *const paths[] = {"src/app.c",
					    "a b/c%d.c",
					    "gr\xc3\xbcn.c",
					    "../x.c",
					    "/usr/a b.h",
					    "C:/shop/a b.c",
					    "a:b.c",
					    "a%00b",
					    "%41",
					    "file:/x",
					    "https://x.example/a%20b"};
	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct buf uri;
		buf_init(&uri, 4096);
		path_put_uri(&uri, paths[i]);
		expect_uri(buf_text(&uri), NULL, paths[i]);
		buf_done(&uri);
	}
}

static void a_base_goes_before_what_is_relative(void **state)
{
	char path[FINDING_PATH_SIZE] = "a.c", whole[FINDING_PATH_SIZE] = "/a.c";
	char base[FINDING_PATH_SIZE];
	(void)state;
	assert_true(path_put_beneath(path, "src"));
	assert_string_equal(path, "src/a.c");
	assert_true(path_put_beneath(whole, "src"));
	assert_string_equal(whole, "/a.c");
	memset(base, 'x', sizeof base - 1);
	base[sizeof base - 1] = '\0';
	assert_false(path_put_beneath(path, base));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_a_file_is_one),
		cmocka_unit_test(what_lies_outside_stays_where_it_is),
		cmocka_unit_test(what_cannot_be_shown_is_escaped),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(a_base_goes_before_what_is_relative),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
