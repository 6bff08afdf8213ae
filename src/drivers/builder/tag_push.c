/* SPDX-License-Identifier: Apache-2.0
 * tag_push - see tag_push.h for the contract. */
#include "drivers/builder/tag_push.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "drivers/builder/annotate.h"
#include "drivers/builder/git_remote.h"
#include "os/file.h"

enum { ASK_MS = 30 * 1000, LIST_MAX = 64 << 10, REF_SIZE = CHECKOUT_NAME_MAX + 16 };

struct git_pusher {
	struct tag_pusher pusher; /* first: what is handed out */
	atomic_bool cancelled;
	char scratch[CHECKOUT_PATH_SIZE];
};

/* What stands under one name; "": nothing. */
struct standing {
	char object[CHECKOUT_ID_SIZE];
	char commit[CHECKOUT_ID_SIZE];
};

static int check(const struct tag_push *push, struct error *err)
{
	size_t size = strlen(push->name);
	bool is_name = size > 0 && size <= CHECKOUT_NAME_MAX && push->name[0] != '-' &&
		       strspn(push->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789._/+-") == size;
	return is_name && checkout_is_id(push->commit)
		       ? 0
		       : error_set(err, ERR_INVALID,
				   "A tag that is pushed needs a name and a commit's full id.");
}

/* --- what is pushed */

static int borrow(const struct git_ask *ask, const char *git_dir, const char *ref,
		  const char *object, struct error *err)
{
	const char *const words[] = {git_dir, "update-ref", ref, object, NULL};
	struct buf out;
	buf_init(&out, GIT_LINE_MAX);
	int code = git_run(ask, words, &out, err);
	buf_done(&out);
	return code;
}

/* The only ref of `scratch` is then the tag: the one that is here, else one that is made. One here that is at another
 * commit may be an old copy's. */
static int put_tag(const struct git_ask *ask, const char *scratch, const struct tag_push *push,
		   const char *ref, struct error *err)
{
	char here[CHECKOUT_PATH_SIZE + 16], own[CHECKOUT_PATH_SIZE + 16];
	char commit[CHECKOUT_ID_SIZE], object[CHECKOUT_ID_SIZE];
	const struct annotation tag = {push->commit, push->name, push->message, push->at_unix_s};
	snprintf(here, sizeof here, "--git-dir=%s", push->repository);
	snprintf(own, sizeof own, "--git-dir=%s", scratch);
	int code = annotate_find(ask, here, push->name, commit, object, err);
	if (code == 0 && strcmp(commit, push->commit) == 0)
		return borrow(ask, own, ref, object, err);
	return code == 0 || code == ERR_INVALID ? annotate_tag(ask, own, &tag, err) : code;
}

/* --- what stands there */

/* "ID\tNAME"; of an annotated tag also its commit, as "NAME^{}". */
static void take_line(char *line, const char *ref, struct standing *to)
{
	char *id = strsep(&line, "\t");
	size_t size = strlen(ref);
	if (!line || !checkout_is_id(id) || strncmp(line, ref, size) != 0)
		return;
	if (strcmp(line + size, "^{}") == 0)
		text_copy(to->commit, sizeof to->commit, id);
	else if (!line[size])
		text_copy(to->object, sizeof to->object, id);
}

static int look(const struct git_remote *remote, const struct git_ask *ask, const char *ref,
		struct standing *to, struct error *err)
{
	char peeled[REF_SIZE + 4], *rest, *line;
	const char *const words[] = {"ls-remote", "--quiet", "--", remote->git, ref, peeled, NULL};
	struct buf out;
	*to = (struct standing){.object = ""};
	snprintf(peeled, sizeof peeled, "%s^{}", ref);
	buf_init(&out, LIST_MAX);
	int code = git_remote_run(remote, ask, words, &out, err);
	if (code == 0 && out.overflowed)
		code = error_set(err, ERR_LIMIT, "What it says of the tag is too long.");
	rest = code == 0 ? out.data : NULL;
	while ((line = strsep(&rest, "\n")))
		take_line(line, ref, to);
	if (!to->commit[0]) /* a tag without a message is the commit itself */
		text_copy(to->commit, sizeof to->commit, to->object);
	buf_done(&out);
	return code;
}

/* Without a "+" or an option that forces, git replaces no tag, whoever was faster. With a pattern it takes the name
 * there literally; alone, a branch there that is called refs/tags/NAME would be meant. */
static int send(const struct git_remote *remote, const struct git_ask *ask, struct error *err)
{
	const char *const words[] = {
		"push", "--quiet", "--", remote->git, "refs/tags/*:refs/tags/*", NULL};
	struct buf out;
	buf_init(&out, GIT_LINE_MAX);
	int code = git_remote_run(remote, ask, words, &out, err);
	buf_done(&out);
	return code;
}

/* --- the interface */

static int push_from(const struct git_pusher *g, struct tag_push *push, struct error *err)
{
	const struct git_remote remote = {.git = push->git, .token_file = push->token_file};
	const struct git_ask make = {g->scratch, "make the tag", ASK_MS, NULL, &g->cancelled},
			     ask = {g->scratch, "read the tags there", ASK_MS, NULL, &g->cancelled},
			     out = {g->scratch, "push the tag", TAG_PUSH_MS, NULL, &g->cancelled};
	char ref[REF_SIZE];
	struct standing there;
	snprintf(ref, sizeof ref, "refs/tags/%s", push->name);
	int code = look(&remote, &ask, ref, &there, err);
	if (code < 0)
		return code;
	push->existed = strcmp(there.commit, push->commit) == 0;
	if (push->existed)
		return 0;
	if (there.object[0])
		return error_set(err, ERR_CONFLICT,
				 "The tag %s is at commit %.12s already in %s, and stays there.",
				 push->name, there.commit, push->git);
	code = put_tag(&make, g->scratch, push, ref, err);
	if (code < 0)
		return code;
	code = send(&remote, &out, err);
	FAILPOINT("tag_push.after-push");
	return code;
}

static int push_tag(struct tag_pusher *pusher, struct tag_push *push, struct error *err)
{
	struct git_pusher *g = (struct git_pusher *)pusher;
	struct error ignored;
	push->existed = false;
	int code = check(push, err);
	if (code == 0)
		code = file_remove_tree(AT_FDCWD, g->scratch, err);
	if (code < 0)
		return code;
	struct checkout *c = mem_zero(1, sizeof *c);
	code = checkout_at(push->repository, push->commit, g->scratch, &g->cancelled, c, err);
	if (code == 0)
		code = push_from(g, push, err);
	free(c);
	(void)!file_remove_tree(AT_FDCWD, g->scratch, &ignored);
	return code;
}

static const struct tag_pusher_ops ops = {.push = push_tag};

int tag_push_new(const char *scratch, struct tag_pusher **ret_pusher, struct error *err)
{
	struct git_pusher *g = mem_zero(1, sizeof *g);
	if (!text_copy(g->scratch, sizeof g->scratch, scratch)) {
		free(g);
		return error_set(err, ERR_LIMIT, "The path %s is too long.", scratch);
	}
	g->pusher = (struct tag_pusher){.ops = &ops};
	*ret_pusher = &g->pusher;
	return 0;
}

void tag_push_cancel(struct tag_pusher *pusher)
{
	if (pusher)
		atomic_store(&((struct git_pusher *)pusher)->cancelled, true);
}

void tag_push_free(struct tag_pusher *pusher)
{
	free(pusher);
}
