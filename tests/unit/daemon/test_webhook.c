/* SPDX-License-Identifier: Apache-2.0
 * Requests of git hosts: whose signature holds, what they are about, and what they may ask for. */
#include <stdio.h>
#include <string.h>

#include "../cmocka_all.h"

#include "base/digest.h"
#include "daemon/webhook.h"

#define SECRET "It's a Secret to Everybody"
#define SHOP   "https://git.example.com/acme/shop.git"

static struct {
	const char *name, *value;
} headers[4];
static struct buf body, secret;
static struct error err;

static const char *header(const void *context, const char *name)
{
	(void)context;
	for (size_t i = 0; i < 4; i++)
		if (headers[i].name && strcasecmp(headers[i].name, name) == 0)
			return headers[i].value;
	return NULL;
}

static struct webhook hook_of(enum server_host from, const char *text)
{
	buf_clear(&body);
	buf_puts(&body, text);
	return (struct webhook){.from = from, .header = header, .body = &body};
}

static void give(size_t index, const char *name, const char *value)
{
	headers[index].name = name;
	headers[index].value = value;
}

static int set_up(void **state)
{
	(void)state;
	memset(headers, 0, sizeof headers);
	give(3, "Content-Type", "application/json; charset=utf-8");
	buf_init(&body, 100000);
	buf_init(&secret, 1000);
	buf_puts(&secret, SECRET);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_done(&body);
	buf_done(&secret);
	return 0;
}

/* The example of GitHub's page "Validating webhook deliveries". */
static void github_signs_as_its_own_example_says(void **state)
{
	(void)state;
	struct webhook hook = hook_of(SERVER_GITHUB, "Hello, World!");
	give(0, "X-Hub-Signature-256",
	     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
	assert_int_equal(webhook_check(&hook, &secret, &err), 0);
	hook = hook_of(SERVER_GITHUB, "Hello, World?");
	assert_int_equal(webhook_check(&hook, &secret, &err), ERR_DENIED);
}

static void what_is_nearly_a_signature_is_none(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		"sha256=",
		"757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"sha1=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17",
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1",
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e170",
		"sha256= 757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18"};
	struct webhook hook = hook_of(SERVER_GITHUB, "Hello, World!");
	assert_int_equal(webhook_check(&hook, &secret, &err), ERR_DENIED);
	assert_string_equal(err.text, "The request has no X-Hub-Signature-256.");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		give(0, "X-Hub-Signature-256", wrong[i]);
		if (webhook_check(&hook, &secret, &err) != ERR_DENIED)
			fail_msg("taken: %s", wrong[i]);
	}
}

static void gitea_signs_the_same_and_gitlab_sends_the_secret(void **state)
{
	(void)state;
	struct webhook hook = hook_of(SERVER_GITEA, "Hello, World!");
	give(0, "X-Gitea-Signature",
	     "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
	assert_int_equal(webhook_check(&hook, &secret, &err), 0);
	hook.from = SERVER_GITLAB;
	assert_int_equal(webhook_check(&hook, &secret, &err), ERR_DENIED);
	give(1, "X-Gitlab-Token", SECRET);
	assert_int_equal(webhook_check(&hook, &secret, &err), 0);
	give(1, "X-Gitlab-Token", SECRET " ");
	assert_int_equal(webhook_check(&hook, &secret, &err), ERR_DENIED);
	give(1, "X-Gitlab-Token", "");
	assert_int_equal(webhook_check(&hook, &secret, &err), ERR_DENIED);
}

static int read(const char *git, const char *text, struct webhook_event *event)
{
	struct webhook hook = hook_of(SERVER_GITHUB, text);
	return webhook_read(&hook, git, event, &err);
}

static void a_request_is_about_the_repository_that_is_looked_at(void **state)
{
	(void)state;
	static const struct {
		const char *git, *name;
		int code;
	} cases[] = {
		{SHOP, "acme/shop", 0},
		{SHOP, "Acme/Shop", 0},
		{"https://git.example.com/acme/shop", "acme/shop", 0},
		{"https://git.example.com/git/acme/shop.git/", "acme/shop", 0},
		{"ssh://git@git.example.com:22/acme/shop.git", "acme/shop", 0},
		{"file:///srv/git/acme/shop.git", "acme/shop", 0},
		{SHOP, "evil/shop", ERR_CONFLICT},
		{SHOP, "shop", ERR_CONFLICT},
		{SHOP, "/shop", ERR_CONFLICT},
		{SHOP, "", ERR_CONFLICT},
		{SHOP, "me/shop", ERR_CONFLICT},
		{SHOP, "x/acme/shop", ERR_CONFLICT},
		{SHOP, "acme/shop.git", ERR_CONFLICT},
		{"https://git.example.com", "acme/shop", ERR_CONFLICT},
	};
	struct webhook_event event;
	char text[200];
	give(0, "X-GitHub-Event", "push");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(text, sizeof text, "{\"repository\":{\"full_name\":\"%s\"}}",
			 cases[i].name);
		if (read(cases[i].git, text, &event) != cases[i].code)
			fail_msg("%s of %s: %s", cases[i].name, cases[i].git, err.text);
	}
	assert_int_equal(read(SHOP, "{}", &event), ERR_CONFLICT);
	assert_int_equal(read(SHOP, "{\"repository\":\"acme/shop\"}", &event), ERR_CONFLICT);
	assert_int_equal(read(SHOP, "{\"repository\":{\"full_name\":7}}", &event), ERR_CONFLICT);
}

static void only_what_tells_of_something_new_makes_davit_look(void **state)
{
	(void)state;
	static const char text[] = "{\"ref\":\"refs/heads/\\u001b[31m\",\"repository\":"
				   "{\"full_name\":\"acme/shop\"}}";
	static const struct {
		const char *event;
		bool look;
	} cases[] = {{"push", true},    {"create", true}, {"ping", false},
		     {"issues", false}, {"", false},      {NULL, false}};
	struct webhook_event event;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		give(0, cases[i].event ? "X-GitHub-Event" : NULL, cases[i].event);
		assert_int_equal(read(SHOP, text, &event), 0);
		assert_int_equal(event.look, cases[i].look);
		assert_string_equal(event.ref, "refs/heads/\\x1b[31m");
	}
}

static void a_body_that_is_none_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"", "x=1", "[]", "{", "7", "{} {}", "{\"a\":\"\\u0000\"}"};
	struct webhook_event event;
	give(0, "X-GitHub-Event", "push");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (read(SHOP, wrong[i], &event) != ERR_INVALID)
			fail_msg("taken: %s", wrong[i]);
	give(3, "Content-Type", "application/x-www-form-urlencoded");
	assert_int_equal(read(SHOP, "payload=%7B%7D", &event), ERR_UNSUPPORTED);
	give(3, NULL, NULL);
	assert_int_equal(read(SHOP, "{}", &event), ERR_UNSUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(github_signs_as_its_own_example_says),
		TEST(what_is_nearly_a_signature_is_none),
		TEST(gitea_signs_the_same_and_gitlab_sends_the_secret),
		TEST(a_request_is_about_the_repository_that_is_looked_at),
		TEST(only_what_tells_of_something_new_makes_davit_look),
		TEST(a_body_that_is_none_is_refused),
	};
	return cmocka_run_group_tests_name("daemon/webhook", tests, NULL, NULL);
}
