/* SPDX-License-Identifier: Apache-2.0
 * Drafts of post-mortems as files: written once, whole, and never over what people made of them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "base/buf.h"
#include "drivers/postmortem/file.h"
#include "os/file.h"

static char directory[64];
static int state_fd;
static struct postmortems *postmortems;
static struct error err;

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/davit-drafts-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(file_open_directory(AT_FDCWD, directory, &state_fd, &err), 0);
	assert_int_equal(postmortem_file_new(state_fd, &postmortems, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	postmortem_file_free(postmortems);
	close(state_fd);
	return file_remove_tree(AT_FDCWD, directory, &err);
}

static void assert_holds(const char *name, const char *text)
{
	struct buf content;
	buf_init(&content, 1 << 20);
	assert_int_equal(file_read(state_fd, name, &content, &err), 0);
	assert_string_equal(buf_text(&content), text);
	buf_done(&content);
}

static int put(uint32_t rollout, const char *text)
{
	return postmortems->ops->put(postmortems, rollout, text, strlen(text), &err);
}

static void it_is_there_once_it_was_written_and_stays_as_people_left_it(void **state)
{
	(void)state;
	assert_false(postmortems->ops->has(postmortems, 42));
	assert_int_equal(put(42, "draft"), 0);
	assert_true(postmortems->ops->has(postmortems, 42));
	assert_false(postmortems->ops->has(postmortems, 4));
	assert_holds("postmortems/0000000042.md", "draft");
	assert_int_equal(file_write(state_fd, "postmortems/0000000042.md", "edited", 6, 0600, &err),
			 0);
	assert_int_equal(put(42, "draft"), 0);
	assert_holds("postmortems/0000000042.md", "edited");
}

static void one_that_cannot_be_written_says_why(void **state)
{
	(void)state;
	assert_int_equal(file_remove_tree(state_fd, "postmortems", &err), 0);
	assert_true(put(42, "draft") < 0);
	assert_non_null(strstr(err.text, "0000000042.md"));
	assert_false(postmortems->ops->has(postmortems, 42));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_is_there_once_it_was_written_and_stays_as_people_left_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(one_that_cannot_be_written_says_why, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
