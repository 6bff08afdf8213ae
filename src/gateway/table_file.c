/* SPDX-License-Identifier: Apache-2.0
 *
 * table_file - see table_file.h for the contract.
 */
#include "gateway/table_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "gateway/table_options.h"
#include "gateway/table_reader.h"

/* ── places in the counters ───────────────────────────────────────────────────────────────────────── */

/* A place for `name` that none of the `count` ones before has taken. */
static uint16_t find_slot(const char *name, uint16_t slots,
			  bool (*taken)(const struct gateway_table *table, uint16_t slot),
			  const struct gateway_table *table)
{
	static const uint8_t key[HASH_KEY_SIZE];
	uint16_t slot = (uint16_t)(hash_keyed(key, name, strlen(name)) % slots);
	while (taken(table, slot))
		slot = (uint16_t)((slot + 1) % slots);
	return slot;
}

/* The record that is being filled is the last one: it is not counted yet. */
static bool environment_taken(const struct gateway_table *t, uint16_t slot)
{
	for (uint32_t i = 0; i < t->environment_count; i++)
		if (t->environments[i].stats_slot == slot)
			return true;
	return false;
}

static bool release_taken(const struct gateway_table *t, uint16_t slot)
{
	for (uint32_t i = 0; i < t->release_count; i++)
		if (t->releases[i].stats_slot == slot)
			return true;
	return false;
}

static bool backend_taken(const struct gateway_table *t, uint16_t slot)
{
	for (uint32_t i = 0; i < t->backend_count; i++)
		if (t->backends[i].stats_slot == slot)
			return true;
	return false;
}

/* ── records ──────────────────────────────────────────────────────────────────────────────────────── */

static bool full(struct table_reader *r, const char *key, uint32_t count, uint32_t max)
{
	if (count >= max)
		reader_refuse(r, key, "There are more than %u of these.", max);
	return r->failed;
}

static void read_route(struct table_reader *r, const json_t *from, uint16_t environment)
{
	static const char *const keys[] = {"listen", "host", "path", "to", NULL};
	struct gateway_table *t = r->table;
	if (!reader_known_keys(r, from, keys) || full(r, "", t->route_count, TABLE_ROUTES_MAX))
		return;
	struct table_route *route = &t->routes[t->route_count++];
	const char *address = reader_string(r, from, "listen", true);
	text_copy(route->path, sizeof(route->path), "/");
	text_copy(route->process, sizeof(route->process), "web");
	reader_text(r, from, "host", false, route->host, sizeof(route->host));
	reader_text(r, from, "path", false, route->path, sizeof(route->path));
	reader_text(r, from, "to", false, route->process, sizeof(route->process));
	route->environment = environment;
	if (address)
		route->listener = reader_listener(r, "listen", address);
}

static void read_state(struct table_reader *r, const json_t *from, enum table_backend_state *to)
{
	static const char *const names[] = {"ready", "draining", "down"};
	const char *text = reader_string(r, from, "state", false);
	for (int i = 0; text && i < TABLE_BACKEND_COUNT; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*to = (enum table_backend_state)i;
		return;
	}
	if (text)
		reader_refuse(r, "state", "\"%s\" is none of \"ready\", \"draining\", \"down\".",
			      text);
}

static void read_protocol(struct table_reader *r, const json_t *from, bool *to)
{
	char text[TABLE_NAME_SIZE] = "";
	reader_text(r, from, "protocol", false, text, sizeof(text));
	*to = strcmp(text, "http2") == 0;
	if (text[0] && !*to && strcmp(text, "http1") != 0)
		reader_refuse(r, "protocol", "\"%s\" is none of \"http1\", \"http2\".", text);
}

/* "127.0.0.1:9001", or an object with more to say. */
static void read_backend(struct table_reader *r, const json_t *from, uint16_t pool)
{
	static const char *const keys[] = {"address", "instance", "state", "protocol", NULL};
	struct gateway_table *t = r->table;
	if (full(r, "", t->backend_count, TABLE_BACKENDS_MAX))
		return;
	struct table_backend *b = &t->backends[t->backend_count];
	if (json_is_string(from)) {
		if (!text_copy(b->address, sizeof(b->address), json_string_value(from)))
			reader_refuse(r, "", "This address is longer than %d bytes.",
				      TABLE_ADDRESS_SIZE - 1);
	} else if (reader_known_keys(r, from, keys)) {
		reader_text(r, from, "address", true, b->address, sizeof(b->address));
		reader_text(r, from, "instance", false, b->instance, sizeof(b->instance));
		read_state(r, from, &b->state);
		read_protocol(r, from, &b->http2);
	}
	if (!b->instance[0])
		text_copy(b->instance, sizeof(b->instance), b->address);
	b->pool = pool;
	b->stats_slot = find_slot(b->instance, TABLE_BACKENDS_MAX, backend_taken, t);
	t->backend_count++;
	t->pools[pool].backend_count++;
}

static void read_pools(struct table_reader *r, const json_t *release, uint16_t index)
{
	struct gateway_table *t = r->table;
	const json_t *processes = json_object_get(release, "processes");
	const char *name;
	json_t *backends;
	if (!json_is_object(processes)) {
		reader_refuse(r, "processes",
			      "This must be an object: a list of backends per process.");
		return;
	}
	json_object_foreach((json_t *)processes, name, backends)
	{
		if (full(r, "processes", t->pool_count, TABLE_POOLS_MAX))
			return;
		struct table_pool *pool = &t->pools[t->pool_count++];
		if (!text_copy(pool->process, sizeof(pool->process), name))
			reader_refuse(r, "processes", "A process name is too long.");
		pool->release = index;
		pool->first_backend = (uint16_t)t->backend_count;
		t->releases[index].pool_count++;
		if (!json_is_array(backends))
			reader_refuse(r, "processes", "The backends of \"%s\" must be a list.",
				      name);
		for (size_t i = 0; i < json_array_size(backends) && !r->failed; i++) {
			size_t at = reader_enter(r, "processes", i);
			read_backend(r, json_array_get(backends, i), (uint16_t)(t->pool_count - 1));
			reader_leave(r, at);
		}
	}
}

static void read_release(struct table_reader *r, const json_t *from, uint16_t environment)
{
	static const char *const keys[] = {"tag", "id", "weight", "preview", "processes", NULL};
	struct gateway_table *t = r->table;
	char name[3 * TABLE_NAME_SIZE];
	if (!reader_known_keys(r, from, keys) || full(r, "", t->release_count, TABLE_RELEASES_MAX))
		return;
	struct table_environment *e = &t->environments[environment];
	uint16_t index = (uint16_t)t->release_count;
	struct table_release *release = &t->releases[index];
	reader_text(r, from, "tag", true, release->tag, sizeof(release->tag));
	snprintf(name, sizeof(name), "%s/%s/%s", e->app, e->name, release->tag);
	release->id = digest_of(name, strlen(name));
	reader_hex(r, from, "id", release->id.bytes, sizeof(release->id.bytes));
	reader_share(r, from, "weight", &release->weight_bp);
	reader_text(r, from, "preview", false, release->preview, sizeof(release->preview));
	release->environment = environment;
	release->stats_slot = find_slot(name, TABLE_RELEASES_MAX, release_taken, t);
	release->first_pool = (uint16_t)t->pool_count;
	t->release_count++;
	e->release_count++;
	read_pools(r, from, index);
}

static uint16_t find_release(struct table_reader *r, const struct table_environment *e,
			     const char *tag, const char *key)
{
	for (uint32_t i = e->first_release; i < (uint32_t)e->first_release + e->release_count; i++)
		if (strcmp(r->table->releases[i].tag, tag) == 0)
			return (uint16_t)i;
	reader_refuse(r, key, "No release of this environment has the tag \"%s\".", tag);
	return TABLE_NONE;
}

static uint16_t method_bit(const char *name)
{
	static const char *const names[] = {"GET", "HEAD",  "OPTIONS", "POST",
					    "PUT", "PATCH", "DELETE"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (uint16_t)(1 << i);
	return 0;
}

/* Fields of the answers that are compared. */
static void read_compared(struct table_reader *r, const json_t *from, struct table_environment *e)
{
	const json_t *names = reader_array(r, from, "headers", false);
	if (names)
		e->mirror.header_count = 0;
	for (size_t i = 0; i < json_array_size(names) && !r->failed; i++) {
		const char *name = json_string_value(json_array_get(names, i));
		if (full(r, "mirror.headers", e->mirror.header_count, TABLE_MIRROR_HEADERS_MAX))
			return;
		if (!name || !*name ||
		    !text_copy(e->mirror.headers[e->mirror.header_count++], TABLE_NAME_SIZE, name))
			reader_refuse(r, "mirror.headers", "That is not the name of a field.");
	}
}

static void read_mirror(struct table_reader *r, const json_t *from, struct table_environment *e)
{
	static const char *const keys[] = {"release", "share",   "methods", "in_flight", "salt",
					   "noise",   "headers", "body",    NULL};
	const json_t *o = reader_object(r, from, "mirror", keys);
	if (!o)
		return;
	const char *tag = reader_string(r, o, "release", true);
	if (tag)
		e->mirror.release = find_release(r, e, tag, "mirror.release");
	reader_share(r, o, "share", &e->mirror.share_bp);
	reader_u32(r, o, "in_flight", &e->mirror.in_flight_max);
	reader_size(r, o, "body", &e->mirror.body_max);
	reader_hex(r, o, "salt", e->mirror.salt, sizeof(e->mirror.salt));
	reader_share(r, o, "noise", &e->mirror.noise_bp);
	read_compared(r, o, e);
	const json_t *methods = reader_array(r, o, "methods", false);
	if (methods)
		e->mirror.methods = 0;
	for (size_t i = 0; i < json_array_size(methods); i++) {
		const char *name = json_string_value(json_array_get(methods, i));
		if (!name || !method_bit(name))
			reader_refuse(r, "mirror.methods",
				      "Only GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE can "
				      "be mirrored.");
		else
			e->mirror.methods |= method_bit(name);
	}
}

/* One rule: {"header": NAME, "values": […]}, the same with "cookie", or {"networks": […]}. */
static void read_rule(struct table_reader *r, const json_t *from, struct table_cohort *cohort)
{
	static const char *const keys[] = {"header", "cookie", "networks", "values", NULL};
	if (!reader_known_keys(r, from, keys) ||
	    full(r, "", cohort->rule_count, TABLE_COHORT_RULES_MAX))
		return;
	struct table_cohort_rule *rule = &cohort->rules[cohort->rule_count++];
	bool networks = json_object_get(from, "networks") != NULL,
	     cookie = json_object_get(from, "cookie") != NULL;
	const char *key = networks ? "networks" : "values";
	rule->kind = networks ? TABLE_COHORT_NETWORK
		     : cookie ? TABLE_COHORT_COOKIE
			      : TABLE_COHORT_HEADER;
	if (!networks)
		reader_text(r, from, cookie ? "cookie" : "header", true, rule->name,
			    sizeof(rule->name));
	if (json_object_size(from) != (networks ? 1 : 2))
		reader_refuse(r, "", "A rule has a header, a cookie or networks, and only one.");
	const json_t *values = reader_array(r, from, key, true);
	for (size_t i = 0; i < json_array_size(values) && !r->failed; i++) {
		const char *value = json_string_value(json_array_get(values, i));
		if (full(r, key, rule->value_count, TABLE_COHORT_VALUES_MAX))
			return;
		if (!value ||
		    !text_copy(rule->values[rule->value_count++], TABLE_COHORT_TEXT_SIZE, value))
			reader_refuse(r, key, "A value is a text of up to %d bytes.",
				      TABLE_COHORT_TEXT_SIZE - 1);
	}
}

static void read_cohort(struct table_reader *r, const json_t *from, struct table_environment *e)
{
	static const char *const keys[] = {"release", "only", "rules", NULL};
	const json_t *o = reader_object(r, from, "cohort", keys);
	if (!o)
		return;
	const char *tag = reader_string(r, o, "release", true);
	if (tag)
		e->cohort.release = find_release(r, e, tag, "cohort.release");
	reader_bool(r, o, "only", &e->cohort.only);
	const json_t *rules = reader_array(r, o, "rules", true);
	for (size_t i = 0; i < json_array_size(rules) && !r->failed; i++) {
		size_t at = reader_enter(r, "cohort.rules", i);
		read_rule(r, json_array_get(rules, i), &e->cohort);
		reader_leave(r, at);
	}
}

static void read_class(struct table_reader *r, const char *name, const json_t *paths,
		       uint16_t environment)
{
	struct gateway_table *t = r->table;
	struct table_environment *e = &t->environments[environment];
	if (full(r, "classes", e->class_count, TABLE_ENVIRONMENT_CLASSES_MAX) ||
	    full(r, "classes", t->class_count, TABLE_CLASSES_MAX))
		return;
	uint16_t index = (uint16_t)t->class_count++;
	struct table_class *class = &t->classes[index];
	e->class_count++;
	class->environment = environment;
	class->first_prefix = (uint16_t)t->prefix_count;
	if (!text_copy(class->name, sizeof(class->name), name))
		reader_refuse(r, "classes", "A class name is too long.");
	if (!json_is_array(paths))
		reader_refuse(r, "classes", "The paths of \"%s\" must be a list.", name);
	for (size_t i = 0; i < json_array_size(paths) && !r->failed; i++) {
		const char *path = json_string_value(json_array_get(paths, i));
		if (full(r, "classes", t->prefix_count, TABLE_PREFIXES_MAX))
			return;
		struct table_prefix *p = &t->prefixes[t->prefix_count++];
		p->class = index;
		class->prefix_count++;
		if (!path || !text_copy(p->path, sizeof(p->path), path))
			reader_refuse(r, "classes",
				      "A path of \"%s\" must be a text of up to %d bytes.", name,
				      TABLE_PATH_SIZE - 1);
	}
}

static void read_classes(struct table_reader *r, const json_t *from, uint16_t environment)
{
	const json_t *classes = json_object_get(from, "classes");
	const char *name;
	json_t *paths;
	if (classes && !json_is_object(classes))
		reader_refuse(r, "classes", "This must be an object: a list of paths per class.");
	json_object_foreach((json_t *)classes, name, paths)
	{
		if (!r->failed)
			read_class(r, name, paths, environment);
	}
}

static void read_records(struct table_reader *r, const json_t *from, uint16_t index)
{
	struct table_environment *e = &r->table->environments[index];
	const json_t *releases = reader_array(r, from, "releases", true);
	const json_t *routes = reader_array(r, from, "routes", true);
	for (size_t i = 0; i < json_array_size(releases) && !r->failed; i++) {
		size_t at = reader_enter(r, "releases", i);
		read_release(r, json_array_get(releases, i), index);
		reader_leave(r, at);
	}
	for (size_t i = 0; i < json_array_size(routes) && !r->failed; i++) {
		size_t at = reader_enter(r, "routes", i);
		read_route(r, json_array_get(routes, i), index);
		reader_leave(r, at);
	}
	const char *live = reader_string(r, from, "live", false);
	if (live && !r->failed)
		e->live = find_release(r, e, live, "live");
	if (!r->failed)
		read_mirror(r, from, e);
	if (!r->failed)
		read_cohort(r, from, e);
}

static void read_environment(struct table_reader *r, const json_t *from)
{
	static const char *const keys[] = {
		"app",        "name",        "mode",    "live",
		"retry",      "shield",      "hold",    "sticky",
		"mirror",     "timeouts",    "routes",  "releases",
		"access_log", "classes",     "tls",     "body_max",
		"slow_start", "queue",       "headers", "read_only",
		"cohort",     "preview_key", "http2",   "maintenance_page",
		"tcp",        "proxy_v2",    "proxies", NULL};
	struct gateway_table *t = r->table;
	char name[2 * TABLE_NAME_SIZE];
	if (!reader_known_keys(r, from, keys) ||
	    full(r, "", t->environment_count, TABLE_ENVIRONMENTS_MAX))
		return;
	uint16_t index = (uint16_t)t->environment_count;
	struct table_environment *e = &t->environments[index];
	table_environment_init(e);
	reader_text(r, from, "app", true, e->app, sizeof(e->app));
	reader_text(r, from, "name", true, e->name, sizeof(e->name));
	table_options_read(r, from, e);
	snprintf(name, sizeof(name), "%s/%s", e->app, e->name);
	e->stats_slot = find_slot(name, TABLE_ENVIRONMENTS_MAX, environment_taken, t);
	e->first_release = (uint16_t)t->release_count;
	e->first_class = (uint16_t)t->class_count;
	t->environment_count++;
	read_classes(r, from, index);
	if (!r->failed)
		read_records(r, from, index);
}

static void read_limits(struct table_reader *r, const json_t *from, struct table_limits *limits)
{
	static const char *const keys[] = {"header",      "client_idle", "body_bytes_per_s",
					   "connections", "per_address", "backend_connections",
					   NULL};
	const json_t *o = reader_object(r, from, "limits", keys);
	reader_duration(r, o, "header", &limits->header_ms);
	reader_duration(r, o, "client_idle", &limits->client_idle_ms);
	reader_u32(r, o, "body_bytes_per_s", &limits->body_bytes_per_s);
	reader_u32(r, o, "connections", &limits->connections_max);
	reader_u32(r, o, "per_address", &limits->per_address_max);
	reader_u32(r, o, "backend_connections", &limits->backend_connections_max);
}

static void read_table(struct table_reader *r, const json_t *root)
{
	static const char *const keys[] = {"machine", "limits", "trusted", "environments", NULL};
	struct gateway_table *t = r->table;
	if (!reader_known_keys(r, root, keys))
		return;
	reader_text(r, root, "machine", false, t->machine, sizeof(t->machine));
	read_limits(r, root, &t->limits);
	const json_t *trusted = reader_array(r, root, "trusted", false);
	for (size_t i = 0; i < json_array_size(trusted); i++) {
		const char *text = json_string_value(json_array_get(trusted, i));
		if (full(r, "trusted", t->trusted_count, TABLE_TRUSTED_MAX))
			return;
		if (!text || !text_copy(t->trusted[t->trusted_count++], TABLE_NAME_SIZE, text))
			reader_refuse(r, "trusted",
				      "A network must be a text such as \"10.0.0.0/8\".");
	}
	const json_t *environments = reader_array(r, root, "environments", true);
	for (size_t i = 0; i < json_array_size(environments) && !r->failed; i++) {
		size_t at = reader_enter(r, "environments", i);
		read_environment(r, json_array_get(environments, i));
		reader_leave(r, at);
	}
}

int table_file_parse(const char *name, const char *text, size_t size,
		     struct gateway_table *ret_table, struct error *err)
{
	json_error_t fault;
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
	if (!root) {
		error_set(err, ERR_INVALID, "This is not JSON: %s.", fault.text);
		error_where(err, "%s:%d:%d", name, fault.line, fault.column);
		return ERR_INVALID;
	}
	struct gateway_table *table = table_new();
	struct table_reader r = {.file = name, .table = table, .err = err};
	read_table(&r, root);
	json_decref(root);
	table->generation = 1;
	if (!r.failed) {
		r.failed = table_check(table, err);
		if (r.failed)
			error_where(err, "%s", name);
	}
	if (!r.failed)
		memcpy(ret_table, table, sizeof(*table));
	table_free(table);
	return r.failed;
}

int table_file_read(const char *file, struct gateway_table *ret_table, struct error *err)
{
	struct buf text;
	char piece[4096];
	size_t got;
	FILE *from = fopen(file, "re");
	if (!from)
		return error_errno(err, errno, "The table \"%s\" cannot be opened", file);
	buf_init(&text, TABLE_FILE_MAX);
	while ((got = fread(piece, 1, sizeof(piece), from)) > 0)
		buf_append(&text, piece, got);
	bool broken = ferror(from);
	fclose(from);
	int result;
	if (broken || text.overflowed)
		result = error_set(err, ERR_INVALID,
				   "The table \"%s\" cannot be read, or is larger than %d bytes.",
				   file, TABLE_FILE_MAX);
	else
		result = table_file_parse(file, buf_text(&text), text.size, ret_table, err);
	buf_done(&text);
	return result;
}
