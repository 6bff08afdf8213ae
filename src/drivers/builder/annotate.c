/* SPDX-License-Identifier: Apache-2.0
 * annotate - see annotate.h for the contract. */
#include "drivers/builder/annotate.h"

#include <stdio.h>

enum { REF_SIZE = 512 };

static int find(const struct git_ask *ask, const char *git_dir, const char *name, const char *of,
		char to[CHECKOUT_ID_SIZE], struct error *err)
{
	char ref[REF_SIZE];
	const char *const words[] = {
		git_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref, NULL};
	snprintf(ref, sizeof ref, "refs/tags/%s%s", name, of);
	return git_line(ask, words, to, CHECKOUT_ID_SIZE, err);
}

int annotate_find(const struct git_ask *ask, const char *git_dir, const char *name,
		  char ret_commit[CHECKOUT_ID_SIZE], char *ret_object, struct error *err)
{
	int code = find(ask, git_dir, name, "^{commit}", ret_commit, err);
	return code < 0 || !ret_object ? code : find(ask, git_dir, name, "", ret_object, err);
}

int annotate_tag(const struct git_ask *ask, const char *git_dir, const struct annotation *tag,
		 struct error *err)
{
	char date[64];
	const char *const variables[] = {"GIT_COMMITTER_NAME=davit",
					 "GIT_COMMITTER_EMAIL=davit@localhost", date, NULL};
	const char *const words[] = {git_dir,
				     "-c",
				     "tag.gpgSign=false",
				     "-c",
				     "tag.forceSignAnnotated=false",
				     "tag",
				     "--annotate",
				     "--cleanup=whitespace",
				     "-m",
				     tag->message,
				     "--",
				     tag->name,
				     tag->commit,
				     NULL};
	struct git_ask make = *ask;
	struct buf out;
	snprintf(date, sizeof date, "GIT_COMMITTER_DATE=%llu +0000",
		 (unsigned long long)tag->at_unix_s);
	make.variables = variables;
	buf_init(&out, GIT_LINE_MAX);
	int code = git_run(&make, words, &out, err);
	buf_done(&out);
	return code;
}
