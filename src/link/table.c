/* SPDX-License-Identifier: Apache-2.0
 *
 * table - see table.h for the contract.
 *
 * The check of the content is in table_check.c. Here: defaults, and the block. One function per record
 * names its fields in order, for both directions: `struct codec` either packs or unpacks, so that the
 * two cannot drift apart.
 */
#include "link/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pack.h"
#include "base/text.h"

static const char MAGIC[8] = {'D', 'V', 'T', 'T', 'A', 'B', 'L', 'E'};

enum {
	SIZE_AT = 12,
	CHECKSUM_AT = 16,
	GENERATION_AT = 24,
	HEAD_SIZE = 24, /* magic, ABI, size, checksum; the checksum covers what follows */
};

struct codec {
	struct packer *out; /* exactly one of the two is set */
	struct unpacker *in;
};

struct gateway_table *table_new(void)
{
	struct gateway_table *t = mem_zero(1, sizeof(*t));
	t->limits = (struct table_limits){
		.header_ms = 10000,
		.client_idle_ms = 75000,
		.body_bytes_per_s = 240,
		.connections_max = 10000,
		.per_address_max = 0,
		.backend_connections_max = 1024,
	};
	return t;
}

void table_free(struct gateway_table *table)
{
	free(table);
}

void table_environment_init(struct table_environment *environment)
{
	*environment = (struct table_environment){
		.mode = TABLE_MODE_SERVE,
		.live = TABLE_NONE,
		.retry = true,
		.hold = {.requests_max = 10000, .bytes_max = 64u << 20, .time_ms = 30000},
		.queue = {.requests_max = 100, .time_ms = 5000},
		.mirror = {.release = TABLE_NONE,
			   .methods = TABLE_METHOD_GET | TABLE_METHOD_HEAD,
			   .in_flight_max = 64,
			   .body_max = 64 << 10,
			   .header_count = 2,
			   .headers = {"content-type", "location"}},
		.cohort = {.release = TABLE_NONE},
		.tls = {.redirect = TABLE_NONE},
		.timeouts = {.connect_ms = 2000,
			     .answer_ms = 60000,
			     .idle_ms = 60000,
			     .tunnel_idle_ms = 3600000,
			     .tunnel_drain_ms = TABLE_TUNNEL_DRAIN_MS},
	};
}

static void code_u8(struct codec *c, uint8_t *value)
{
	if (c->out)
		pack_u8(c->out, *value);
	else
		*value = unpack_u8(c->in);
}

static void code_u16(struct codec *c, uint16_t *value)
{
	if (c->out)
		pack_u16(c->out, *value);
	else
		*value = unpack_u16(c->in);
}

static void code_u32(struct codec *c, uint32_t *value)
{
	if (c->out)
		pack_u32(c->out, *value);
	else
		*value = unpack_u32(c->in);
}

static void code_u64(struct codec *c, uint64_t *value)
{
	if (c->out)
		pack_u64(c->out, *value);
	else
		*value = unpack_u64(c->in);
}

static void code_bool(struct codec *c, bool *value)
{
	if (c->out)
		pack_u8(c->out, *value);
	else
		*value = unpack_bool(c->in);
}

static void code_bytes(struct codec *c, uint8_t *bytes, size_t size)
{
	if (c->out)
		pack_bytes(c->out, bytes, size);
	else
		unpack_bytes(c->in, bytes, size);
}

static void code_text(struct codec *c, char *text, size_t size)
{
	if (c->out)
		pack_text(c->out, text);
	else
		unpack_text(c->in, text, size);
}

/* A count; one above its bound ends the reading. */
static void code_count(struct codec *c, uint32_t *count, uint32_t max)
{
	code_u32(c, count);
	if (c->in && *count > max) {
		c->in->ok = false;
		*count = 0;
	}
}

static void code_cohort(struct codec *c, struct table_cohort *cohort)
{
	code_u16(c, &cohort->release);
	code_bool(c, &cohort->only);
	code_count(c, &cohort->rule_count, TABLE_COHORT_RULES_MAX);
	for (uint32_t i = 0; i < cohort->rule_count; i++) {
		struct table_cohort_rule *r = &cohort->rules[i];
		uint8_t kind = (uint8_t)r->kind;
		code_u8(c, &kind);
		r->kind = (enum table_cohort_kind)kind;
		code_text(c, r->name, sizeof(r->name));
		code_count(c, &r->value_count, TABLE_COHORT_VALUES_MAX);
		for (uint32_t k = 0; k < r->value_count; k++)
			code_text(c, r->values[k], sizeof(r->values[k]));
	}
}

static void code_mirror(struct codec *c, struct table_mirror *m)
{
	code_u16(c, &m->release);
	code_u16(c, &m->methods);
	code_u32(c, &m->share_bp);
	code_u32(c, &m->in_flight_max);
	code_u32(c, &m->noise_bp);
	code_u32(c, &m->body_max);
	code_bytes(c, m->salt, sizeof(m->salt));
	code_count(c, &m->header_count, TABLE_MIRROR_HEADERS_MAX);
	for (uint32_t i = 0; i < m->header_count; i++)
		code_text(c, m->headers[i], sizeof(m->headers[i]));
}

static void code_tls(struct codec *c, struct table_tls *t)
{
	uint8_t unnamed = (uint8_t)t->unnamed;
	code_text(c, t->certificate, sizeof(t->certificate));
	code_text(c, t->key, sizeof(t->key));
	code_text(c, t->challenges, sizeof(t->challenges));
	code_u16(c, &t->redirect);
	code_u8(c, &unnamed);
	t->unnamed = (enum table_tls_unnamed)unnamed;
	code_u32(c, &t->hsts_s);
}

static void code_environment(struct codec *c, struct table_environment *e)
{
	uint8_t mode = (uint8_t)e->mode, log = (uint8_t)e->log;
	code_text(c, e->app, sizeof(e->app));
	code_text(c, e->name, sizeof(e->name));
	code_u64(c, &e->document_epoch);
	code_u64(c, &e->document_n);
	code_u8(c, &mode);
	e->mode = (enum table_mode)mode;
	code_bool(c, &e->read_only);
	code_u16(c, &e->stats_slot);
	code_u16(c, &e->live);
	code_u16(c, &e->first_release);
	code_u16(c, &e->release_count);
	code_u16(c, &e->first_class);
	code_u16(c, &e->class_count);
	code_u16(c, &e->first_rule);
	code_u16(c, &e->rule_count);
	code_bool(c, &e->retry);
	code_bool(c, &e->shield);
	code_bool(c, &e->http1_only);
	code_bool(c, &e->tcp);
	code_bool(c, &e->proxy_v2);
	code_count(c, &e->proxy_count, TABLE_PROXIES_MAX);
	for (uint32_t i = 0; i < e->proxy_count; i++)
		code_text(c, e->proxies[i], sizeof(e->proxies[i]));
	code_u32(c, &e->slow_start_ms);
	code_u8(c, &log);
	e->log = (enum table_log)log;
	code_u32(c, &e->body_max_bytes);
	code_u32(c, &e->hold.requests_max);
	code_u32(c, &e->hold.bytes_max);
	code_u32(c, &e->hold.time_ms);
	code_u32(c, &e->hold.pace_per_s);
	code_u32(c, &e->queue.connections_max);
	code_u32(c, &e->queue.requests_max);
	code_u32(c, &e->queue.time_ms);
	code_count(c, &e->queue.first_count, TABLE_QUEUE_FIRST_MAX);
	for (uint32_t i = 0; i < e->queue.first_count; i++)
		code_text(c, e->queue.first[i], sizeof(e->queue.first[i]));
	code_bool(c, &e->sticky.on);
	code_text(c, e->sticky.cookie, sizeof(e->sticky.cookie));
	code_text(c, e->sticky.header, sizeof(e->sticky.header));
	code_bytes(c, e->sticky.salt, sizeof(e->sticky.salt));
	code_bytes(c, e->sticky.key, sizeof(e->sticky.key));
	code_mirror(c, &e->mirror);
	code_cohort(c, &e->cohort);
	code_bytes(c, e->preview_key, sizeof(e->preview_key));
	code_u32(c, &e->timeouts.connect_ms);
	code_u32(c, &e->timeouts.answer_ms);
	code_u32(c, &e->timeouts.idle_ms);
	code_u32(c, &e->timeouts.tunnel_idle_ms);
	code_u32(c, &e->timeouts.tunnel_drain_ms);
	code_text(c, e->maintenance_page, sizeof(e->maintenance_page));
	code_tls(c, &e->tls);
}

static void code_route(struct codec *c, struct table_route *r)
{
	code_text(c, r->host, sizeof(r->host));
	code_text(c, r->path, sizeof(r->path));
	code_text(c, r->process, sizeof(r->process));
	code_u16(c, &r->listener);
	code_u16(c, &r->environment);
}

static void code_release(struct codec *c, struct table_release *r)
{
	code_bytes(c, r->id.bytes, sizeof(r->id.bytes));
	code_text(c, r->tag, sizeof(r->tag));
	code_text(c, r->preview, sizeof(r->preview));
	code_u16(c, &r->environment);
	code_u16(c, &r->stats_slot);
	code_u16(c, &r->first_pool);
	code_u16(c, &r->pool_count);
	code_u32(c, &r->weight_bp);
}

static void code_pool(struct codec *c, struct table_pool *p)
{
	code_text(c, p->process, sizeof(p->process));
	code_u16(c, &p->release);
	code_u16(c, &p->first_backend);
	code_u16(c, &p->backend_count);
}

static void code_backend(struct codec *c, struct table_backend *b)
{
	uint8_t state = (uint8_t)b->state;
	code_text(c, b->address, sizeof(b->address));
	code_text(c, b->instance, sizeof(b->instance));
	code_text(c, b->machine, sizeof(b->machine));
	code_u8(c, &state);
	b->state = (enum table_backend_state)state;
	code_u16(c, &b->stats_slot);
	code_u16(c, &b->pool);
	code_bool(c, &b->http2);
}

static void code_class(struct codec *c, struct table_class *class)
{
	code_text(c, class->name, sizeof(class->name));
	code_u16(c, &class->environment);
	code_u16(c, &class->first_prefix);
	code_u16(c, &class->prefix_count);
}

static void code_prefix(struct codec *c, struct table_prefix *p)
{
	code_text(c, p->path, sizeof(p->path));
	code_u16(c, &p->class);
}

static void code_rule(struct codec *c, struct table_rule *r)
{
	code_text(c, r->name, sizeof(r->name));
	code_text(c, r->value, sizeof(r->value));
	code_bool(c, &r->answer);
}

static void code_limits(struct codec *c, struct table_limits *l)
{
	code_u32(c, &l->header_ms);
	code_u32(c, &l->client_idle_ms);
	code_u32(c, &l->body_bytes_per_s);
	code_u32(c, &l->connections_max);
	code_u32(c, &l->per_address_max);
	code_u32(c, &l->backend_connections_max);
}

static void code_table(struct codec *c, struct gateway_table *t)
{
	code_u64(c, &t->generation);
	code_text(c, t->machine, sizeof(t->machine));
	code_limits(c, &t->limits);
	code_count(c, &t->listener_count, TABLE_LISTENERS_MAX);
	for (uint32_t i = 0; i < t->listener_count; i++)
		code_text(c, t->listeners[i].address, sizeof(t->listeners[i].address));
	code_count(c, &t->environment_count, TABLE_ENVIRONMENTS_MAX);
	for (uint32_t i = 0; i < t->environment_count; i++)
		code_environment(c, &t->environments[i]);
	code_count(c, &t->route_count, TABLE_ROUTES_MAX);
	for (uint32_t i = 0; i < t->route_count; i++)
		code_route(c, &t->routes[i]);
	code_count(c, &t->release_count, TABLE_RELEASES_MAX);
	for (uint32_t i = 0; i < t->release_count; i++)
		code_release(c, &t->releases[i]);
	code_count(c, &t->pool_count, TABLE_POOLS_MAX);
	for (uint32_t i = 0; i < t->pool_count; i++)
		code_pool(c, &t->pools[i]);
	code_count(c, &t->backend_count, TABLE_BACKENDS_MAX);
	for (uint32_t i = 0; i < t->backend_count; i++)
		code_backend(c, &t->backends[i]);
	code_count(c, &t->class_count, TABLE_CLASSES_MAX);
	for (uint32_t i = 0; i < t->class_count; i++)
		code_class(c, &t->classes[i]);
	code_count(c, &t->prefix_count, TABLE_PREFIXES_MAX);
	for (uint32_t i = 0; i < t->prefix_count; i++)
		code_prefix(c, &t->prefixes[i]);
	code_count(c, &t->rule_count, TABLE_RULES_MAX);
	for (uint32_t i = 0; i < t->rule_count; i++)
		code_rule(c, &t->rules[i]);
	code_count(c, &t->trusted_count, TABLE_TRUSTED_MAX);
	for (uint32_t i = 0; i < t->trusted_count; i++)
		code_text(c, t->trusted[i], sizeof(t->trusted[i]));
}

static uint64_t checksum(const uint8_t *block, size_t size)
{
	static const uint8_t key[HASH_KEY_SIZE];
	return hash_keyed(key, block + HEAD_SIZE, size - HEAD_SIZE);
}

int table_encode(const struct gateway_table *table, struct buf *to, struct error *err)
{
	int failed = table_check(table, err);
	if (failed)
		return failed;
	uint8_t *block = mem_new(TABLE_BYTES_MAX);
	struct packer out;
	pack_init(&out, block, TABLE_BYTES_MAX);
	struct codec c = {.out = &out};
	pack_bytes(&out, MAGIC, sizeof(MAGIC));
	pack_u32(&out, TABLE_ABI);
	pack_u32(&out, 0);
	pack_u64(&out, 0);
	code_table(&c, (struct gateway_table *)table); /* a packing codec only reads */
	if (!out.ok) {
		free(block);
		return error_set(err, ERR_LIMIT, "The gateway's table is larger than %d bytes.",
				 TABLE_BYTES_MAX);
	}
	struct packer head;
	pack_init(&head, block + SIZE_AT, HEAD_SIZE - SIZE_AT);
	pack_u32(&head, (uint32_t)out.size);
	pack_u64(&head, checksum(block, out.size));
	buf_append(to, block, out.size);
	free(block);
	if (to->overflowed)
		return error_set(err, ERR_LIMIT, "The gateway's table does not fit its buffer.");
	return 0;
}

int table_decode(const void *block, size_t size, struct gateway_table *ret_table, struct error *err)
{
	struct unpacker in;
	char magic[sizeof(MAGIC)];
	unpack_init(&in, block, size);
	unpack_bytes(&in, magic, sizeof(magic));
	uint32_t abi = unpack_u32(&in), stated = unpack_u32(&in);
	uint64_t sum = unpack_u64(&in);
	if (!in.ok || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0)
		return error_set(err, ERR_CORRUPT, "This is not a gateway table.");
	if (abi != TABLE_ABI)
		return error_set(err, ERR_CORRUPT,
				 "The gateway table has format %u; this davit reads format %d.",
				 abi, TABLE_ABI);
	if (stated != size || size > TABLE_BYTES_MAX || sum != checksum(block, size))
		return error_set(err, ERR_CORRUPT,
				 "The gateway table is cut short or was changed on its way.");
	struct codec c = {.in = &in};
	code_table(&c, ret_table);
	if (!unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "The gateway table's records are broken.");
	int failed = table_check(ret_table, err);
	if (failed)
		return error_prefix(err, "The gateway table of generation %llu",
				    (unsigned long long)ret_table->generation);
	return 0;
}

uint64_t table_generation(const void *block, size_t size)
{
	struct unpacker in;
	if (size < HEAD_SIZE + sizeof(uint64_t) || memcmp(block, MAGIC, sizeof(MAGIC)) != 0)
		return 0;
	unpack_init(&in, (const uint8_t *)block + GENERATION_AT, sizeof(uint64_t));
	return unpack_u64(&in);
}
