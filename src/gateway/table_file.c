/* SPDX-License-Identifier: Apache-2.0
 *
 * table_file - see table_file.h for the contract.
 *
 * A reader that has failed does nothing more: every step can be written down without looking back, and the
 * first sentence is the one that is reported.
 */
#include "gateway/table_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { PATH_SIZE = 160, KEYS_MAX = 16 };

struct reader {
	const char *file;
	struct gateway_table *table;
	struct error *err;
	int failed;
	char path[PATH_SIZE]; /* of the value that is being read */
};

static void refuse(struct reader *r, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void refuse(struct reader *r, const char *key, const char *format, ...)
{
	char sentence[ERROR_TEXT_MAX];
	va_list args;
	if (r->failed)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	r->failed = error_set(r->err, ERR_INVALID, "%s", sentence);
	error_where(r->err, "%s: %s%s%s", r->file, r->path, r->path[0] && key[0] ? "." : "", key);
}

/* Go one step down in the path; returns where to cut it again. */
static size_t enter(struct reader *r, const char *key, size_t index)
{
	size_t size = strlen(r->path);
	snprintf(r->path + size, sizeof(r->path) - size, "%s%s[%zu]", size ? "." : "", key, index);
	return size;
}

static void leave(struct reader *r, size_t size)
{
	r->path[size] = 0;
}

/* ── values ───────────────────────────────────────────────────────────────────────────────────────── */

/* `object` is an object and has no key but these (ended by NULL). */
static bool known_keys(struct reader *r, const json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;
	size_t count = 0;
	if (r->failed)
		return false;
	if (!json_is_object(object)) {
		refuse(r, "", "This must be an object in braces.");
		return false;
	}
	while (keys[count])
		count++;
	json_object_foreach((json_t *)object, key, value)
	{
		size_t i = 0;
		while (i < count && strcmp(keys[i], key) != 0)
			i++;
		if (i < count)
			continue;
		const char *near = text_suggest(key, keys, count);
		refuse(r, key, "There is no key \"%s\" here%s%s%s.", key,
		       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		return false;
	}
	return !r->failed;
}

static const char *get_string(struct reader *r, const json_t *object, const char *key, bool must)
{
	const json_t *value = json_object_get(object, key);
	if (value && !json_is_string(value))
		refuse(r, key, "This must be a text in double quotes.");
	else if (!value && must)
		refuse(r, key, "The key \"%s\" is missing.", key);
	return json_is_string(value) ? json_string_value(value) : NULL;
}

static void read_text(struct reader *r, const json_t *object, const char *key, bool must, char *to,
		      size_t size)
{
	const char *text = get_string(r, object, key, must);
	if (text && !text_copy(to, size, text))
		refuse(r, key, "This text is longer than %zu bytes.", size - 1);
}

static void read_u32(struct reader *r, const json_t *object, const char *key, uint32_t *to)
{
	const json_t *value = json_object_get(object, key);
	if (!value)
		return;
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || number > UINT32_MAX)
		refuse(r, key, "This must be a whole number, not below 0.");
	else
		*to = (uint32_t)number;
}

static void read_bool(struct reader *r, const json_t *object, const char *key, bool *to)
{
	const json_t *value = json_object_get(object, key);
	if (value && !json_is_boolean(value))
		refuse(r, key, "This must be true or false.");
	else if (value)
		*to = json_is_true(value);
}

static void read_duration(struct reader *r, const json_t *object, const char *key, uint32_t *to_ms)
{
	uint64_t ms;
	const char *text = get_string(r, object, key, false);
	if (!text)
		return;
	if (!text_parse_duration(text, &ms) || ms > UINT32_MAX)
		refuse(r, key, "\"%s\" is not a duration such as \"30s\" or \"5m\".", text);
	else
		*to_ms = (uint32_t)ms;
}

static void read_size(struct reader *r, const json_t *object, const char *key, uint32_t *to)
{
	uint64_t bytes;
	const char *text = get_string(r, object, key, false);
	if (!text)
		return;
	if (!text_parse_size(text, &bytes) || bytes > UINT32_MAX)
		refuse(r, key, "\"%s\" is not a size such as \"64MiB\", below 4GiB.", text);
	else
		*to = (uint32_t)bytes;
}

static void read_share(struct reader *r, const json_t *object, const char *key, uint32_t *to_bp)
{
	const char *text = get_string(r, object, key, false);
	if (text && !text_parse_share(text, to_bp))
		refuse(r, key, "\"%s\" is not a share such as \"12.5%%\".", text);
}

static void read_hex(struct reader *r, const json_t *object, const char *key, uint8_t *to,
		     size_t size)
{
	const char *text = get_string(r, object, key, false);
	if (!text)
		return;
	if (strlen(text) != 2 * size || strspn(text, "0123456789abcdef") != 2 * size) {
		refuse(r, key, "This must be %zu lower-case hex digits.", 2 * size);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		char digits[3] = {text[2 * i], text[2 * i + 1], 0};
		to[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
}

/* An array under `key`, NULL when it is not there. */
static const json_t *get_array(struct reader *r, const json_t *object, const char *key, bool must)
{
	const json_t *value = json_object_get(object, key);
	if (value && !json_is_array(value))
		refuse(r, key, "This must be a list in brackets.");
	else if (!value && must)
		refuse(r, key, "The key \"%s\" is missing.", key);
	return json_is_array(value) ? value : NULL;
}

/* An object under `key` with known keys, NULL when it is not there. Its path is entered. */
static const json_t *get_object(struct reader *r, const json_t *object, const char *key,
				const char *const *keys)
{
	const json_t *value = json_object_get(object, key);
	if (!value)
		return NULL;
	size_t size = strlen(r->path);
	snprintf(r->path + size, sizeof(r->path) - size, "%s%s", size ? "." : "", key);
	bool good = known_keys(r, value, keys);
	leave(r, size);
	return good ? value : NULL;
}

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

static bool full(struct reader *r, const char *key, uint32_t count, uint32_t max)
{
	if (count >= max)
		refuse(r, key, "There are more than %u of these.", max);
	return r->failed;
}

static uint16_t find_listener(struct reader *r, const char *address)
{
	struct gateway_table *t = r->table;
	for (uint32_t i = 0; i < t->listener_count; i++)
		if (strcmp(t->listeners[i].address, address) == 0)
			return (uint16_t)i;
	if (full(r, "listen", t->listener_count, TABLE_LISTENERS_MAX))
		return 0;
	if (!text_copy(t->listeners[t->listener_count].address, TABLE_ADDRESS_SIZE, address))
		refuse(r, "listen", "This address is longer than %d bytes.",
		       TABLE_ADDRESS_SIZE - 1);
	return (uint16_t)t->listener_count++;
}

static void read_route(struct reader *r, const json_t *from, uint16_t environment)
{
	static const char *const keys[] = {"listen", "host", "path", "to", NULL};
	struct gateway_table *t = r->table;
	if (!known_keys(r, from, keys) || full(r, "", t->route_count, TABLE_ROUTES_MAX))
		return;
	struct table_route *route = &t->routes[t->route_count++];
	const char *address = get_string(r, from, "listen", true);
	text_copy(route->path, sizeof(route->path), "/");
	text_copy(route->process, sizeof(route->process), "web");
	read_text(r, from, "host", false, route->host, sizeof(route->host));
	read_text(r, from, "path", false, route->path, sizeof(route->path));
	read_text(r, from, "to", false, route->process, sizeof(route->process));
	route->environment = environment;
	if (address)
		route->listener = find_listener(r, address);
}

static void read_state(struct reader *r, const json_t *from, enum table_backend_state *to)
{
	static const char *const names[] = {"ready", "draining", "down"};
	const char *text = get_string(r, from, "state", false);
	for (int i = 0; text && i < TABLE_BACKEND_COUNT; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*to = (enum table_backend_state)i;
		return;
	}
	if (text)
		refuse(r, "state", "\"%s\" is none of \"ready\", \"draining\", \"down\".", text);
}

/* "127.0.0.1:9001", or an object with more to say. */
static void read_backend(struct reader *r, const json_t *from, uint16_t pool)
{
	static const char *const keys[] = {"address", "instance", "state", NULL};
	struct gateway_table *t = r->table;
	if (full(r, "", t->backend_count, TABLE_BACKENDS_MAX))
		return;
	struct table_backend *b = &t->backends[t->backend_count];
	if (json_is_string(from)) {
		if (!text_copy(b->address, sizeof(b->address), json_string_value(from)))
			refuse(r, "", "This address is longer than %d bytes.",
			       TABLE_ADDRESS_SIZE - 1);
	} else if (known_keys(r, from, keys)) {
		read_text(r, from, "address", true, b->address, sizeof(b->address));
		read_text(r, from, "instance", false, b->instance, sizeof(b->instance));
		read_state(r, from, &b->state);
	}
	if (!b->instance[0])
		text_copy(b->instance, sizeof(b->instance), b->address);
	b->pool = pool;
	b->stats_slot = find_slot(b->instance, TABLE_BACKENDS_MAX, backend_taken, t);
	t->backend_count++;
	t->pools[pool].backend_count++;
}

static void read_pools(struct reader *r, const json_t *release, uint16_t index)
{
	struct gateway_table *t = r->table;
	const json_t *processes = json_object_get(release, "processes");
	const char *name;
	json_t *backends;
	if (!json_is_object(processes)) {
		refuse(r, "processes", "This must be an object: a list of backends per process.");
		return;
	}
	json_object_foreach((json_t *)processes, name, backends)
	{
		if (full(r, "processes", t->pool_count, TABLE_POOLS_MAX))
			return;
		struct table_pool *pool = &t->pools[t->pool_count++];
		if (!text_copy(pool->process, sizeof(pool->process), name))
			refuse(r, "processes", "A process name is too long.");
		pool->release = index;
		pool->first_backend = (uint16_t)t->backend_count;
		t->releases[index].pool_count++;
		if (!json_is_array(backends))
			refuse(r, "processes", "The backends of \"%s\" must be a list.", name);
		for (size_t i = 0; i < json_array_size(backends) && !r->failed; i++) {
			size_t at = enter(r, "processes", i);
			read_backend(r, json_array_get(backends, i), (uint16_t)(t->pool_count - 1));
			leave(r, at);
		}
	}
}

static void read_release(struct reader *r, const json_t *from, uint16_t environment)
{
	static const char *const keys[] = {"tag", "id", "weight", "preview", "processes", NULL};
	struct gateway_table *t = r->table;
	char name[3 * TABLE_NAME_SIZE];
	if (!known_keys(r, from, keys) || full(r, "", t->release_count, TABLE_RELEASES_MAX))
		return;
	struct table_environment *e = &t->environments[environment];
	uint16_t index = (uint16_t)t->release_count;
	struct table_release *release = &t->releases[index];
	read_text(r, from, "tag", true, release->tag, sizeof(release->tag));
	snprintf(name, sizeof(name), "%s/%s/%s", e->app, e->name, release->tag);
	release->id = digest_of(name, strlen(name));
	read_hex(r, from, "id", release->id.bytes, sizeof(release->id.bytes));
	read_share(r, from, "weight", &release->weight_bp);
	read_text(r, from, "preview", false, release->preview, sizeof(release->preview));
	release->environment = environment;
	release->stats_slot = find_slot(name, TABLE_RELEASES_MAX, release_taken, t);
	release->first_pool = (uint16_t)t->pool_count;
	t->release_count++;
	e->release_count++;
	read_pools(r, from, index);
}

static uint16_t find_release(struct reader *r, const struct table_environment *e, const char *tag,
			     const char *key)
{
	for (uint32_t i = e->first_release; i < (uint32_t)e->first_release + e->release_count; i++)
		if (strcmp(r->table->releases[i].tag, tag) == 0)
			return (uint16_t)i;
	refuse(r, key, "No release of this environment has the tag \"%s\".", tag);
	return TABLE_NONE;
}

static void read_mode(struct reader *r, const json_t *from, struct table_environment *e)
{
	static const char *const names[] = {"serve", "park", "maintenance"};
	const char *text = get_string(r, from, "mode", false);
	for (int i = 0; text && i < TABLE_MODE_COUNT; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		e->mode = (enum table_mode)i;
		return;
	}
	if (text)
		refuse(r, "mode", "\"%s\" is none of \"serve\", \"park\", \"maintenance\".", text);
}

static void read_hold(struct reader *r, const json_t *from, struct table_hold *hold)
{
	static const char *const keys[] = {"requests", "bytes", "time", "pace_per_s", NULL};
	const json_t *o = get_object(r, from, "hold", keys);
	read_u32(r, o, "requests", &hold->requests_max);
	read_size(r, o, "bytes", &hold->bytes_max);
	read_duration(r, o, "time", &hold->time_ms);
	read_u32(r, o, "pace_per_s", &hold->pace_per_s);
}

static void read_sticky(struct reader *r, const json_t *from, struct table_sticky *sticky)
{
	static const char *const keys[] = {"cookie", "header", "salt", "key", NULL};
	const json_t *o = get_object(r, from, "sticky", keys);
	if (!o)
		return;
	sticky->on = true;
	read_text(r, o, "cookie", false, sticky->cookie, sizeof(sticky->cookie));
	read_text(r, o, "header", false, sticky->header, sizeof(sticky->header));
	read_hex(r, o, "salt", sticky->salt, sizeof(sticky->salt));
	read_hex(r, o, "key", sticky->key, sizeof(sticky->key));
}

static uint16_t method_bit(const char *name)
{
	static const char *const names[] = {"GET", "HEAD", "OPTIONS"};
	for (int i = 0; i < 3; i++)
		if (strcmp(names[i], name) == 0)
			return (uint16_t)(1 << i);
	return 0;
}

static void read_mirror(struct reader *r, const json_t *from, struct table_environment *e)
{
	static const char *const keys[] = {"release",   "share", "methods",
					   "in_flight", "salt",  NULL};
	const json_t *o = get_object(r, from, "mirror", keys);
	if (!o)
		return;
	const char *tag = get_string(r, o, "release", true);
	if (tag)
		e->mirror.release = find_release(r, e, tag, "mirror.release");
	read_share(r, o, "share", &e->mirror.share_bp);
	read_u32(r, o, "in_flight", &e->mirror.in_flight_max);
	read_hex(r, o, "salt", e->mirror.salt, sizeof(e->mirror.salt));
	const json_t *methods = get_array(r, o, "methods", false);
	if (methods)
		e->mirror.methods = 0;
	for (size_t i = 0; i < json_array_size(methods); i++) {
		const char *name = json_string_value(json_array_get(methods, i));
		if (!name || !method_bit(name))
			refuse(r, "mirror.methods", "Only GET, HEAD and OPTIONS can be mirrored.");
		else
			e->mirror.methods |= method_bit(name);
	}
}

static void read_timeouts(struct reader *r, const json_t *from, struct table_timeouts *timeouts)
{
	static const char *const keys[] = {"connect",     "answer",       "idle",
					   "tunnel_idle", "tunnel_drain", NULL};
	const json_t *o = get_object(r, from, "timeouts", keys);
	read_duration(r, o, "connect", &timeouts->connect_ms);
	read_duration(r, o, "answer", &timeouts->answer_ms);
	read_duration(r, o, "idle", &timeouts->idle_ms);
	read_duration(r, o, "tunnel_idle", &timeouts->tunnel_idle_ms);
	read_duration(r, o, "tunnel_drain", &timeouts->tunnel_drain_ms);
}

static void read_tls(struct reader *r, const json_t *from, struct table_tls *tls)
{
	static const char *const keys[] = {"certificate", "key", "hsts", NULL};
	const json_t *o = get_object(r, from, "tls", keys);
	uint64_t ms = 0;
	if (!o)
		return;
	read_text(r, o, "certificate", true, tls->certificate, sizeof(tls->certificate));
	read_text(r, o, "key", true, tls->key, sizeof(tls->key));
	const char *hsts = get_string(r, o, "hsts", false);
	if (hsts && !text_parse_duration(hsts, &ms))
		refuse(r, "tls.hsts", "\"%s\" is not a duration such as \"180d\".", hsts);
	tls->hsts_s = (uint32_t)(ms / 1000);
}

static void read_class(struct reader *r, const char *name, const json_t *paths,
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
		refuse(r, "classes", "A class name is too long.");
	if (!json_is_array(paths))
		refuse(r, "classes", "The paths of \"%s\" must be a list.", name);
	for (size_t i = 0; i < json_array_size(paths) && !r->failed; i++) {
		const char *path = json_string_value(json_array_get(paths, i));
		if (full(r, "classes", t->prefix_count, TABLE_PREFIXES_MAX))
			return;
		struct table_prefix *p = &t->prefixes[t->prefix_count++];
		p->class = index;
		class->prefix_count++;
		if (!path || !text_copy(p->path, sizeof(p->path), path))
			refuse(r, "classes", "A path of \"%s\" must be a text of up to %d bytes.",
			       name, TABLE_PATH_SIZE - 1);
	}
}

static void read_classes(struct reader *r, const json_t *from, uint16_t environment)
{
	const json_t *classes = json_object_get(from, "classes");
	const char *name;
	json_t *paths;
	if (classes && !json_is_object(classes))
		refuse(r, "classes", "This must be an object: a list of paths per class.");
	json_object_foreach((json_t *)classes, name, paths)
	{
		if (!r->failed)
			read_class(r, name, paths, environment);
	}
}

static void read_records(struct reader *r, const json_t *from, uint16_t index)
{
	struct table_environment *e = &r->table->environments[index];
	const json_t *releases = get_array(r, from, "releases", true);
	const json_t *routes = get_array(r, from, "routes", true);
	for (size_t i = 0; i < json_array_size(releases) && !r->failed; i++) {
		size_t at = enter(r, "releases", i);
		read_release(r, json_array_get(releases, i), index);
		leave(r, at);
	}
	for (size_t i = 0; i < json_array_size(routes) && !r->failed; i++) {
		size_t at = enter(r, "routes", i);
		read_route(r, json_array_get(routes, i), index);
		leave(r, at);
	}
	const char *live = get_string(r, from, "live", false);
	if (live && !r->failed)
		e->live = find_release(r, e, live, "live");
	if (!r->failed)
		read_mirror(r, from, e);
}

static void read_environment(struct reader *r, const json_t *from)
{
	static const char *const keys[] = {"app",        "name",     "mode",   "live",
					   "retry",      "body_max", "hold",   "sticky",
					   "mirror",     "timeouts", "routes", "releases",
					   "access_log", "classes",  "tls",    NULL};
	struct gateway_table *t = r->table;
	char name[2 * TABLE_NAME_SIZE];
	if (!known_keys(r, from, keys) || full(r, "", t->environment_count, TABLE_ENVIRONMENTS_MAX))
		return;
	uint16_t index = (uint16_t)t->environment_count;
	struct table_environment *e = &t->environments[index];
	table_environment_init(e);
	read_text(r, from, "app", true, e->app, sizeof(e->app));
	read_text(r, from, "name", true, e->name, sizeof(e->name));
	read_mode(r, from, e);
	read_bool(r, from, "retry", &e->retry);
	read_bool(r, from, "access_log", &e->access_log);
	read_size(r, from, "body_max", &e->body_max_bytes);
	read_hold(r, from, &e->hold);
	read_sticky(r, from, &e->sticky);
	read_timeouts(r, from, &e->timeouts);
	read_tls(r, from, &e->tls);
	snprintf(name, sizeof(name), "%s/%s", e->app, e->name);
	e->stats_slot = find_slot(name, TABLE_ENVIRONMENTS_MAX, environment_taken, t);
	e->first_release = (uint16_t)t->release_count;
	e->first_class = (uint16_t)t->class_count;
	t->environment_count++;
	read_classes(r, from, index);
	if (!r->failed)
		read_records(r, from, index);
}

static void read_limits(struct reader *r, const json_t *from, struct table_limits *limits)
{
	static const char *const keys[] = {"header",      "client_idle", "body_bytes_per_s",
					   "connections", "per_address", "backend_connections",
					   NULL};
	const json_t *o = get_object(r, from, "limits", keys);
	read_duration(r, o, "header", &limits->header_ms);
	read_duration(r, o, "client_idle", &limits->client_idle_ms);
	read_u32(r, o, "body_bytes_per_s", &limits->body_bytes_per_s);
	read_u32(r, o, "connections", &limits->connections_max);
	read_u32(r, o, "per_address", &limits->per_address_max);
	read_u32(r, o, "backend_connections", &limits->backend_connections_max);
}

static void read_table(struct reader *r, const json_t *root)
{
	static const char *const keys[] = {"machine", "limits", "trusted", "environments", NULL};
	struct gateway_table *t = r->table;
	if (!known_keys(r, root, keys))
		return;
	read_text(r, root, "machine", false, t->machine, sizeof(t->machine));
	read_limits(r, root, &t->limits);
	const json_t *trusted = get_array(r, root, "trusted", false);
	for (size_t i = 0; i < json_array_size(trusted); i++) {
		const char *text = json_string_value(json_array_get(trusted, i));
		if (full(r, "trusted", t->trusted_count, TABLE_TRUSTED_MAX))
			return;
		if (!text || !text_copy(t->trusted[t->trusted_count++], TABLE_NAME_SIZE, text))
			refuse(r, "trusted", "A network must be a text such as \"10.0.0.0/8\".");
	}
	const json_t *environments = get_array(r, root, "environments", true);
	for (size_t i = 0; i < json_array_size(environments) && !r->failed; i++) {
		size_t at = enter(r, "environments", i);
		read_environment(r, json_array_get(environments, i));
		leave(r, at);
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
	struct reader r = {.file = name, .table = table, .err = err};
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
