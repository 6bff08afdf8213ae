/* SPDX-License-Identifier: Apache-2.0
 * ci_run - see ci_run.h for the contract. */
#include "cli/ci_run.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

typedef const char *(*getter)(const char *name);

static const char *value(getter get, const char *name)
{
	const char *text = get(name);
	return text ? text : "";
}

/* What does not fit is not known. */
static void join(char to[CI_TEXT_SIZE], const char *const *parts)
{
	size_t used = 0;
	for (; *parts; parts++)
		used += (size_t)snprintf(to + (used < CI_TEXT_SIZE ? used : 0),
					 used < CI_TEXT_SIZE ? CI_TEXT_SIZE - used : 0, "%s",
					 *parts);
	if (used >= CI_TEXT_SIZE)
		to[0] = '\0';
}

#define JOIN(to, ...) join(to, (const char *const[]){__VA_ARGS__, NULL})

/* Gitea's and Forgejo's Actions have the same variables. */
static void of_actions(getter get, struct ci_run *r)
{
	const char *repository = value(get, "GITHUB_REPOSITORY"), *id = value(get, "GITHUB_RUN_ID"),
		   *ref = value(get, "GITHUB_REF");
	JOIN(r->run, "github/", repository, "/", id, "/", value(get, "GITHUB_RUN_ATTEMPT"));
	JOIN(r->url, value(get, "GITHUB_SERVER_URL"), "/", repository, "/actions/runs/", id);
	JOIN(r->commit, value(get, "GITHUB_SHA"));
	if (text_starts(ref, "refs/heads/") || text_starts(ref, "refs/tags/"))
		JOIN(r->ref, ref);
}

static void of_gitlab(getter get, struct ci_run *r)
{
	const char *tag = value(get, "CI_COMMIT_TAG"), *branch = value(get, "CI_COMMIT_BRANCH");
	JOIN(r->run, "gitlab/", value(get, "CI_PROJECT_PATH"), "/", value(get, "CI_PIPELINE_ID"),
	     "/", value(get, "CI_JOB_ID"));
	JOIN(r->url, value(get, "CI_JOB_URL"));
	JOIN(r->commit, value(get, "CI_COMMIT_SHA"));
	if (tag[0])
		JOIN(r->ref, "refs/tags/", tag);
	else if (branch[0])
		JOIN(r->ref, "refs/heads/", branch);
}

static void of_jenkins(getter get, struct ci_run *r)
{
	const char *tag = value(get, "TAG_NAME"), *branch = value(get, "BRANCH_NAME");
	if (!branch[0])
		branch = value(get, "GIT_BRANCH");
	if (text_starts(branch, "origin/"))
		branch += strlen("origin/");
	JOIN(r->run, "jenkins/", value(get, "JOB_NAME"), "/", value(get, "BUILD_NUMBER"));
	JOIN(r->url, value(get, "BUILD_URL"));
	JOIN(r->commit, value(get, "GIT_COMMIT"));
	if (tag[0])
		JOIN(r->ref, "refs/tags/", tag);
	else if (branch[0])
		JOIN(r->ref, "refs/heads/", branch);
}

bool ci_run_find(getter get, struct ci_run *r)
{
	static const struct {
		const char *mark; /* this variable is there */
		void (*fill)(getter get, struct ci_run *r);
	} systems[] = {{"GITHUB_ACTIONS", of_actions},
		       {"GITLAB_CI", of_gitlab},
		       {"JENKINS_URL", of_jenkins}};
	*r = (struct ci_run){.run = ""};
	for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++)
		if (value(get, systems[i].mark)[0]) {
			systems[i].fill(get, r);
			return true;
		}
	return false;
}
