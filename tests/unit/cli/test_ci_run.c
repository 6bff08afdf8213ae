/* SPDX-License-Identifier: Apache-2.0
 * What other systems say of their runs. */
#include <string.h>

#include "../cmocka_all.h"
#include "cli/ci_run.h"

static const char *const *variables; /* name, value, ..., NULL */

static const char *get(const char *name)
{
	for (const char *const *at = variables; *at; at += 2)
		if (strcmp(at[0], name) == 0)
			return at[1];
	return NULL;
}

static struct ci_run found(const char *const *list)
{
	struct ci_run run;
	variables = list;
	assert_true(ci_run_find(get, &run));
	return run;
}

#define FOUND(...) found((const char *const[]){__VA_ARGS__, NULL})

static void actions_of_github(void **state)
{
	(void)state;
	struct ci_run r =
		FOUND("GITHUB_ACTIONS", "true", "GITHUB_REPOSITORY", "acme/shop", "GITHUB_RUN_ID",
		      "8123", "GITHUB_RUN_ATTEMPT", "2", "GITHUB_SHA", "aa", "GITHUB_REF",
		      "refs/heads/main", "GITHUB_SERVER_URL", "https://github.com");
	assert_string_equal(r.run, "github/acme/shop/8123/2");
	assert_string_equal(r.url, "https://github.com/acme/shop/actions/runs/8123");
	assert_string_equal(r.commit, "aa");
	assert_string_equal(r.ref, "refs/heads/main");
	r = FOUND("GITHUB_ACTIONS", "true", "GITHUB_REF", "refs/pull/7/merge");
	assert_string_equal(r.ref, "");
}

static void gitlab(void **state)
{
	(void)state;
	struct ci_run r =
		FOUND("GITLAB_CI", "true", "CI_PROJECT_PATH", "acme/web/shop", "CI_PIPELINE_ID",
		      "7", "CI_JOB_ID", "9", "CI_JOB_URL", "https://gitlab.com/j/9",
		      "CI_COMMIT_SHA", "bb", "CI_COMMIT_TAG", "v1.2.3");
	assert_string_equal(r.run, "gitlab/acme/web/shop/7/9");
	assert_string_equal(r.ref, "refs/tags/v1.2.3");
	assert_string_equal(r.url, "https://gitlab.com/j/9");
	r = FOUND("GITLAB_CI", "true", "CI_COMMIT_BRANCH", "main");
	assert_string_equal(r.ref, "refs/heads/main");
}

static void jenkins(void **state)
{
	(void)state;
	struct ci_run r = FOUND("JENKINS_URL", "https://ci/", "JOB_NAME", "shop", "BUILD_NUMBER",
				"41", "GIT_BRANCH", "origin/release/1", "GIT_COMMIT", "cc",
				"BUILD_URL", "https://ci/job/shop/41/");
	assert_string_equal(r.run, "jenkins/shop/41");
	assert_string_equal(r.ref, "refs/heads/release/1");
	assert_string_equal(r.commit, "cc");
}

static void nobody_and_far_too_much(void **state)
{
	static char huge[2 * CI_TEXT_SIZE];
	struct ci_run run;
	(void)state;
	variables = (const char *const[]){NULL};
	assert_false(ci_run_find(get, &run));
	memset(huge, 'a', sizeof huge - 1);
	run = FOUND("JENKINS_URL", "x", "JOB_NAME", huge, "GIT_BRANCH", huge, "BUILD_URL", huge);
	assert_string_equal(run.run, "");
	assert_string_equal(run.ref, "");
	assert_string_equal(run.url, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_of_github),
		cmocka_unit_test(gitlab),
		cmocka_unit_test(jenkins),
		cmocka_unit_test(nobody_and_far_too_much),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
