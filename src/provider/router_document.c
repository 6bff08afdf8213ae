/* SPDX-License-Identifier: Apache-2.0
 * router_document - see router_document.h for the contract. Texts are compared up to their end: what lies behind it is
 * not part of a document. */
#include "provider/router_document.h"

#include <string.h>

void router_document_init(struct router_document *document)
{
	memset(document, 0, sizeof *document);
	document->live = ROUTER_NONE;
	document->mirror.release = ROUTER_NONE;
	document->cohort.release = ROUTER_NONE;
	document->mirror.methods = ROUTER_METHOD_GET | ROUTER_METHOD_HEAD | ROUTER_METHOD_OPTIONS;
	document->mirror.in_flight_max = 64;
	document->mirror.body_max = 64 << 10;
	document->hold = (struct router_hold){.requests_max = 10000,
					      .bytes_max = 64u << 20,
					      .time_ms = 30000,
					      .pace_per_s = 1000};
	document->queue = (struct router_queue){.requests_max = 100, .time_ms = 5000};
	document->timeouts = (struct router_timeouts){.connect_ms = 2000,
						      .answer_ms = 60000,
						      .idle_ms = 60000,
						      .tunnel_idle_ms = 3600000,
						      .tunnel_drain_ms = 10000};
	document->retry = true;
}

static bool same_release(const struct router_release *a, const struct router_release *b)
{
	return digest_equal(&a->id, &b->id) && strcmp(a->tag, b->tag) == 0 &&
	       strcmp(a->preview, b->preview) == 0 && a->weight_bp == b->weight_bp;
}

static bool same_route(const struct router_route *a, const struct router_route *b)
{
	return strcmp(a->host, b->host) == 0 && strcmp(a->path, b->path) == 0 &&
	       strcmp(a->process, b->process) == 0;
}

static bool same_class(const struct router_class *a, const struct router_class *b)
{
	if (strcmp(a->name, b->name) != 0 || a->path_count != b->path_count)
		return false;
	for (uint32_t i = 0; i < a->path_count; i++)
		if (strcmp(a->paths[i], b->paths[i]) != 0)
			return false;
	return true;
}

static bool same_rule(const struct router_rule *a, const struct router_rule *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->value, b->value) == 0 &&
	       a->answer == b->answer;
}

static bool same_mirror(const struct router_mirror *a, const struct router_mirror *b)
{
	if (a->header_count != b->header_count)
		return false;
	for (uint32_t i = 0; i < a->header_count; i++)
		if (strcmp(a->headers[i], b->headers[i]) != 0)
			return false;
	return a->release == b->release && a->share_bp == b->share_bp && a->methods == b->methods &&
	       a->in_flight_max == b->in_flight_max && a->noise_bp == b->noise_bp &&
	       a->body_max == b->body_max && memcmp(a->salt, b->salt, sizeof a->salt) == 0;
}

static bool same_cohort_rule(const struct router_cohort_rule *a, const struct router_cohort_rule *b)
{
	if (a->kind != b->kind || strcmp(a->name, b->name) != 0 || a->value_count != b->value_count)
		return false;
	for (uint32_t i = 0; i < a->value_count; i++)
		if (strcmp(a->values[i], b->values[i]) != 0)
			return false;
	return true;
}

static bool same_cohort(const struct router_cohort *a, const struct router_cohort *b)
{
	if (a->release != b->release || a->only != b->only || a->rule_count != b->rule_count)
		return false;
	for (uint32_t i = 0; i < a->rule_count; i++)
		if (!same_cohort_rule(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}

static bool same_sticky(const struct router_sticky *a, const struct router_sticky *b)
{
	return a->on == b->on && strcmp(a->cookie, b->cookie) == 0 &&
	       strcmp(a->header, b->header) == 0 && memcmp(a->salt, b->salt, sizeof a->salt) == 0 &&
	       memcmp(a->key, b->key, sizeof a->key) == 0;
}

static bool same_queue(const struct router_queue *a, const struct router_queue *b)
{
	if (a->first_count != b->first_count)
		return false;
	for (uint32_t i = 0; i < a->first_count; i++)
		if (strcmp(a->first[i], b->first[i]) != 0)
			return false;
	return a->connections_max == b->connections_max && a->requests_max == b->requests_max &&
	       a->time_ms == b->time_ms;
}

static bool same_tls(const struct router_tls *a, const struct router_tls *b)
{
	return strcmp(a->certificate, b->certificate) == 0 && strcmp(a->key, b->key) == 0 &&
	       strcmp(a->challenges, b->challenges) == 0 && strcmp(a->redirect, b->redirect) == 0 &&
	       a->unnamed == b->unnamed && a->hsts_s == b->hsts_s;
}

static bool same_proxies(const struct router_document *a, const struct router_document *b)
{
	if (a->proxy_count != b->proxy_count)
		return false;
	for (uint32_t i = 0; i < a->proxy_count; i++)
		if (strcmp(a->proxies[i], b->proxies[i]) != 0)
			return false;
	return true;
}

static bool same_settings(const struct router_document *a, const struct router_document *b)
{
	return strcmp(a->maintenance_page, b->maintenance_page) == 0 &&
	       a->hold.requests_max == b->hold.requests_max &&
	       a->hold.bytes_max == b->hold.bytes_max && a->hold.time_ms == b->hold.time_ms &&
	       a->hold.pace_per_s == b->hold.pace_per_s &&
	       a->timeouts.connect_ms == b->timeouts.connect_ms &&
	       a->timeouts.answer_ms == b->timeouts.answer_ms &&
	       a->timeouts.idle_ms == b->timeouts.idle_ms &&
	       a->timeouts.tunnel_idle_ms == b->timeouts.tunnel_idle_ms &&
	       a->timeouts.tunnel_drain_ms == b->timeouts.tunnel_drain_ms && a->retry == b->retry &&
	       a->http1_only == b->http1_only && a->tcp == b->tcp && a->proxy_v2 == b->proxy_v2 &&
	       a->shield == b->shield && a->slow_start_ms == b->slow_start_ms && a->log == b->log &&
	       a->body_max_bytes == b->body_max_bytes;
}

bool router_document_equal(const struct router_document *a, const struct router_document *b)
{
	if (strcmp(a->app, b->app) != 0 || strcmp(a->environment, b->environment) != 0 ||
	    router_version_compare(a->version, b->version) != 0 ||
	    strcmp(a->listener, b->listener) != 0 || a->mode != b->mode ||
	    a->read_only != b->read_only || a->live != b->live ||
	    a->release_count != b->release_count || a->route_count != b->route_count ||
	    a->class_count != b->class_count || a->rule_count != b->rule_count)
		return false;
	for (uint32_t i = 0; i < a->release_count; i++)
		if (!same_release(&a->releases[i], &b->releases[i]))
			return false;
	for (uint32_t i = 0; i < a->route_count; i++)
		if (!same_route(&a->routes[i], &b->routes[i]))
			return false;
	for (uint32_t i = 0; i < a->class_count; i++)
		if (!same_class(&a->classes[i], &b->classes[i]))
			return false;
	for (uint32_t i = 0; i < a->rule_count; i++)
		if (!same_rule(&a->rules[i], &b->rules[i]))
			return false;
	return same_proxies(a, b) && same_queue(&a->queue, &b->queue) &&
	       same_mirror(&a->mirror, &b->mirror) && same_cohort(&a->cohort, &b->cohort) &&
	       memcmp(a->preview_key, b->preview_key, sizeof a->preview_key) == 0 &&
	       same_sticky(&a->sticky, &b->sticky) && same_tls(&a->tls, &b->tls) &&
	       same_settings(a, b);
}
