/* SPDX-License-Identifier: Apache-2.0
 * The commits of a real repository, and tags in it. tests/system/24_commits.bats has the whole. */
#include "../cmocka_all.h"

#include "../os/scratch.h"
#include "base/text.h"
#include "drivers/builder/history.h"

static struct scratch scratch;
static struct error err;
static struct history *history;
static char hosted[96], repository[128], first[HISTORY_ID_SIZE], last[HISTORY_ID_SIZE];
static struct history_commit commits[HISTORY_COMMITS_MAX];

/* Three commits; the second has a parent more, and texts that mean harm. */
static const char script[] =
	"set -e; cd \"$D\"; export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1\n"
	"export GIT_AUTHOR_NAME=Ann GIT_AUTHOR_EMAIL=ann@example.com GIT_COMMITTER_NAME=Ann\n"
	"export GIT_COMMITTER_EMAIL=ann@example.com GIT_COMMITTER_DATE='1700000000 +0000'\n"
	"git init -q --bare hosted/shop.git; cd hosted/shop.git\n"
	"mkdir -p hooks; printf '#!/bin/sh\\ntouch %s/evil\\n' \"$D\" "
	">hooks/reference-transaction\n"
	"chmod +x hooks/reference-transaction; rm -f \"$D/evil\"\n"
	"tree=$(git mktree </dev/null)\n"
	"side=$(git commit-tree -m side $tree)\n"
	"a=$(git commit-tree -m a $tree)\n"
	"b=$(GIT_AUTHOR_NAME='$(id)' GIT_AUTHOR_EMAIL='b@example.com' git commit-tree -p $a -p "
	"$side"
	" -m \"$(printf 'red \\033[31m')\" $tree)\n"
	"c=$(GIT_COMMITTER_DATE='1700000100 +0000' git commit-tree -p $b -m c $tree)\n"
	"git update-ref refs/heads/main $c\n"
	"printf '%s' $a >\"$D/first\"; printf '%s' $c >\"$D/last\"; rm -f \"$D/evil\"\n";

static void read_id(const char *name, char to[HISTORY_ID_SIZE])
{
	struct buf text;
	buf_init(&text, HISTORY_ID_SIZE);
	assert_int_equal(file_read(scratch.fd, name, &text, &err), 0);
	assert_true(text_copy(to, HISTORY_ID_SIZE, buf_text(&text)));
	buf_done(&text);
}

static int set_up(void **state)
{
	char work[96];
	(void)state;
	scratch_make(&scratch);
	snprintf(hosted, sizeof hosted, "%s/hosted", scratch.path);
	snprintf(repository, sizeof repository, "%s/shop.git", hosted);
	snprintf(work, sizeof work, "%s/work", scratch.path);
	setenv("D", scratch.path, 1);
	assert_int_equal(system(script), 0);
	read_id("first", first);
	read_id("last", last);
	assert_int_equal(history_new(work, hosted, "/srv/copies", &history, &err), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	history_free(history);
	scratch_remove(&scratch);
	return 0;
}

static void what_lies_between_is_told_newest_first(void **state)
{
	(void)state;
	struct history_span span = {repository, first, last, commits, 0, false};
	assert_int_equal(history->ops->between(history, &span, &err), 0);
	assert_int_equal(span.count, 3);
	assert_false(span.cut);
	assert_string_equal(commits[0].id, last);
	assert_string_equal(commits[0].subject, "c");
	assert_int_equal(commits[0].committed_unix_s, 1700000100);
	assert_false(commits[0].merge);
	assert_true(commits[1].merge);
	assert_string_equal(commits[1].author, "$(id) <b@example.com>");
	assert_string_equal(commits[1].address, "b@example.com");
	assert_string_equal(commits[1].subject, "red \\x1b[31m");
	/* The other way round there is nothing; nor where nothing is known. */
	span = (struct history_span){repository, last, first, commits, 0, false};
	assert_int_equal(history->ops->between(history, &span, &err), 0);
	assert_int_equal(span.count, 0);
	span.old_commit = "0123456789012345678901234567890123456789";
	assert_int_equal(history->ops->between(history, &span, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "git cannot tell what lies between two commits: "));
	span.old_commit = "--output=evil";
	assert_int_equal(history->ops->between(history, &span, &err), ERR_INVALID);
}

static int standing(const char *commit, const char *ref, const char *known,
		    struct history_standing *ret)
{
	*ret = (struct history_standing){
		.repository = repository, .commit = commit, .ref = ref, .known = known};
	return history->ops->standing(history, ret, &err);
}

static void a_commit_stands_behind_a_tip_ahead_of_it_or_apart(void **state)
{
	(void)state;
	struct history_standing s;
	assert_int_equal(standing(first, "refs/heads/main", "", &s), 0);
	assert_string_equal(s.tip, last);
	assert_int_equal(s.behind, 3);
	assert_int_equal(s.ahead, 0);
	assert_string_equal(s.subject, "c");
	assert_int_equal(standing(first, "refs/heads/main", last, &s), 0);
	assert_true(s.same);
	assert_int_equal(standing(last, "refs/heads/main", first, &s), 0);
	assert_false(s.same);
	assert_int_equal(s.behind + s.ahead, 0);
	/* A tip that is given, and the other way round. */
	s = (struct history_standing){
		.repository = repository, .commit = last, .ref = "", .known = ""};
	text_copy(s.tip, sizeof s.tip, first);
	assert_int_equal(history->ops->standing(history, &s, &err), 0);
	assert_int_equal(s.ahead, 3);
	assert_int_equal(s.behind, 0);
	assert_string_equal(s.subject, "a");
}

static void what_is_no_branch_or_no_commit_has_no_standing(void **state)
{
	(void)state;
	struct history_standing s;
	assert_int_equal(standing(first, "refs/heads/gone", "", &s), ERR_NOT_FOUND);
	assert_string_equal(s.tip, "");
	assert_int_equal(standing(first, "--all", "", &s), ERR_INVALID);
	assert_int_equal(standing("HEAD", "refs/heads/main", "", &s), ERR_INVALID);
	assert_int_equal(
		standing("0123456789012345678901234567890123456789", "refs/heads/main", "", &s),
		ERR_INVALID);
	assert_non_null(strstr(err.text, "git cannot count the commits between: "));
	assert_string_equal(s.tip, last);
}

static int tag(const char *where, const char *commit, const char *name, bool *ret_existed)
{
	struct history_tag wanted = {.repository = where,
				     .commit = commit,
				     .name = name,
				     .message = "Said\n\n# of it\n",
				     .at_unix_s = 1700000200};
	int code = history->ops->tag(history, &wanted, &err);
	*ret_existed = wanted.existed;
	return code;
}

static void a_tag_is_made_once_and_never_moved(void **state)
{
	(void)state;
	bool existed;
	assert_int_equal(tag(repository, last, "v1", &existed), 0);
	assert_false(existed);
	assert_int_equal(tag(repository, last, "v1", &existed), 0);
	assert_true(existed);
	assert_int_equal(tag(repository, first, "v1", &existed), ERR_CONFLICT);
	assert_non_null(strstr(err.text, "is at commit "));
	assert_int_equal(
		system("cd \"$D/hosted/shop.git\" && [ \"$(git rev-parse 'v1^{commit}')\" = "
		       "\"$(cat \"$D/last\")\" ] &&"
		       " git cat-file tag v1 | grep -q '^tagger davit <davit@localhost> 1700000200 "
		       "+0000$' &&"
		       " git cat-file tag v1 | grep -q '^# of it$' && [ ! -e \"$D/evil\" ]"),
		0);
}

static void what_is_no_name_or_no_place_of_ours_is_refused(void **state)
{
	(void)state;
	bool existed;
	char elsewhere[160];
	static const char *const names[] = {"-d", "a..b", "a b", "v1.lock", ""};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_equal(tag(repository, last, names[i], &existed), ERR_INVALID);
	assert_int_equal(tag(repository, "HEAD", "v2", &existed), ERR_INVALID);
	assert_int_equal(tag("/srv/shop.git", last, "v2", &existed), ERR_DENIED);
	snprintf(elsewhere, sizeof elsewhere, "%s/../elsewhere.git", hosted);
	assert_int_equal(tag(elsewhere, last, "v2", &existed), ERR_DENIED);
	assert_int_equal(system("cd \"$D/hosted/shop.git\" && [ -z \"$(git tag)\" ]"), 0);
}

static void what_is_cancelled_ends(void **state)
{
	(void)state;
	bool existed;
	struct history_span span = {repository, first, last, commits, 0, false};
	history_cancel(history);
	assert_int_equal(history->ops->between(history, &span, &err), ERR_CLOSED);
	assert_int_equal(tag(repository, last, "v1", &existed), ERR_CLOSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_lies_between_is_told_newest_first),
		TEST(a_commit_stands_behind_a_tip_ahead_of_it_or_apart),
		TEST(what_is_no_branch_or_no_commit_has_no_standing),
		TEST(a_tag_is_made_once_and_never_moved),
		TEST(what_is_no_name_or_no_place_of_ours_is_refused),
		TEST(what_is_cancelled_ends),
	};
	if (system("git --version >/dev/null 2>&1") != 0)
		return 77; /* git is not installed: Meson counts it as left out */
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
