/* SPDX-License-Identifier: Apache-2.0
 * The server's own file: who is who, and a floor that no commit can lower. */
#include <string.h>

#include "../cmocka_all.h"

#include "config/server.h"

#define KEY "ssh:SHA256:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"

static struct config_errors errors;

static struct server *load(const char *text)
{
	struct server *server = NULL;
	memset(&errors, 0, sizeof errors);
	if (server_load(text, strlen(text), "server.yaml", &server, &errors) < 0)
		return NULL;
	return server;
}

static void keys_and_users_are_people(void **state)
{
	(void)state;
	struct server *s =
		load("people: { ann: [\"" KEY
		     "\", \"user:ann\"], bob: [\"user:robert\", \"mail:Bob@Example.com\"] }\n"
		     "groups: { managers: [ann] }\n");
	assert_non_null(s);
	assert_string_equal(server_person(s, KEY), "ann");
	assert_string_equal(server_person(s, "robert"), "bob");
	assert_string_equal(server_person(s, "mail:bob@example.COM"), "bob");
	assert_string_equal(server_person(s, "mail:eve@example.com"), "mail:eve@example.com");
	assert_string_equal(server_person(s, "eve"), "eve");
	assert_string_equal(server_person(NULL, "eve"), "eve");
	struct app_texts groups = {.count = 1, .items = {"managers"}};
	assert_true(server_member(s, &groups, "ann"));
	assert_false(server_member(s, &groups, "bob"));
	assert_false(server_member(NULL, &groups, "ann"));
	server_free(s);
}

static void the_stricter_of_both_holds(void **state)
{
	(void)state;
	struct server *s = load(
		"people: { ann: [\"user:ann\"] }\n"
		"groups: { managers: [ann] }\n"
		"protect: { shop/prod: { approve: { by: [managers], count: 2, expires: 1h } } }\n");
	assert_non_null(s);
	struct app_approve none = {0}, ret,
			   weak = {.set = 1,
				   .count = 1,
				   .expires_ms = 86400000,
				   .by = {.count = 1, .items = {"everybody"}}},
			   strong = {.set = 1, .count = 3, .expires_ms = 60000};
	assert_false(server_approval(s, "shop/staging", &none, &ret));
	assert_true(server_approval(s, "shop/prod", &none, &ret));
	assert_int_equal(ret.count, 2);
	assert_true(ret.not_author);
	assert_true(server_approval(s, "shop/prod", &weak, &ret));
	assert_int_equal(ret.count, 2);
	assert_int_equal(ret.expires_ms, 3600000);
	assert_string_equal(ret.by.items[0], "managers");
	assert_true(server_approval(s, "shop/prod", &strong, &ret));
	assert_int_equal(ret.count, 3);
	assert_int_equal(ret.expires_ms, 60000);
	assert_true(server_approval(NULL, "shop/prod", &strong, &ret));
	server_free(s);
}

static void signed_tags_are_asked_for_by_application(void **state)
{
	(void)state;
	char names[SERVER_NAMES_SIZE];
	struct server *s = load("allowed_signers: /etc/davit/allowed_signers\n"
				"protect: { shop/prod: { signed_tags: true }, shop/dev: {},"
				" shop/canada: { signed_tags: true }, shopping/prod: {"
				" signed_tags: true } }\n");
	assert_non_null(s);
	assert_string_equal(s->allowed_signers, "/etc/davit/allowed_signers");
	assert_string_equal(server_signed(s, "shop", names), "prod canada");
	assert_string_equal(server_signed(s, "shopping", names), "prod");
	assert_string_equal(server_signed(s, "sho", names), "");
	assert_string_equal(server_signed(NULL, "shop", names), "");
	struct app_approve none = {0}, ret;
	assert_false(server_approval(s, "shop/prod", &none, &ret));
	server_free(s);
}

static void sources_have_what_is_not_said_filled_in(void **state)
{
	(void)state;
	struct server *s =
		load("sources:\n"
		     "  blog: https://host/blog.git\n"
		     "  shop: { git: \"ssh://git@host:22/shop\", poll: 10s, webhook: { from: "
		     "gitlab, secret_file: [/a, /b] }, push_tags: true }\n"
		     "webhooks: { listen: \"[::1]:8090\" }\n");
	assert_non_null(s);
	assert_int_equal(s->source_count, 2);
	assert_string_equal(s->sources[0].name, "blog");
	assert_string_equal(s->sources[0].git, "https://host/blog.git");
	assert_int_equal(s->sources[0].poll_ms, 5 * 60 * 1000);
	assert_null(s->sources[0].token_file);
	assert_false(s->sources[0].push_tags);
	assert_true(s->sources[1].push_tags);
	assert_ptr_equal(server_source_of(s, "shop"), &s->sources[1]);
	assert_null(server_source_of(s, "sho"));
	assert_null(server_source_of(NULL, "shop"));
	assert_int_equal(s->sources[0].webhook.set, 0);
	assert_int_equal(s->sources[1].poll_ms, 10000);
	assert_int_equal(s->sources[1].webhook.from, SERVER_GITLAB);
	assert_int_equal(s->sources[1].webhook.secret_files.count, 2);
	assert_string_equal(s->sources[1].webhook.secret_files.items[1], "/b");
	assert_string_equal(s->webhooks.listen, "[::1]:8090");
	server_free(s);
}

static void mistakes_are_named_with_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *where, *part;
	} cases[] = {
		{"people: { ann: [ann] }\n", "server.yaml:1:17", "fingerprint"},
		{"people: { ann: [\"user:a\"], bob: [\"user:a\"] }\n", "server.yaml:1",
		 "belongs to one"},
		{"groups: { g: [nobody] }\n", "server.yaml:1", "nobody called \"nobody\""},
		{"protect: { shop/prod: { approve: { by: [g] } } }\n", "server.yaml:1",
		 "no group \"g\""},
		{"protect: { prod: { approve: {} } }\n", "server.yaml:1:12",
		 "an application and its"},
		{"protect: { shop/prod: { signed_tags: true } }\n", "server.yaml:1",
		 "name a file with \"allowed_signers\""},
		{"api: { listen: \"0.0.0.0:8091\" }\n", "server.yaml:1", "in clear"},
		{"api: { listen: \"127.0.0.1:8091\", key: /k }\n", "server.yaml:1",
		 "a key its certificate"},
		{"webhooks: { listen: \"0.0.0.0:1\", certificate: /c }\n", "server.yaml:1",
		 "needs its key"},
		{"people: { ann: [\"token:A b\"] }\n", "server.yaml:1:17", "token"},
		{"protect: { shop/prod: { from: prod } }\n", "server.yaml:1", "itself"},
		{"protect: { shop/prod: { soak: 1h } }\n", "server.yaml:1", "\"from\""},
		{"protect: { shop/prod: { windows: { hours: \"9-17\" } } }\n",
		 "server.yaml:1:", "hours"},
		{"secrets: { stages: {} }\n", "server.yaml:1:20", "names no branch and no tag"},
		{"secrets: { stages: { branch: [] } }\n", "server.yaml:1", ""},
		{"allowed_signers: signers\n", "server.yaml:1:18", "an absolute path"},
		{"peoples: {}\n", "server.yaml:1:1", "people"},
		{"listeners: {}\n", "server.yaml:1:1", "not built yet"},
		{"sources: { shop: \"https://me:word@host/shop.git\" }\n", "server.yaml:1:18",
		 "without a password"},
		{"sources: { shop: { git: \"git://host/shop.git\", push_tags: true } }\n",
		 "server.yaml:1", "nobody knows who pushes"},
		{"sources: { shop: \"ext::sh -c id\" }\n", "server.yaml:1:18", "begins with https"},
		{"sources: { shop: \"https://-oProxyCommand=id/shop\" }\n", "server.yaml:1:18",
		 "begins with https"},
		{"sources: { shop: { git: \"ssh://host/a\", token_file: /t } }\n", "server.yaml:1",
		 "only sent over https"},
		{"sources: { shop: { git: \"ssh://host/a\", webhook: { from: github, secret_file: "
		 "/s } "
		 "} }\n",
		 "server.yaml:1", "say where, for example webhooks:"},
		{"sources: { shop: { git: \"ssh://host/a\", webhook: { from: bit, secret_file: /s "
		 "} } "
		 "}\n",
		 "server.yaml:1", "github"},
		{"webhooks: { listen: 8090 }\n", "server.yaml:1:21", "an address and a port"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_null(load(cases[i].text));
		if (!strstr(errors.items[0].where, cases[i].where) ||
		    !strstr(errors.items[0].text, cases[i].part))
			fail_msg("%s: %s %s", cases[i].text, errors.items[0].where,
				 errors.items[0].text);
	}
	struct server *empty = load("");
	assert_non_null(empty);
	server_free(empty);
}

static void stages_get_secrets_where_the_file_names_their_ref(void **state)
{
	(void)state;
	struct server *s = load("secrets: { stages: { branch: [main, release/], tag: \"v*\" } }\n");
	assert_true(server_stage_secrets(s, "refs/heads/main"));
	assert_true(server_stage_secrets(s, "refs/heads/release/1.2"));
	assert_true(server_stage_secrets(s, "refs/tags/v1.0.0"));
	assert_false(server_stage_secrets(s, "refs/heads/main2"));
	assert_false(server_stage_secrets(s, "refs/heads/v1"));
	assert_false(server_stage_secrets(s, "refs/tags/main"));
	assert_false(server_stage_secrets(s, ""));
	server_free(s);
	s = load("secrets: { key: /etc/davit/secrets.key }\n");
	assert_true(server_stage_secrets(s, "refs/heads/any"));
	assert_true(server_stage_secrets(s, ""));
	server_free(s);
	assert_true(server_stage_secrets(NULL, "refs/heads/any"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_users_are_people),
		cmocka_unit_test(the_stricter_of_both_holds),
		cmocka_unit_test(signed_tags_are_asked_for_by_application),
		cmocka_unit_test(sources_have_what_is_not_said_filled_in),
		cmocka_unit_test(stages_get_secrets_where_the_file_names_their_ref),
		cmocka_unit_test(mistakes_are_named_with_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
