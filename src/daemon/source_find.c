/* SPDX-License-Identifier: Apache-2.0
 * source_find - see source_find.h for the contract. */
#include "daemon/source_find.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "drivers/builder/checkout.h"
#include "drivers/builder/git.h"

enum { ASK_MS = 60 * 1000, SHORT_ID_MIN = 7 };

struct asked {
	struct git_ask ask;
	char git_dir[CHECKOUT_PATH_SIZE + 16];
};

static void ask_of(const char *repository, struct asked *to)
{
	to->ask = (struct git_ask){
		.directory = "/", .verb = "say what that is", .deadline_ms = ASK_MS};
	snprintf(to->git_dir, sizeof to->git_dir, "--git-dir=%s", repository);
}

/* False: git knows nothing of that name. */
static bool commit_of(const struct asked *a, const char *name, char to[65])
{
	char wanted[CHECKOUT_NAME_MAX + 32];
	struct error ignored;
	snprintf(wanted, sizeof wanted, "%s^{commit}", name);
	const char *const words[] = {a->git_dir,         "rev-parse", "--verify", "--quiet",
				     "--end-of-options", wanted,      NULL};
	return git_line(&a->ask, words, to, 65, &ignored) == 0 && checkout_is_id(to);
}

/* What nobody can reach by a branch or a tag was taken back, or never was anybody's to build. */
static bool is_reached(const struct asked *a, const char *commit)
{
	char contains[96], line[GIT_LINE_MAX];
	struct error ignored;
	snprintf(contains, sizeof contains, "--contains=%s", commit);
	const char *const words[] = {a->git_dir, "for-each-ref", "--count=1", "--format=x",
				     contains,   "refs/heads",   "refs/tags", NULL};
	return git_line(&a->ask, words, line, sizeof line, &ignored) == 0 && line[0];
}

static bool is_beginning_of_id(const char *name)
{
	size_t size = strlen(name);
	return size >= SHORT_ID_MIN && size <= 64 && strspn(name, "0123456789abcdef") == size;
}

int source_find(const char *repository, const char *name, struct sources_commit *found,
		struct error *err)
{
	static const char *const kinds[] = {"heads", "tags"};
	struct asked a;
	char shown[300];
	*found = (struct sources_commit){.ref = ""};
	text_show(name, strlen(name), shown, sizeof shown);
	if (!checkout_is_name(name))
		return error_set(err, ERR_INVALID,
				 "\"%.100s\" is no name of a branch, a tag or a commit.", shown);
	ask_of(repository, &a);
	for (size_t i = 0; i < 2; i++) {
		snprintf(found->ref, sizeof found->ref, "refs/%s/%s", kinds[i], name);
		if (commit_of(&a, found->ref, found->commit))
			return 0;
	}
	found->ref[0] = '\0';
	if (is_beginning_of_id(name) && commit_of(&a, name, found->commit) &&
	    is_reached(&a, found->commit))
		return 0;
	return error_set(err, ERR_NOT_FOUND,
			 "The server's repository has no branch, no tag, and on none of them a "
			 "commit \"%.100s\": push it, or wait for the next look (davit sources).",
			 shown);
}
