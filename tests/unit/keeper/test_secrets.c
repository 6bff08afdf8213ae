/* SPDX-License-Identifier: Apache-2.0
 * test_secrets - what an instance is given: variables that no command line gets, files, a log without them. */
#include <stdlib.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../os/scratch.h"
#include "keeper/secrets.h"

static struct scratch dir;
static struct error err;
static struct loop *loop;
static struct output out;
static struct variables variables;
static struct instance_spec spec = {
	.id = "shop-prod-web-1",
	.app = "shop",
	.environment = "prod",
	.release = "r",
	.tag = "v1",
	.process = "web",
	.secret_count = 2,
	.secrets = {{.name = "DB", .from = "davit:prod/db"},
		    {.name = "KEY", .from = "davit:key", .file = true}}};

static void put(const char *name, const char *value, size_t size)
{
	assert_int_equal(file_write(dir.fd, name, value, size, 0600, &err), 0);
}

static int set_up(void **state)
{
	(void)state;
	scratch_make(&dir);
	assert_int_equal(loop_new(&loop, &err), 0);
	assert_int_equal(output_open(&out, loop, dir.fd, &err), 0);
	assert_int_equal(file_make_directories(dir.fd, "memory", 0700, &err), 0);
	assert_int_equal(symlinkat("memory", dir.fd, "secrets"), 0);
	put("memory/DB", "postgres://hidden", 17);
	put("memory/KEY", "a\0b", 3);
	variables_make(&variables, &spec, NULL, 0, "DAVIT_MARK=x");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	variables_done(&variables);
	output_close(&out);
	loop_free(loop);
	scratch_remove(&dir);
	return 0;
}

static const char *variable(const char *name)
{
	size_t size = strlen(name);
	for (size_t i = 0; i < variables.count; i++)
		if (strncmp(variables.list[i], name, size) == 0 && variables.list[i][size] == '=')
			return variables.list[i] + size + 1;
	return NULL;
}

static void they_become_variables_and_paths(void **state)
{
	(void)state;
	assert_int_equal(secrets_read(dir.fd, &spec, &variables, &out, &err), 0);
	assert_string_equal(variable("DB"), "postgres://hidden");
	assert_string_equal(variable("KEY"), "memory/KEY");
}

static void no_word_of_a_command_has_one(void **state)
{
	const char *const argv[] = {"run", "$DB", "$DAVIT_APP", NULL};
	struct words words;
	(void)state;
	assert_int_equal(secrets_read(dir.fd, &spec, &variables, &out, &err), 0);
	assert_int_equal(words_expand(&words, argv, true, &variables, &err), 0);
	assert_string_equal(words.list[1], "$DB");
	assert_string_equal(words.list[2], "shop");
	words_done(&words);
}

/* PATH is one that davit gives anyway, and words may have. */
static void one_that_takes_a_name_over_is_secret(void **state)
{
	const char *const argv[] = {"$PATH", NULL};
	struct words words;
	struct instance_spec taken = spec;
	(void)state;
	taken.secret_count = 1;
	taken.secrets[0].name = "PATH";
	put("memory/PATH", "/hidden/path", 12);
	assert_int_equal(secrets_read(dir.fd, &taken, &variables, &out, &err), 0);
	assert_string_equal(variable("PATH"), "/hidden/path");
	assert_int_equal(words_expand(&words, argv, true, &variables, &err), 0);
	assert_string_equal(words.list[0], "$PATH");
	words_done(&words);
}

static void the_log_does_not_show_them(void **state)
{
	struct buf text;
	int fd;
	(void)state;
	assert_int_equal(secrets_read(dir.fd, &spec, &variables, &out, &err), 0);
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	assert_int_equal(write(fd, "url=postgres://hid", 18), 18);
	output_drain(&out);
	assert_int_equal(write(fd, "den cG9zdGdyZXM6Ly9oaWRkZW4= end\n", 33), 33);
	output_drain(&out);
	close(fd);
	buf_init(&text, 1 << 20);
	assert_int_equal(file_read(dir.fd, "log", &text, &err), 0);
	assert_non_null(strstr(buf_text(&text), "url=*** ***"));
	assert_null(strstr(buf_text(&text), "hidden"));
	assert_null(strstr(buf_text(&text), "cG9zd"));
	buf_done(&text);
}

static void what_is_not_there_or_fits_no_variable_is_told(void **state)
{
	(void)state;
	struct instance_spec binary = spec;
	binary.secrets[1].file = false;
	assert_int_equal(secrets_read(dir.fd, &binary, &variables, &out, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "KEY has a NUL"));
	assert_int_equal(unlinkat(dir.fd, "memory/DB", 0), 0);
	assert_int_equal(secrets_read(dir.fd, &spec, &variables, &out, &err), ERR_NOT_FOUND);
	assert_int_equal(unlinkat(dir.fd, "secrets", 0), 0);
	assert_int_equal(secrets_read(dir.fd, &spec, &variables, &out, &err), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(they_become_variables_and_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_word_of_a_command_has_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_takes_a_name_over_is_secret, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_log_does_not_show_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_there_or_fits_no_variable_is_told,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
