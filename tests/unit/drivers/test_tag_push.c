/* SPDX-License-Identifier: Apache-2.0
 * Tags that go to a repository elsewhere. tests/system/36_tag_push.bats has the whole, and https. */
#include "../cmocka_all.h"

#include "../os/scratch.h"
#include "base/text.h"
#include "drivers/builder/checkout.h"
#include "drivers/builder/tag_push.h"

static struct scratch scratch;
static struct error err;
static struct tag_pusher *pusher;
static char work[96], here[128], there[160], first[CHECKOUT_ID_SIZE], last[CHECKOUT_ID_SIZE];

/* Two commits, a branch, and another repository that has the first one; hooks here mean harm. */
static const char script[] =
	"set -e; cd \"$D\"; export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1\n"
	"export GIT_AUTHOR_NAME=Ann GIT_AUTHOR_EMAIL=ann@example.com GIT_COMMITTER_NAME=Ann\n"
	"export GIT_COMMITTER_EMAIL=ann@example.com GIT_COMMITTER_DATE='1700000000 +0000'\n"
	"git init -q --bare here.git; git init -q --bare there.git; cd here.git\n"
	"mkdir -p hooks; for h in pre-push reference-transaction; do\n"
	"  printf '#!/bin/sh\\ntouch %s/evil\\n' \"$D\" >hooks/$h; chmod +x hooks/$h; done\n"
	"git config push.default matching; git config push.followTags true\n"
	"tree=$(git mktree </dev/null); a=$(git commit-tree -m a $tree)\n"
	"b=$(git commit-tree -p $a -m b $tree)\n"
	"git -c core.hooksPath=/dev/null update-ref refs/heads/main $b\n"
	"git -c core.hooksPath=/dev/null push -q ../there.git $a:refs/heads/old\n"
	"printf '%s' $a >\"$D/first\"; printf '%s' $b >\"$D/last\"; rm -f \"$D/evil\"\n";

static void read_id(const char *name, char to[CHECKOUT_ID_SIZE])
{
	struct buf text;
	buf_init(&text, CHECKOUT_ID_SIZE);
	assert_int_equal(file_read(scratch.fd, name, &text, &err), 0);
	assert_true(text_copy(to, CHECKOUT_ID_SIZE, buf_text(&text)));
	buf_done(&text);
}

static int set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	snprintf(work, sizeof work, "%s/work", scratch.path);
	snprintf(here, sizeof here, "%s/here.git", scratch.path);
	snprintf(there, sizeof there, "file://%s/there.git", scratch.path);
	setenv("D", scratch.path, 1);
	assert_int_equal(system(script), 0);
	read_id("first", first);
	read_id("last", last);
	assert_int_equal(tag_push_new(work, &pusher, &err), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tag_push_free(pusher);
	scratch_remove(&scratch);
	return 0;
}

static int push(const char *commit, const char *name, bool *ret_existed)
{
	struct tag_push wanted = {.git = there,
				  .repository = here,
				  .commit = commit,
				  .name = name,
				  .message = "Said\n\n# of it\n",
				  .at_unix_s = 1700000200};
	int code = pusher->ops->push(pusher, &wanted, &err);
	*ret_existed = wanted.existed;
	return code;
}

static void shell(const char *command)
{
	char whole[1024];
	snprintf(whole, sizeof whole, "set -e; cd \"$D\"; first=%s last=%s; %s", first, last,
		 command);
	if (system(whole) != 0)
		fail_msg("%s", command);
}

static void a_tag_arrives_with_its_commits_and_nothing_else(void **state)
{
	(void)state;
	bool existed;
	assert_int_equal(push(last, "v1", &existed), 0);
	assert_false(existed);
	shell("git --git-dir=there.git cat-file tag v1 >tag; grep -q '^object '$last tag; "
	      "grep -q '^tagger davit <davit@localhost> 1700000200 +0000$' tag; "
	      "grep -q '^# of it$' tag; git --git-dir=there.git fsck --strict");
	shell("[ \"$(git --git-dir=there.git for-each-ref --format='%(refname)' | tr '\\n' ' ')\" "
	      "= "
	      "'refs/heads/old refs/tags/v1 ' ]");
	/* Nothing was written here, no hook of ours ran, and nothing is left. */
	shell("[ -z \"$(git --git-dir=here.git tag)\" ] && [ ! -e evil ] && [ ! -e work ]");
	/* The same again, and made anew, is the same object. */
	assert_int_equal(push(last, "v1", &existed), 0);
	assert_true(existed);
	shell("git --git-dir=there.git rev-parse v1 >one; git --git-dir=there.git tag -d v1 >out");
	assert_int_equal(push(last, "v1", &existed), 0);
	assert_false(existed);
	shell("git --git-dir=there.git rev-parse v1 | cmp - one");
}

static void the_tag_that_is_here_is_the_one_that_arrives(void **state)
{
	(void)state;
	bool existed;
	shell("git --git-dir=here.git -c core.hooksPath=/dev/null -c user.name=Ann -c "
	      "user.email=a@example.com tag -a -m Mine v1 $last");
	shell("git --git-dir=here.git -c core.hooksPath=/dev/null tag light $first");
	assert_int_equal(push(last, "v1", &existed), 0);
	assert_int_equal(push(first, "light", &existed), 0);
	shell("[ $(git --git-dir=here.git rev-parse v1) = $(git --git-dir=there.git rev-parse v1) "
	      "]");
	shell("[ $(git --git-dir=there.git rev-parse light) = $first ]");
	/* One that means something else here is an old copy's, and neither used nor moved. */
	shell("git --git-dir=there.git tag -d v1 >out");
	assert_int_equal(push(first, "v1", &existed), 0);
	shell("[ $(git --git-dir=there.git rev-parse v1^{commit}) = $first ]; "
	      "[ $(git --git-dir=here.git rev-parse v1^{commit}) = $last ]");
}

static void another_tag_is_never_replaced(void **state)
{
	(void)state;
	bool existed;
	shell("git --git-dir=there.git tag v1 $first; git --git-dir=there.git tag v2 $first; "
	      "git --git-dir=there.git update-ref refs/heads/refs/tags/v3 $first");
	assert_int_equal(push(last, "v1", &existed), ERR_CONFLICT);
	assert_non_null(strstr(err.text, "The tag v1 is at commit "));
	assert_non_null(strstr(err.text, "there.git, and stays there."));
	shell("[ $(git --git-dir=there.git rev-parse v1) = $first ]");
	/* At the same commit it does, whoever made it and how. */
	assert_int_equal(push(first, "v2", &existed), 0);
	assert_true(existed);
	shell("[ $(git --git-dir=there.git cat-file -t v2) = commit ]");
	/* A branch that only ends like the tag is none. */
	assert_int_equal(push(last, "v3", &existed), 0);
	assert_false(existed);
	shell("[ $(git --git-dir=there.git rev-parse refs/tags/v3^{commit}) = $last ]; "
	      "[ $(git --git-dir=there.git rev-parse refs/heads/refs/tags/v3) = $first ]");
}

static void who_was_faster_keeps_the_name(void **state)
{
	(void)state;
	bool existed;
	/* Between the question and the push. */
	shell("mkdir -p there.git/hooks; printf '#!/bin/sh\\nunset GIT_QUARANTINE_PATH\\ngit "
	      "update-ref refs/tags/v1 %s\\n' $first >there.git/hooks/pre-receive; "
	      "chmod +x there.git/hooks/pre-receive");
	assert_int_equal(push(last, "v1", &existed), ERR_INVALID);
	shell("[ $(git --git-dir=there.git rev-parse v1) = $first ]");
	assert_int_equal(push(last, "v1", &existed), ERR_CONFLICT);
}

static void what_is_no_name_or_no_place_is_refused(void **state)
{
	(void)state;
	bool existed;
	static const char *const names[] = {"-d", "a..b", "a b", "v1.lock",
					    "",   "a:b",  "v*",  "+v1:"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_equal(push(last, names[i], &existed), ERR_INVALID);
	assert_int_equal(push("HEAD", "v1", &existed), ERR_INVALID);
	assert_int_equal(push("--all", "v1", &existed), ERR_INVALID);
	shell("[ -z \"$(git --git-dir=there.git tag)\" ]");
	shell("mv there.git away.git");
	assert_int_equal(push(last, "v1", &existed), ERR_INVALID);
	assert_non_null(strstr(err.text, "git cannot read the tags there: "));
	tag_push_cancel(pusher);
	assert_int_equal(push(last, "v1", &existed), ERR_CLOSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tag_arrives_with_its_commits_and_nothing_else),
		TEST(the_tag_that_is_here_is_the_one_that_arrives),
		TEST(another_tag_is_never_replaced),
		TEST(who_was_faster_keeps_the_name),
		TEST(what_is_no_name_or_no_place_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
