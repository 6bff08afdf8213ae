/* SPDX-License-Identifier: Apache-2.0
 * Tokens by which a new release is seen before users see it: when there are any, and that the gateway takes what is made. */
#include <stdio.h>
#include <string.h>

#include "world.h"

static const char yaml[] =
	"app: shop\n"
	"service: { run: bin/server, instances: 2, health: { path: /up, min_healthy: 500ms } }\n"
	"strategies:\n"
	"  quick: [{ canary: { steps: [10%], each: { at_least: 5s, at_most: 1m } } }, switch]\n"
	"environments:\n"
	"  prod: { listen: \"0.0.0.0:8080\", strategy: quick, keep_warm: 5s }\n";

static int preview(uint64_t for_ms, struct control_preview *ret_preview)
{
	struct control_caller caller = world_caller("");
	return control_preview(world.control, &caller, "prod", for_ms, ret_preview, &world.err);
}

/* As the gateway does it, with what it was told. */
static bool opens(const struct control_preview *p, uint64_t now_ms)
{
	const struct router_document *d = world_traffic("shop", "prod")->document;
	for (uint32_t i = 0; i < d->release_count; i++)
		if (preview_token_holds(d->preview_key, d->releases[i].preview, p->token,
					strlen(p->token), now_ms / 1000))
			return strcmp(d->releases[i].tag, p->tag) == 0;
	return false;
}

static void a_token_is_of_the_release_that_goes_out(void **state)
{
	(void)state;
	struct control_preview p;
	world_open();
	assert_int_equal(preview(60000, &p), ERR_NOT_FOUND);
	world_release("prod", "v1", yaml);
	world.rate_per_s = 1000;
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	assert_int_equal(preview(60000, &p), ERR_CONFLICT);
	world_release("prod", "v2", yaml);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world_run(2000);
	assert_int_equal(preview(999, &p), ERR_INVALID);
	assert_int_equal(preview(CONTROL_PREVIEW_MOST_MS + 1, &p), ERR_INVALID);
	assert_int_equal(preview(60000, &p), 0);
	assert_string_equal(p.tag, "v2");
	assert_string_equal(p.key, "shop/prod");
	assert_string_equal(p.url, "http://localhost:8080/");
	char link[256];
	snprintf(link, sizeof link, "http://localhost:8080/.well-known/davit/preview?token=%s",
		 p.token);
	assert_string_equal(p.link, link);
	uint64_t now_ms = p.expires_unix_ms - 60000;
	assert_true(opens(&p, now_ms));
	assert_true(opens(&p, p.expires_unix_ms - 1000));
	assert_false(opens(&p, p.expires_unix_ms));
	/* Another controller makes and takes the same. */
	world_kill();
	world_start();
	world_run(2000);
	assert_true(opens(&p, now_ms));
	assert_string_equal(world_until_end(rollout, 240000), "succeeded");
	world_run(10000);
	assert_false(opens(&p, now_ms));
	assert_int_equal(preview(60000, &p), ERR_CONFLICT);
	world_close();
}

static void a_link_leads_to_the_first_route(void **state)
{
	static const char routed[] =
		"app: shop\n"
		"service: { run: bin/server, health: { path: /up, min_healthy: 500ms } }\n"
		"environments:\n"
		"  prod:\n"
		"    listen: \"0.0.0.0:443\"\n"
		"    tls: { certificate: /etc/a.pem, key: /etc/a.key }\n"
		"    strategy: canary\n"
		"    routes: [{ host: shop.example.com, path: \"/a&b\", to: web }]\n";
	(void)state;
	struct control_preview p;
	char link[256];
	world_open();
	world_release("prod", "v1", routed);
	world.rate_per_s = 1000;
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 600000), "succeeded");
	world_release("prod", "v2", routed);
	world_deploy("prod", "v2");
	world_run(5000);
	assert_int_equal(preview(60000, &p), 0);
	snprintf(link, sizeof link,
		 "https://shop.example.com/a&b/.well-known/davit/preview?token=%s&to=/a%%26b",
		 p.token);
	assert_string_equal(p.link, link);
	world_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_of_the_release_that_goes_out),
		cmocka_unit_test(a_link_leads_to_the_first_route)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
