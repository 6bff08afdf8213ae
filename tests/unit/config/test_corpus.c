/* SPDX-License-Identifier: Apache-2.0
 * test_corpus - each broken file is refused with exactly the words beside it, each valid one resolves to
 *               exactly the text beside it. DAVIT_WRITE_EXPECTED=1 writes what there is now instead:
 *               read the difference before it is committed. */
#include "../cmocka_all.h"

#include "config/config.h"
#include "corpus.h"

enum { BROKEN_FILES_MIN = 100 };

static void compare(const char *stem, const char *found)
{
	char path[CORPUS_PATH_MAX];
	size_t size = 0;
	snprintf(path, sizeof path, "%s.expected", stem);
	if (getenv("DAVIT_WRITE_EXPECTED")) {
		FILE *file = fopen(path, "wb");
		assert_non_null(file);
		fputs(found, file);
		assert_int_equal(fclose(file), 0);
		return;
	}
	char *expected = corpus_read(path, &size);
	if (!expected || strcmp(expected, found) != 0)
		print_error("%s:\n--- expected\n%s--- found\n%s", stem,
			    expected ? expected : "(no file)\n", found);
	assert_non_null(expected);
	assert_string_equal(expected, found);
	free(expected);
}

static void refuse(const char *stem, const char *text, size_t size)
{
	struct app *app = NULL;
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct buf found;
	buf_init(&found, CORPUS_FILE_MAX);
	if (config_load(text, size, "davit.yaml", &app, errors) == 0)
		fail_msg("%s.yaml is accepted", stem);
	assert_null(app);
	for (uint32_t i = 0; i < errors->count; i++)
		buf_printf(&found, "%s: %s\n", errors->items[i].where, errors->items[i].text);
	if (errors->left_out > 0)
		buf_printf(&found, "and %u more\n", errors->left_out);
	compare(stem, buf_text(&found));
	buf_done(&found);
	free(errors);
}

static void accept(const char *stem, const char *text, size_t size)
{
	struct app *app;
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct buf found;
	buf_init(&found, CORPUS_FILE_MAX);
	if (config_load(text, size, "davit.yaml", &app, errors) < 0)
		fail_msg("%s.yaml: %s: %s", stem, errors->items[0].where, errors->items[0].text);
	for (uint32_t i = 0; i < app->environment_count; i++) {
		struct resolved *resolved;
		struct error err;
		assert_int_equal(
			config_resolve(app, app->environments[i].name, NULL, &resolved, &err), 0);
		config_encode(resolved, &found);
		buf_puts(&found, "\n");
		config_resolved_free(resolved);
	}
	compare(stem, buf_text(&found));
	config_free(app);
	buf_done(&found);
	free(errors);
}

static void every_broken_file_is_refused_in_the_expected_words(void **state)
{
	(void)state;
	assert_true(corpus_each(CONFIG_CORPUS "/broken", refuse) >= BROKEN_FILES_MIN);
}

static void every_valid_file_resolves_to_the_expected_text(void **state)
{
	(void)state;
	assert_true(corpus_each(CONFIG_CORPUS "/valid", accept) >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_broken_file_is_refused_in_the_expected_words),
		cmocka_unit_test(every_valid_file_resolves_to_the_expected_text),
	};
	return cmocka_run_group_tests_name("config/corpus", tests, NULL, NULL);
}
