/* SPDX-License-Identifier: Apache-2.0
 * A small whole table for tests: one listener, one environment, two releases, three backends. */
#ifndef TESTS_GATEWAY_EXAMPLE_H
#define TESTS_GATEWAY_EXAMPLE_H

#include "base/text.h"
#include "link/table.h"

static inline void example_backend(struct gateway_table *t, uint16_t pool, const char *address)
{
	struct table_backend *b = &t->backends[t->backend_count];
	text_copy(b->address, sizeof(b->address), address);
	text_copy(b->instance, sizeof(b->instance), address);
	b->pool = pool;
	b->stats_slot = (uint16_t)t->backend_count++;
	t->pools[pool].backend_count++;
}

/* Class "checkout" (/checkout, /cart), then "api" (/api), of environment 0. */
static inline void example_classes(struct gateway_table *t)
{
	static const char *const paths[] = {"/checkout", "/cart", "/api"};
	text_copy(t->classes[0].name, TABLE_NAME_SIZE, "checkout");
	text_copy(t->classes[1].name, TABLE_NAME_SIZE, "api");
	t->classes[0].prefix_count = t->classes[1].first_prefix = 2;
	t->classes[1].prefix_count = 1;
	t->class_count = 2;
	t->environments[0].class_count = 2;
	for (uint16_t i = 0; i < 3; i++) {
		text_copy(t->prefixes[i].path, TABLE_PATH_SIZE, paths[i]);
		t->prefixes[i].class = i / 2;
	}
	t->prefix_count = 3;
}

/* Requests: X-Tier is set; answers: X-Powered-By is removed; of environment 0. */
static inline void example_rules(struct gateway_table *t)
{
	text_copy(t->rules[0].name, TABLE_NAME_SIZE, "X-Tier");
	text_copy(t->rules[0].value, TABLE_VALUE_SIZE, "web");
	text_copy(t->rules[1].name, TABLE_NAME_SIZE, "X-Powered-By");
	t->rules[1].answer = true;
	t->rule_count = t->environments[0].rule_count = 2;
}

/* Weights 1000 (candidate "v2") and 9000 (live "v1"); the backends are b0 for v2, b1 and b2 for v1. */
static inline struct gateway_table *example_table(const char *listener, const char *b0,
						  const char *b1, const char *b2)
{
	struct gateway_table *t = table_new();
	t->generation = 1;
	text_copy(t->machine, sizeof(t->machine), "here");
	t->listener_count = t->environment_count = t->route_count = 1;
	t->release_count = t->pool_count = 2;
	text_copy(t->listeners[0].address, TABLE_ADDRESS_SIZE, listener);
	struct table_environment *e = &t->environments[0];
	table_environment_init(e);
	text_copy(e->app, sizeof(e->app), "shop");
	text_copy(e->name, sizeof(e->name), "prod");
	e->release_count = 2;
	e->live = 1;
	text_copy(t->routes[0].path, TABLE_PATH_SIZE, "/");
	text_copy(t->routes[0].process, TABLE_NAME_SIZE, "web");
	for (uint16_t i = 0; i < 2; i++) {
		struct table_release *r = &t->releases[i];
		text_copy(r->tag, sizeof(r->tag), i == 0 ? "v2" : "v1");
		text_copy(r->preview, sizeof(r->preview), i == 0 ? "see-v2" : "");
		r->id.bytes[0] = (uint8_t)(i + 1);
		r->stats_slot = i;
		r->first_pool = i;
		r->pool_count = 1;
		r->weight_bp = i == 0 ? 1000 : 9000;
		text_copy(t->pools[i].process, TABLE_NAME_SIZE, "web");
		t->pools[i].release = i;
		t->pools[i].first_backend = i;
	}
	example_backend(t, 0, b0);
	example_backend(t, 1, b1);
	example_backend(t, 1, b2);
	return t;
}

#endif
