/* SPDX-License-Identifier: Apache-2.0
 *
 * table_options - see table_options.h for the contract.
 */
#include "gateway/table_options.h"

#include <string.h>

#include "base/text.h"

static void read_mode(struct table_reader *r, const json_t *from, struct table_environment *e)
{
	static const char *const names[] = {"serve", "park", "maintenance"};
	const char *text = reader_string(r, from, "mode", false);
	for (int i = 0; text && i < TABLE_MODE_COUNT; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		e->mode = (enum table_mode)i;
		return;
	}
	if (text)
		reader_refuse(r, "mode", "\"%s\" is none of \"serve\", \"park\", \"maintenance\".",
			      text);
}

static void read_hold(struct table_reader *r, const json_t *from, struct table_hold *hold)
{
	static const char *const keys[] = {"requests", "bytes", "time", "pace_per_s", NULL};
	const json_t *o = reader_object(r, from, "hold", keys);
	reader_u32(r, o, "requests", &hold->requests_max);
	reader_size(r, o, "bytes", &hold->bytes_max);
	reader_duration(r, o, "time", &hold->time_ms);
	reader_u32(r, o, "pace_per_s", &hold->pace_per_s);
}

static void read_queue(struct table_reader *r, const json_t *from, struct table_queue *queue)
{
	static const char *const keys[] = {"connections", "requests", "time", "first", NULL};
	const json_t *o = reader_object(r, from, "queue", keys);
	reader_u32(r, o, "connections", &queue->connections_max);
	reader_u32(r, o, "requests", &queue->requests_max);
	reader_duration(r, o, "time", &queue->time_ms);
	const json_t *paths = reader_array(r, o, "first", false);
	if (json_array_size(paths) > TABLE_QUEUE_FIRST_MAX) {
		reader_refuse(r, "queue.first", "There may be at most %d paths.",
			      TABLE_QUEUE_FIRST_MAX);
		return;
	}
	queue->first_count = (uint32_t)json_array_size(paths);
	for (uint32_t i = 0; i < queue->first_count; i++) {
		const char *path = json_string_value(json_array_get(paths, i));
		if (!path || !text_copy(queue->first[i], sizeof(queue->first[i]), path))
			reader_refuse(r, "queue.first", "A path must be a text of up to %d bytes.",
				      TABLE_PATH_SIZE - 1);
	}
}

static void read_sticky(struct table_reader *r, const json_t *from, struct table_sticky *sticky)
{
	static const char *const keys[] = {"cookie", "header", "salt", "key", NULL};
	const json_t *o = reader_object(r, from, "sticky", keys);
	if (!o)
		return;
	sticky->on = true;
	reader_text(r, o, "cookie", false, sticky->cookie, sizeof(sticky->cookie));
	reader_text(r, o, "header", false, sticky->header, sizeof(sticky->header));
	reader_hex(r, o, "salt", sticky->salt, sizeof(sticky->salt));
	reader_hex(r, o, "key", sticky->key, sizeof(sticky->key));
}

static void read_timeouts(struct table_reader *r, const json_t *from,
			  struct table_timeouts *timeouts)
{
	static const char *const keys[] = {"connect",     "answer",       "idle",
					   "tunnel_idle", "tunnel_drain", NULL};
	const json_t *o = reader_object(r, from, "timeouts", keys);
	reader_duration(r, o, "connect", &timeouts->connect_ms);
	reader_duration(r, o, "answer", &timeouts->answer_ms);
	reader_duration(r, o, "idle", &timeouts->idle_ms);
	reader_duration(r, o, "tunnel_idle", &timeouts->tunnel_idle_ms);
	reader_duration(r, o, "tunnel_drain", &timeouts->tunnel_drain_ms);
}

static void read_unnamed(struct table_reader *r, const json_t *from, struct table_tls *tls)
{
	static const char *const names[] = {"first", "shown", "never"};
	const char *text = reader_string(r, from, "unnamed", false);
	for (int i = 0; text && i < TABLE_TLS_UNNAMED_COUNT; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		tls->unnamed = (enum table_tls_unnamed)i;
		return;
	}
	if (text)
		reader_refuse(r, "tls.unnamed",
			      "\"%s\" is none of \"first\", \"shown\", \"never\".", text);
}

static void read_tls(struct table_reader *r, const json_t *from, struct table_tls *tls)
{
	static const char *const keys[] = {"certificate", "key",     "hsts", "challenges",
					   "redirect",    "unnamed", NULL};
	const json_t *o = reader_object(r, from, "tls", keys);
	uint64_t ms = 0;
	if (!o)
		return;
	reader_text(r, o, "certificate", true, tls->certificate, sizeof(tls->certificate));
	reader_text(r, o, "key", true, tls->key, sizeof(tls->key));
	reader_text(r, o, "challenges", false, tls->challenges, sizeof(tls->challenges));
	read_unnamed(r, o, tls);
	const char *redirect = reader_string(r, o, "redirect", false);
	if (redirect)
		tls->redirect = reader_listener(r, "tls.redirect", redirect);
	const char *hsts = reader_string(r, o, "hsts", false);
	if (hsts && !text_parse_duration(hsts, &ms))
		reader_refuse(r, "tls.hsts", "\"%s\" is not a duration such as \"180d\".", hsts);
	tls->hsts_s = (uint32_t)(ms / 1000);
}

/* true, or the form. */
static void read_log(struct table_reader *r, const json_t *from, enum table_log *to)
{
	static const char key[] = "access_log";
	const json_t *value = json_object_get(from, key);
	const char *text = json_string_value(value);
	if (!value)
		return;
	if (json_is_boolean(value))
		*to = json_is_true(value) ? TABLE_LOG_TEXT : TABLE_LOG_NONE;
	else if (text && strcmp(text, "json") == 0)
		*to = TABLE_LOG_JSON;
	else if (text && strcmp(text, "text") == 0)
		*to = TABLE_LOG_TEXT;
	else
		reader_refuse(r, key, "This must be true, false, \"text\" or \"json\".");
}

static void read_proxies(struct table_reader *r, const json_t *from, struct table_environment *e)
{
	const json_t *list = reader_array(r, from, "proxies", false);
	for (size_t i = 0; i < json_array_size(list) && !r->failed; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (e->proxy_count == TABLE_PROXIES_MAX || !text ||
		    !text_copy(e->proxies[e->proxy_count++], TABLE_NAME_SIZE, text))
			reader_refuse(r, "proxies",
				      "These are up to %d networks such as \"10.0.0.0/8\".",
				      TABLE_PROXIES_MAX);
	}
}

static void read_rule(struct table_reader *r, struct table_environment *e, bool answer,
		      const char *name, const char *value)
{
	struct gateway_table *t = r->table;
	if (e->rule_count == TABLE_ENVIRONMENT_RULES_MAX || t->rule_count == TABLE_RULES_MAX) {
		reader_refuse(r, "headers", "An environment has at most %d rules, a table %d.",
			      TABLE_ENVIRONMENT_RULES_MAX, TABLE_RULES_MAX);
		return;
	}
	struct table_rule *rule = &t->rules[t->rule_count++];
	e->rule_count++;
	rule->answer = answer;
	if (!name || !value || !text_copy(rule->name, sizeof(rule->name), name) ||
	    !text_copy(rule->value, sizeof(rule->value), value))
		reader_refuse(r, "headers",
			      "A rule is the name of a field and, to set it, a text of at most %d "
			      "bytes.",
			      TABLE_VALUE_SIZE - 1);
}

static void read_way(struct table_reader *r, const json_t *headers, const char *key,
		     struct table_environment *e)
{
	static const char *const keys[] = {"set", "remove", NULL};
	bool answer = strcmp(key, "response") == 0;
	const json_t *o = headers ? reader_object(r, headers, key, keys) : NULL;
	const json_t *set = json_object_get(o, "set");
	const json_t *gone = o ? reader_array(r, o, "remove", false) : NULL;
	const char *name;
	json_t *value;
	if (set && !json_is_object(set))
		reader_refuse(r, "headers", "\"set\" must be an object of names and texts.");
	json_object_foreach((json_t *)set, name, value)
	{
		const char *text = json_string_value(value);
		if (!r->failed)
			read_rule(r, e, answer, name, text && *text ? text : NULL);
	}
	for (size_t i = 0; i < json_array_size(gone) && !r->failed; i++)
		read_rule(r, e, answer, json_string_value(json_array_get(gone, i)), "");
}

static void read_headers(struct table_reader *r, const json_t *from, struct table_environment *e)
{
	static const char *const keys[] = {"request", "response", NULL};
	const json_t *o = reader_object(r, from, "headers", keys);
	e->first_rule = (uint16_t)r->table->rule_count;
	read_way(r, o, keys[0], e);
	read_way(r, o, keys[1], e);
}

void table_options_read(struct table_reader *r, const json_t *from, struct table_environment *e)
{
	read_mode(r, from, e);
	reader_bool(r, from, "read_only", &e->read_only);
	reader_bool(r, from, "retry", &e->retry);
	reader_bool(r, from, "shield", &e->shield);
	bool http2 = !e->http1_only;
	reader_bool(r, from, "http2", &http2);
	e->http1_only = !http2;
	reader_bool(r, from, "tcp", &e->tcp);
	reader_bool(r, from, "proxy_v2", &e->proxy_v2);
	read_proxies(r, from, e);
	reader_duration(r, from, "slow_start", &e->slow_start_ms);
	read_log(r, from, &e->log);
	reader_size(r, from, "body_max", &e->body_max_bytes);
	read_hold(r, from, &e->hold);
	read_queue(r, from, &e->queue);
	read_sticky(r, from, &e->sticky);
	reader_text(r, from, "maintenance_page", false, e->maintenance_page,
		    sizeof(e->maintenance_page));
	reader_hex(r, from, "preview_key", e->preview_key, sizeof(e->preview_key));
	read_timeouts(r, from, &e->timeouts);
	read_tls(r, from, &e->tls);
	read_headers(r, from, e);
}
