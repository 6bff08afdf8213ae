/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

/* Release number n: id "aaaa..n", artifact "bbbb..n". */
static struct store_release a_release(unsigned n, const char *tag)
{
	struct store_release r = {
		.config = "{\"n\":1}", .created_unix_ms = 100 + n, .size_bytes = n};
	snprintf(r.id, sizeof r.id, "%064x", 0xa0000000u + n);
	snprintf(r.artifact, sizeof r.artifact, "%064x", 0xb0000000u + n);
	snprintf(r.config_digest, sizeof r.config_digest, "%064x", 0xc0000000u + n);
	r.id[0] = (char)('a' + (int)(n % 6)); /* so that prefixes differ */
	text_copy(r.app, sizeof r.app, "shop");
	text_copy(r.tag, sizeof r.tag, tag);
	text_copy(r.by, sizeof r.by, "ann");
	return r;
}

static void add(struct fixture *f, const struct store_release *r)
{
	store_begin(f->s);
	store_add_release(f->s, r);
	must(store_commit(f->s, &f->err), &f->err);
}

static void a_release_is_found_by_id_and_brings_its_config(void **state)
{
	struct fixture *f = *state;
	struct store_release r = a_release(1, "v1"), found;
	struct buf config;
	buf_init(&config, 1000);
	add(f, &r);
	must(store_release_get(f->s, r.id, &found, &config, &f->err), &f->err);
	assert_string_equal(found.tag, "v1");
	assert_string_equal(found.artifact, r.artifact);
	assert_string_equal(buf_text(&config), "{\"n\":1}");
	assert_null(found.config);
	assert_int_equal(store_release_get(f->s, "none", &found, NULL, &f->err), ERR_NOT_FOUND);
	buf_done(&config);
}

static void a_release_is_found_by_each_of_its_tags_and_a_tag_moves(void **state)
{
	struct fixture *f = *state;
	struct store_release one = a_release(1, "v1"), two = a_release(2, "v1"), found;
	add(f, &one);
	text_copy(one.tag, sizeof one.tag, "v1-again");
	add(f, &one);
	must(store_release_match(f->s, "shop", "v1", &found, &f->err), &f->err);
	assert_string_equal(found.id, one.id);
	must(store_release_match(f->s, "shop", "v1-again", &found, &f->err), &f->err);
	assert_string_equal(found.id, one.id);
	add(f, &two);
	must(store_release_match(f->s, "shop", "v1", &found, &f->err), &f->err);
	assert_string_equal(found.id, two.id);
	assert_int_equal(store_release_match(f->s, "other", "v1", &found, &f->err), ERR_NOT_FOUND);
}

static void a_prefix_finds_one_release_and_not_one_of_several(void **state)
{
	struct fixture *f = *state;
	struct store_release one = a_release(1, ""), two = a_release(2, ""),
			     same = a_release(7, ""), found;
	add(f, &one);
	add(f, &two);
	must(store_release_match(f->s, "shop", "b00000", &found, &f->err), &f->err);
	assert_string_equal(found.id, one.id);
	must(store_release_match(f->s, "shop", one.id, &found, &f->err), &f->err);
	add(f, &same); /* begins with b as well */
	assert_int_equal(store_release_match(f->s, "shop", "b00000", &found, &f->err),
			 ERR_CONFLICT);
	assert_int_equal(store_release_match(f->s, "shop", "b0000", &found, &f->err),
			 ERR_NOT_FOUND); /* too short */
	assert_int_equal(store_release_match(f->s, "shop", "b00000%", &found, &f->err),
			 ERR_NOT_FOUND);
	assert_int_equal(store_release_match(f->s, "shop", "", &found, &f->err), ERR_NOT_FOUND);
}

struct list {
	char text[512];
};

static int list_release(void *context, const struct store_release *r)
{
	struct list *l = context;
	size_t used = strlen(l->text);
	assert_string_equal(r->config, "{\"n\":1}");
	snprintf(l->text + used, sizeof l->text - used, "%s ", r->tag);
	return 0;
}

static void releases_are_listed_newest_first(void **state)
{
	struct fixture *f = *state;
	struct list all = {0}, two = {0}, none = {0};
	for (unsigned i = 1; i <= 4; i++) {
		char tag[8];
		snprintf(tag, sizeof tag, "v%u", i);
		struct store_release r = a_release(i, tag);
		add(f, &r);
	}
	must(store_releases(f->s, NULL, 100, list_release, &all, &f->err), &f->err);
	assert_string_equal(all.text, "v4 v3 v2 v1 ");
	must(store_releases(f->s, "shop", 2, list_release, &two, &f->err), &f->err);
	assert_string_equal(two.text, "v4 v3 ");
	must(store_releases(f->s, "other", 2, list_release, &none, &f->err), &f->err);
	assert_string_equal(none.text, "");
}

static void a_bad_mark_stands_in_its_environment_until_it_is_cleared(void **state)
{
	struct fixture *f = *state;
	struct store_bad_mark m = {.app = "shop",
				   .environment = "prod",
				   .release = "r1",
				   .reason = "errors",
				   .by = "judge",
				   .at_unix_ms = 5},
			      found;
	store_begin(f->s);
	store_add_bad_mark(f->s, &m);
	store_add_bad_mark(f->s, &m); /* stands already */
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_bad_mark_find(f->s, "shop", "prod", "r1", &found, &f->err), 1);
	assert_string_equal(found.reason, "errors");
	assert_int_equal(store_bad_mark_find(f->s, "shop", "staging", "r1", &found, &f->err), 0);
	store_begin(f->s);
	store_clear_bad_mark(f->s, "shop", "prod", "r1", "ann", "fixed outside", 6);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_bad_mark_find(f->s, "shop", "prod", "r1", &found, &f->err), 0);
	store_begin(f->s);
	text_copy(m.reason, sizeof m.reason, "again");
	m.at_unix_ms = 7;
	store_add_bad_mark(f->s, &m);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_bad_mark_find(f->s, "shop", "prod", "r1", &found, &f->err), 1);
	assert_string_equal(found.reason, "again"); /* the new one, not the one that was cleared */
}

static int list_stable(void *context, const struct store_stable *stable)
{
	struct list *l = context;
	size_t used = strlen(l->text);
	snprintf(l->text + used, sizeof l->text - used, "%s:%u%s ", stable->release,
		 stable->rollout, stable->bad ? "!" : "");
	return 0;
}

static void stables_name_each_release_once_the_live_one_first(void **state)
{
	struct fixture *f = *state;
	struct list all = {0}, one = {0};
	struct store_bad_mark m = {.app = "shop", .environment = "prod", .release = "r2"};
	store_begin(f->s);
	store_add_stable(f->s, "shop", "prod", "r1", 1, 10);
	store_add_stable(f->s, "shop", "prod", "r2", 2, 20);
	store_add_stable(f->s, "shop", "prod", "r3", 3, 30);
	store_add_stable(f->s, "shop", "prod", "r1", 4, 5); /* the clock went back: order stays */
	store_add_stable(f->s, "shop", "staging", "r9", 5, 50);
	store_add_bad_mark(f->s, &m);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_stables(f->s, "shop", "prod", 10, list_stable, &all, &f->err), &f->err);
	assert_string_equal(all.text, "r1:4 r3:3 r2:2! ");
	must(store_stables(f->s, "shop", "prod", 1, list_stable, &one, &f->err), &f->err);
	assert_string_equal(one.text, "r1:4 ");
}

static int list_artifact(void *context, const struct digest *artifact)
{
	struct list *l = context;
	size_t used = strlen(l->text);
	snprintf(l->text + used, sizeof l->text - used, "%x ", artifact->bytes[DIGEST_SIZE - 1]);
	return 0;
}

static void collection_keeps_running_recent_and_last_good_artifacts(void **state)
{
	struct fixture *f = *state;
	struct list kept = {0}, later = {0};
	struct store_release r[9];
	for (unsigned i = 1; i <= 8; i++) {
		r[i] = a_release(i, "");
		add(f, &r[i]);
	}
	struct store_rollout running = a_rollout(9, "s"), ended = a_rollout(10, "s");
	text_copy(running.new_release, sizeof running.new_release, r[2].id);
	text_copy(running.old_release, sizeof running.old_release, r[3].id);
	text_copy(ended.new_release, sizeof ended.new_release, r[1].id);
	ended.ended_unix_ms = 5;
	store_begin(f->s);
	store_put_rollout(f->s, &running);
	store_put_rollout(f->s, &ended);
	store_add_stable(f->s, "shop", "prod", r[1].id, 1,
			 3); /* the third last, whatever the clock said */
	store_add_stable(f->s, "shop", "prod", r[5].id, 2, 2);
	store_add_stable(f->s, "shop", "prod", r[6].id, 3, 1);
	store_add_stable(f->s, "shop", "staging", r[7].id, 4, 4);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_artifacts_kept(f->s, 2, 108, list_artifact, &kept, &f->err), &f->err);
	assert_string_equal(kept.text, "2 3 5 6 7 8 "); /* 8: made at 108 */
	store_begin(f->s);
	running.ended_unix_ms = 6;
	store_put_rollout(f->s, &running);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_artifacts_kept(f->s, 1, 1000, list_artifact, &later, &f->err), &f->err);
	assert_string_equal(later.text, "6 7 ");
	/* One that was built and nobody has deployed yet. */
	struct store_build build = {
		.number = 1, .app = "shop", .state = "passed", .ended_unix_ms = 5};
	struct list built = {0};
	text_copy(build.release, sizeof build.release, r[4].id);
	store_begin(f->s);
	store_put_build(f->s, &build);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_artifacts_kept(f->s, 1, 1000, list_artifact, &built, &f->err), &f->err);
	assert_string_equal(built.text, "4 6 7 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_release_is_found_by_id_and_brings_its_config),
		TEST(a_release_is_found_by_each_of_its_tags_and_a_tag_moves),
		TEST(a_prefix_finds_one_release_and_not_one_of_several),
		TEST(releases_are_listed_newest_first),
		TEST(a_bad_mark_stands_in_its_environment_until_it_is_cleared),
		TEST(stables_name_each_release_once_the_live_one_first),
		TEST(collection_keeps_running_recent_and_last_good_artifacts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
