/* SPDX-License-Identifier: Apache-2.0
 * Tests of who is sent to the release that is tried, by the worker as a whole: members of its cohort, and those with a
 * preview. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/preview_token.h"
#include "base/text.h"
#include "rig.h"

#define GET    "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
#define MEMBER "GET / HTTP/1.1\r\nHost: shop\r\nX-Beta: yes\r\n\r\n"
#define OK     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct table_environment *environment(struct rig *rig)
{
	return &rig->table->environments[0];
}

static void weight(struct rig *rig, uint32_t v2_bp)
{
	rig->table->releases[0].weight_bp = v2_bp;
	rig->table->releases[1].weight_bp = 10000 - v2_bp;
	rig_apply(rig);
}

static void cohort(struct rig *rig, bool only)
{
	struct table_cohort *c = &environment(rig)->cohort;
	environment(rig)->live = 1;
	c->release = 0;
	c->only = only;
	c->rule_count = 1;
	text_copy(c->rules[0].name, TABLE_COHORT_TEXT_SIZE, "X-Beta");
	text_copy(c->rules[0].values[0], TABLE_COHORT_TEXT_SIZE, "yes");
	c->rules[0].value_count = 1;
}

/* `count` requests, each on a connection of its own; `backend` gets them all. The last one's head. */
static const char *all_go_to(struct rig *rig, int backend, const char *request, int count)
{
	const char *head = NULL;
	for (int i = 0; i < count; i++) {
		int client = rig_connect(rig);
		uint64_t before = rig_backend(rig, (uint32_t)backend, COUNTERS_BACKEND_COMPLETED);
		rig_send(client, request);
		int up = rig_accept(rig, backend);
		rig_until(up, "\r\n\r\n");
		rig_send(up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
		close(up);
		head = rig_until(client, "\r\n\r\nok");
		close(client);
		RIG_WAIT_FOR(rig_backend(rig, (uint32_t)backend, COUNTERS_BACKEND_COMPLETED) >
			     before);
	}
	return head;
}

static void a_member_meets_the_release_at_its_smallest_weight(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	cohort(rig, false);
	weight(rig, 1);
	all_go_to(rig, 0, MEMBER, 20);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_STARTED), 20);
	/* Counted, and not as divided by weight. */
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_STATUS_2XX), 20);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_DIVIDED), 0);
	weight(rig, 0);
	all_go_to(rig, 1, MEMBER, 3);
	rig_stop(rig);
}

static void whoever_is_no_member_is_divided_by_weight(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	cohort(rig, false);
	weight(rig, 9999);
	all_go_to(rig, 0, GET, 5);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_DIVIDED), 5);
	rig_stop(rig);
}

static void only_members_meet_it_where_it_is_theirs(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	cohort(rig, true);
	weight(rig, 9999);
	all_go_to(rig, 1, GET, 20);
	all_go_to(rig, 0, MEMBER, 5);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_DIVIDED), 0);
	environment(rig)->cohort.only = false;
	weight(rig, 9999);
	all_go_to(rig, 0, GET, 5);
	rig_stop(rig);
}

/* A cookie that keeps visitors somewhere does not keep a member. */
static void a_member_is_given_no_unit(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	cohort(rig, false);
	environment(rig)->sticky.on = true;
	text_copy(environment(rig)->sticky.cookie, TABLE_NAME_SIZE, "unit");
	weight(rig, 1);
	assert_null(strstr(all_go_to(rig, 0, MEMBER, 1), "Set-Cookie"));
	rig_stop(rig);
}

static void members_are_served_by_who_can(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	cohort(rig, true);
	rig->table->backends[0].state = TABLE_BACKEND_DOWN;
	weight(rig, 5000);
	all_go_to(rig, 1, MEMBER, 5);
	rig->table->backends[0].state = TABLE_BACKEND_READY;
	rig->table->backends[1].state = TABLE_BACKEND_DOWN;
	weight(rig, 5000);
	all_go_to(rig, 0, GET, 5);
	rig_stop(rig);
}

/* A request for what `token` opens, by the field or (`cookie`) among other cookies. */
static const char *asking(const char *token, bool cookie)
{
	static char text[512];
	snprintf(text, sizeof(text),
		 cookie ? "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; davit-preview=%s; c=d\r\n\r\n"
			: "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\nX-Davit-Preview: "
			  "%s\r\n\r\n",
		 token);
	return text;
}

/* Who answers, 0 for v2; nothing of the token goes on, and the other cookies do. */
static void goes_to(struct rig *rig, int backend, const char *request)
{
	int client = rig_connect(rig);
	uint64_t before = rig_backend(rig, (uint32_t)backend, COUNTERS_BACKEND_COMPLETED);
	rig_send(client, request);
	int up = rig_accept(rig, backend);
	const char *head = rig_until(up, "\r\n\r\n");
	rig_assert_text(head, "Cookie: a=b; c=d\r\n");
	assert_null(strstr(head, "review"));
	rig_send(up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	close(up);
	rig_until(client, "\r\n\r\nok");
	close(client);
	RIG_WAIT_FOR(rig_backend(rig, (uint32_t)backend, COUNTERS_BACKEND_COMPLETED) > before);
}

static void a_signed_token_opens_the_release_while_it_lasts(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	uint8_t *key = environment(rig)->preview_key;
	uint64_t now_s = (uint64_t)time(NULL);
	char good[PREVIEW_TOKEN_SIZE], ended[PREVIEW_TOKEN_SIZE], elsewhere[PREVIEW_TOKEN_SIZE],
		forged[PREVIEW_TOKEN_SIZE];
	key[0] = 7;
	rig_apply(rig);
	preview_token_make(key, "see-v2", now_s + 3600, good);
	preview_token_make(key, "see-v2", now_s - 1, ended);
	preview_token_make(key, "see-v3", now_s + 3600, elsewhere);
	text_copy(forged, sizeof(forged), good);
	forged[strlen(forged) - 1] ^= 1;
	for (int cookie = 0; cookie < 2; cookie++) {
		goes_to(rig, 0, asking(good, cookie));
		goes_to(rig, 1, asking(ended, cookie));
		goes_to(rig, 1, asking(elsewhere, cookie));
		goes_to(rig, 1, asking(forged, cookie));
		goes_to(rig, 1, asking("", cookie));
	}
	/* The release's own token is for the field. */
	goes_to(rig, 0, asking("see-v2", false));
	goes_to(rig, 1, asking("see-v2", true));
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_DIVIDED), 0);
	environment(rig)->mode = TABLE_MODE_MAINTENANCE;
	rig_apply(rig);
	goes_to(rig, 0, asking(good, true));
	rig_stop(rig);
}

static void without_a_key_no_token_is_signed(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	char token[PREVIEW_TOKEN_SIZE];
	preview_token_make(environment(rig)->preview_key, "see-v2", (uint64_t)time(NULL) + 60,
			   token);
	goes_to(rig, 1, asking(token, false));
	rig_stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_meets_the_release_at_its_smallest_weight),
		cmocka_unit_test(whoever_is_no_member_is_divided_by_weight),
		cmocka_unit_test(only_members_meet_it_where_it_is_theirs),
		cmocka_unit_test(a_member_is_given_no_unit),
		cmocka_unit_test(members_are_served_by_who_can),
		cmocka_unit_test(a_signed_token_opens_the_release_while_it_lasts),
		cmocka_unit_test(without_a_key_no_token_is_signed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
