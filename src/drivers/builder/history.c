/* SPDX-License-Identifier: Apache-2.0
 * history - see history.h for the contract. */
#include "drivers/builder/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "drivers/builder/annotate.h"
#include "drivers/builder/checkout.h"
#include "drivers/builder/git.h"

enum {
	ASK_MS = 60 * 1000,
	LIST_MAX =
		4
		<< 20, /* what a commit says can be of any size: the rest of the list is cut off */
	LINES = 6,
	REF_SIZE = 512
};

struct git_history {
	struct history history; /* first: what is handed out */
	atomic_bool cancelled;
	char scratch[CHECKOUT_PATH_SIZE];
	char hosted[CHECKOUT_PATH_SIZE], copies[CHECKOUT_PATH_SIZE];
};

static struct git_history *of(struct history *history)
{
	return (struct git_history *)history;
}

/* --- what lies between */

/* The next line, without its end; NULL: there is none that is whole. */
static char *take_line(char **rest)
{
	char *line = *rest, *end = line ? strchr(line, '\n') : NULL;
	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

static bool take_commit(char **rest, struct history_commit *c)
{
	char *lines[LINES];
	for (int i = 0; i < LINES; i++)
		if (!(lines[i] = take_line(rest)))
			return false;
	*c = (struct history_commit){.merge = strchr(lines[2], ' ') != NULL};
	if (!checkout_is_id(lines[0]))
		return false;
	text_copy(c->id, sizeof c->id, lines[0]);
	if (!text_parse_u64(lines[1], INT64_MAX / 1000, &c->committed_unix_s))
		c->committed_unix_s = 0;
	if (!text_is_printable(lines[3]) || !text_copy(c->address, sizeof c->address, lines[3]))
		c->address[0] = '\0';
	text_show(lines[4], strlen(lines[4]), c->author, sizeof c->author);
	text_show(lines[5], strlen(lines[5]), c->subject, sizeof c->subject);
	return true;
}

static int list(struct git_history *g, struct history_span *span, struct error *err)
{
	char most[32], old[CHECKOUT_ID_SIZE + 1];
	const struct git_ask ask = {g->scratch, "tell what lies between two commits", ASK_MS, NULL,
				    &g->cancelled};
	/* What git writes between the lines occurs in none of them. */
	const char *const words[] = {"log",
				     most,
				     "--no-show-signature",
				     "--format=%H%n%ct%n%P%n%ae%n%an <%ae>%n%s",
				     span->new_commit,
				     old,
				     "--",
				     NULL};
	struct buf out;
	snprintf(most, sizeof most, "--max-count=%d", HISTORY_COMMITS_MAX + 1);
	snprintf(old, sizeof old, "^%s", span->old_commit);
	buf_init(&out, LIST_MAX);
	int code = git_run(&ask, words, &out, err);
	char *rest = code == 0 ? out.data : NULL;
	while (span->count < HISTORY_COMMITS_MAX && take_commit(&rest, &span->commits[span->count]))
		span->count++;
	/* Also what cannot be read hides nobody. */
	span->cut = code == 0 && (out.overflowed || (rest && rest < out.data + out.size));
	buf_done(&out);
	return code;
}

static int between(struct history *history, struct history_span *span, struct error *err)
{
	struct git_history *g = of(history);
	struct checkout *c = mem_zero(1, sizeof *c);
	span->count = 0;
	span->cut = false;
	int code = checkout_is_id(span->old_commit)
			   ? checkout_at(span->repository, span->new_commit, g->scratch,
					 &g->cancelled, c, err)
			   : error_set(err, ERR_INVALID, "A commit needs its full id.");
	free(c);
	return code < 0 ? code : list(g, span, err);
}

/* --- tags */

static int compare(struct history_tag *tag, const char *found, struct error *err)
{
	tag->existed = strcmp(found, tag->commit) == 0;
	return tag->existed ? 0
			    : error_set(err, ERR_CONFLICT,
					"The tag %s is at commit %.12s already, and stays there.",
					tag->name, found);
}

static int check_tag(const struct git_history *g, const struct history_tag *tag, struct error *err)
{
	if (!text_starts(tag->repository, g->hosted) ||
	    strlen(tag->repository) >= CHECKOUT_PATH_SIZE || strstr(tag->repository, "/../"))
		return error_set(err, ERR_DENIED,
				 "Tags are made in the server's own repositories only.");
	if (!checkout_is_id(tag->commit) || strlen(tag->name) > CHECKOUT_NAME_MAX)
		return error_set(err, ERR_INVALID, "A tag needs a name and a commit's full id.");
	return 0;
}

static int put_tag(struct history *history, struct history_tag *tag, struct error *err)
{
	struct git_history *g = of(history);
	char git_dir[CHECKOUT_PATH_SIZE + 16], found[CHECKOUT_ID_SIZE];
	const struct git_ask ask = {"/", "make the tag", ASK_MS, NULL, &g->cancelled};
	struct error ignored;
	tag->existed = false;
	int code = check_tag(g, tag, err);
	if (code < 0)
		return code;
	snprintf(git_dir, sizeof git_dir, "--git-dir=%s", tag->repository);
	code = annotate_find(&ask, git_dir, tag->name, found, NULL, err);
	if (code != ERR_INVALID)
		return code < 0 ? code : compare(tag, found, err);
	const struct annotation made = {.commit = tag->commit,
					.name = tag->name,
					.message = tag->message,
					.at_unix_s = tag->at_unix_s};
	code = annotate_tag(&ask, git_dir, &made, err);
	FAILPOINT("history.after-tag");
	/* Somebody may have pushed one in between. */
	if (code == ERR_INVALID &&
	    annotate_find(&ask, git_dir, tag->name, found, NULL, &ignored) == 0)
		return compare(tag, found, err);
	return code;
}

/* --- how far from a tip */

static int read_tip(const struct git_history *g, struct history_standing *s, struct error *err)
{
	char git_dir[CHECKOUT_PATH_SIZE + 16], ref[REF_SIZE], found[CHECKOUT_ID_SIZE];
	const struct git_ask ask = {"/", "read the branch", ASK_MS, NULL, &g->cancelled};
	const char *const words[] = {
		git_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref, NULL};
	if (!s->ref[0])
		return 0;
	if (strlen(s->repository) >= CHECKOUT_PATH_SIZE || strlen(s->ref) + 16 > sizeof ref ||
	    !text_starts(s->ref, "refs/heads/"))
		return error_set(err, ERR_INVALID, "A branch needs its full name.");
	snprintf(git_dir, sizeof git_dir, "--git-dir=%s", s->repository);
	snprintf(ref, sizeof ref, "%s^{commit}", s->ref);
	s->tip[0] = '\0';
	int code = git_line(&ask, words, found, sizeof found, err);
	if (code == ERR_INVALID)
		return error_set(err, ERR_NOT_FOUND, "The branch is gone.");
	if (code == 0)
		text_copy(s->tip, sizeof s->tip, found);
	return code;
}

/* "ahead<tab>behind" */
static int count_between(const struct git_history *g, struct history_standing *s, struct error *err)
{
	char range[2 * CHECKOUT_ID_SIZE + 4], line[64], *behind;
	const struct git_ask ask = {g->scratch, "count the commits between", ASK_MS, NULL,
				    &g->cancelled};
	const char *const words[] = {"rev-list", "--count", "--left-right", range, "--", NULL};
	uint64_t left, right;
	snprintf(range, sizeof range, "%s...%s", s->commit, s->tip);
	int code = git_line(&ask, words, line, sizeof line, err);
	if (code < 0)
		return code;
	behind = strchr(line, '\t');
	if (behind)
		*behind++ = '\0';
	if (!behind || !text_parse_u64(line, UINT32_MAX, &left) ||
	    !text_parse_u64(behind, UINT32_MAX, &right))
		return error_set(err, ERR_INVALID, "git counts in no numbers.");
	s->ahead = (uint32_t)left;
	s->behind = (uint32_t)right;
	return 0;
}

static int standing(struct history *history, struct history_standing *s, struct error *err)
{
	struct git_history *g = of(history);
	s->behind = s->ahead = 0;
	s->subject[0] = '\0';
	int code = checkout_is_id(s->commit)
			   ? read_tip(g, s, err)
			   : error_set(err, ERR_INVALID, "A commit needs its full id.");
	s->same = code == 0 && s->known[0] && strcmp(s->known, s->tip) == 0;
	if (code < 0 || s->same)
		return code;
	struct checkout *c = mem_zero(1, sizeof *c);
	code = checkout_at(s->repository, s->tip, g->scratch, &g->cancelled, c, err);
	if (code == 0) {
		text_copy(s->subject, sizeof s->subject, c->subject);
		code = count_between(g, s, err);
	}
	free(c);
	return code;
}

/* --- the interface */

static const struct history_ops ops = {.between = between, .tag = put_tag, .standing = standing};

/* With a "/" at its end. */
static int put_directory(const char *path, char to[CHECKOUT_PATH_SIZE], struct error *err)
{
	int length = snprintf(to, CHECKOUT_PATH_SIZE, "%s/", path);
	return length > 0 && length < CHECKOUT_PATH_SIZE
		       ? 0
		       : error_set(err, ERR_LIMIT, "The path %s is too long.", path);
}

int history_new(const char *scratch, const char *hosted, const char *copies,
		struct history **ret_history, struct error *err)
{
	struct git_history *g = mem_zero(1, sizeof *g);
	int code = put_directory(hosted, g->hosted, err);
	if (code == 0)
		code = put_directory(copies, g->copies, err);
	if (code == 0 && !text_copy(g->scratch, sizeof g->scratch, scratch))
		code = error_set(err, ERR_LIMIT, "The path %s is too long.", scratch);
	if (code < 0) {
		free(g);
		return code;
	}
	g->history = (struct history){.ops = &ops, .hosted = g->hosted, .copies = g->copies};
	*ret_history = &g->history;
	return 0;
}

void history_cancel(struct history *history)
{
	atomic_store(&of(history)->cancelled, true);
}

void history_free(struct history *history)
{
	free(history);
}
