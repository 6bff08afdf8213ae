/* SPDX-License-Identifier: Apache-2.0
 * postmortem - sentences, severity and dates from facts; and texts from outside that would like to be markup. */
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

#include "base/text.h"
#include "report/postmortem.h"
#include "report/words.h"

static struct postmortem *p;
static struct buf b;

static int setup(void **state)
{
	(void)state;
	p = mem_zero(1, sizeof *p);
	buf_init(&b, POSTMORTEM_BYTES_MAX);
	p->number = 42;
	text_copy(p->app, sizeof p->app, "shop");
	text_copy(p->environment, sizeof p->environment, "prod");
	text_copy(p->kind, sizeof p->kind, "deploy");
	text_copy(p->strategy, sizeof p->strategy, "canary");
	text_copy(p->state, sizeof p->state, "reverted");
	text_copy(p->bad.id, sizeof p->bad.id, "abc");
	text_copy(p->bad.tag, sizeof p->bad.tag, "v2.0.0");
	text_copy(p->back.id, sizeof p->back.id, "def");
	text_copy(p->back.tag, sizeof p->back.tag, "v1.4.1");
	text_copy(p->verdict, sizeof p->verdict, "62 of 1,240 requests failed.");
	p->finder = POSTMORTEM_BY_JUDGE;
	p->started_unix_ms = 1795680000000; /* 2026-11-26T08:00:00Z, a Thursday */
	p->exposed_unix_ms = p->started_unix_ms + 1000;
	p->exposed_ms = 12000;
	p->weight_most_bp = 2000;
	p->verdict_unix_ms = p->started_unix_ms + 13000;
	p->zero_ms = 45;
	p->validated_ms = 3200;
	p->ended_unix_ms = p->verdict_unix_ms + p->zero_ms + p->validated_ms;
	p->counted = true;
	p->new_traffic = (struct postmortem_traffic){1240, 62, 1500, 40000};
	p->expected = 1.24;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_done(&b);
	free(p);
	return 0;
}

static void three_sentences_say_it(void **state)
{
	(void)state;
	char s[3][2 * POSTMORTEM_TEXT_SIZE];
	postmortem_summary(p, s);
	assert_string_equal(s[0], "v2.0.0 was rolled out to shop/prod (canary) from 2026-11-26 "
				  "08:00:00.000 UTC on, in place of v1.4.1.");
	assert_string_equal(
		s[1], "It was given 1,240 requests, of which 62 failed (5.00%) where 1.2 would "
		      "have been expected; davit's judge said: 62 of 1,240 requests failed.");
	assert_string_equal(
		s[2], "Users met it for 12.0 s, with at most 20% of their requests; 45 ms after "
		      "the verdict it had no request any more, and 3.2 s later v1.4.1 served "
		      "everything, healthy.");
}

static void severity_is_proposed_by_rule(void **state)
{
	(void)state;
	assert_string_equal(postmortem_severity(p), "sev3");
	p->weight_most_bp = 5001;
	assert_string_equal(postmortem_severity(p), "sev2");
	p->weight_most_bp = 100;
	p->finder = POSTMORTEM_BY_PERSON;
	assert_string_equal(postmortem_severity(p), "sev2");
	text_copy(p->kind, sizeof p->kind, "rollback");
	assert_string_equal(postmortem_severity(p), "sev1");
}

static void a_review_is_due_in_five_working_days(void **state)
{
	(void)state;
	char due[16];
	assert_string_equal(postmortem_review_due(p, due), "2026-12-03");
	p->ended_unix_ms += 2ull * 24 * 3600 * 1000; /* from a Saturday on */
	assert_string_equal(postmortem_review_due(p, due), "2026-12-04");
}

static const char hostile[] = "<script>alert('x')</script> | ![a](b) `c` **d** \"\n\x1b[31m\xff"
			      "\xe2\x80\xae";

static void make_hostile(void)
{
	char *texts[] = {p->app,   p->bad.tag, p->back.tag, p->strategy,
			 p->state, p->verdict, p->step};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		text_copy(texts[i], POSTMORTEM_WORD_SIZE, hostile);
	p->line_count = 1;
	text_copy(p->lines[0].text, sizeof p->lines[0].text, hostile);
	text_copy(p->lines[0].what, sizeof p->lines[0].what, hostile);
	p->compared = true;
	p->change_count = 1;
	text_copy(p->changes[0].key, sizeof p->changes[0].key, hostile);
	text_copy(p->changes[0].to, sizeof p->changes[0].to, hostile);
	text_copy(p->bad.commit, sizeof p->bad.commit, "bbbb");
	text_copy(p->back.commit, sizeof p->back.commit, "aaaa");
	p->commits_known = true;
	p->commit_count = 1;
	text_copy(p->commits[0].id, sizeof p->commits[0].id, hostile);
	text_copy(p->commits[0].subject, sizeof p->commits[0].subject, hostile);
	p->ticks.known = true;
	p->ticks.bin_count = p->ticks.band_count = 1;
	p->ticks.bin_ms = p->ticks.total_ms = 1000;
	text_copy(p->ticks.bands[0].label, sizeof p->ticks.bands[0].label, hostile);
}

static void hostile_texts_stay_texts_in_html(void **state)
{
	(void)state;
	make_hostile();
	postmortem_write(p, POSTMORTEM_HTML, &b);
	const char *text = buf_text(&b);
	assert_false(b.overflowed);
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "alert('x')"));
	assert_non_null(strstr(text, "&lt;script&gt;alert(&#39;x&#39;)"));
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\xff'));
	assert_null(strstr(text, "\xe2\x80\xae"));
}

static void hostile_texts_stay_texts_in_markdown(void **state)
{
	(void)state;
	make_hostile();
	postmortem_write(p, POSTMORTEM_MARKDOWN, &b);
	const char *text = buf_text(&b), *body = strstr(text, "---\n\n");
	assert_non_null(body);
	assert_null(strstr(body, "<script"));
	assert_null(strstr(body, " ![a](b)"));
	assert_non_null(strstr(body, "\\| \\!\\[a\\](b) \\`c\\` \\*\\*d\\*\\* "));
	assert_null(strchr(text, '\x1b'));
	/* The front matter has its lines and no more. */
	size_t lines = 0;
	for (const char *c = text; c < body; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 21);
}

static void values_that_are_hidden_are_not_shown(void **state)
{
	(void)state;
	p->compared = true;
	p->change_count = 1;
	p->changes[0] = (struct postmortem_change){.key = "env.TOKEN", .hidden = true, .to = "set"};
	postmortem_write(p, POSTMORTEM_MARKDOWN, &b);
	assert_non_null(strstr(buf_text(&b), "| env.TOKEN | - | (another value) |"));
}

static void commits_are_listed_and_what_is_left_out_is_said(void **state)
{
	(void)state;
	text_copy(p->bad.commit, sizeof p->bad.commit, "bbbb");
	text_copy(p->back.commit, sizeof p->back.commit, "aaaa");
	postmortem_write(p, POSTMORTEM_MARKDOWN, &b);
	assert_non_null(strstr(buf_text(&b), "Which commits lie between the two is not known"));
	buf_clear(&b);
	p->commits_known = p->commits_cut = true;
	p->commit_count = 1;
	p->commits_left_out = 900;
	p->commits[0] = (struct postmortem_commit){.id = "0123456789abcdef", .subject = "A change"};
	postmortem_write(p, POSTMORTEM_MARKDOWN, &b);
	assert_non_null(strstr(buf_text(&b), "| 0123456789ab | - | A change |"));
	assert_non_null(strstr(buf_text(&b), "900 older ones are left out"));
	assert_non_null(strstr(buf_text(&b), "There are more than davit reads"));
}

static void the_same_facts_give_the_same_bytes(void **state)
{
	(void)state;
	struct buf again;
	buf_init(&again, POSTMORTEM_BYTES_MAX);
	postmortem_write(p, POSTMORTEM_HTML, &b);
	postmortem_write(p, POSTMORTEM_HTML, &again);
	assert_string_equal(buf_text(&b), buf_text(&again));
	buf_done(&again);
}

static void a_longer_step_is_estimated_by_its_requests(void **state)
{
	(void)state;
	char text[POSTMORTEM_TEXT_SIZE];
	struct postmortem_ticks *t = &p->ticks;
	t->bin_ms = 1000;
	t->total_ms = 4000;
	t->bin_count = 4;
	t->band_count = 2;
	t->bands[0].weight_bp = 500;
	t->bands[1].at_ms = 2000;
	for (uint32_t i = 0; i < 4; i++)
		t->bins[i].new_requests = i < 2 ? 10 : 100;
	t->replays[0] = (struct postmortem_replay){.failed = true, .requests = 220, .band = 1};
	postmortem_longer_step(p, text);
	assert_string_equal(
		text, "It took 220 of its requests to catch it. In the first step (5%, 600 of them "
		      "a minute) that is 22.0 s: a first step of that length would have caught it "
		      "before more users met it. This is an estimate at the traffic of then.");
	t->replays[0].failed = false;
	postmortem_longer_step(p, text);
	assert_string_equal(text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(three_sentences_say_it),
		TEST(severity_is_proposed_by_rule),
		TEST(a_review_is_due_in_five_working_days),
		TEST(hostile_texts_stay_texts_in_html),
		TEST(hostile_texts_stay_texts_in_markdown),
		TEST(values_that_are_hidden_are_not_shown),
		TEST(commits_are_listed_and_what_is_left_out_is_said),
		TEST(the_same_facts_give_the_same_bytes),
		TEST(a_longer_step_is_estimated_by_its_requests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
