/* SPDX-License-Identifier: Apache-2.0
 *
 * access_log - see access_log.h for the contract.
 */
#include "gateway/access_log.h"
#include "gateway/client.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/account.h"
#include "gateway/loop.h"
#include "gateway/preview_link.h"
#include "gateway/tls.h"
#include "os/clock.h"

static void log_timer(struct worker *w, struct timer *timer)
{
	(void)timer;
	access_log_flush(w);
}

void access_log_init(struct worker *w, int fd)
{
	w->log_fd = fd;
	w->log_timer.fire = log_timer;
}

void access_log_flush(struct worker *w)
{
	if (w->log_size == 0)
		return;
	ssize_t put = write(w->log_fd, w->log, w->log_size);
	if (put != (ssize_t)w->log_size) {
		/* Part of a line would spoil the next one: what did not fit is lost, and counted. */
		uint32_t from = put > 0 ? (uint32_t)put : 0;
		for (uint32_t i = from; i < w->log_size; i++)
			if (w->log[i] == '\n')
				account_worker(w, COUNTERS_WORKER_LOG_DROPPED);
		if (put > 0 && write(w->log_fd, "\n", 1) != 1)
			account_worker(w, COUNTERS_WORKER_LOG_DROPPED);
	}
	w->log_size = 0;
}

void access_log_note(struct exchange *x)
{
	const char *data = x->request.buffer->data;
	/* A link's query is a token. */
	const struct http1_span *target = preview_link_asked(x) ? &x->head.path : &x->head.target;
	snprintf(x->log_target, sizeof(x->log_target), "%.*s %.*s", (int)x->head.method_text.size,
		 data + x->head.method_text.at, (int)target->size, data + target->at);
}

void access_log_note_connection(struct exchange *x)
{
	snprintf(x->log_target, sizeof(x->log_target), "TCP %s", x->client->listener->address);
}

/* --- the forms of a line; each returns its size, without the newline */

static size_t write_text(const struct exchange *x, uint64_t total_us, char *to)
{
	char time[64], target[4 * LOG_TARGET_SIZE], tag[4 * TABLE_NAME_SIZE],
		id[4 * REQUEST_ID_SIZE];
	const struct table_environment *e = x->route->environment;
	const char *noted = x->log_target;
	size_t method = strcspn(noted, " ");
	text_escape(noted + method + 1, strlen(noted + method + 1), target, sizeof(target));
	text_escape(x->release ? x->release->tag : "", x->release ? strlen(x->release->tag) : 0,
		    tag, sizeof(tag));
	text_escape(x->request_id, strlen(x->request_id), id, sizeof(id));
	int size = snprintf(
		to, ACCESS_LOG_LINE_MAX,
		"time=%s env=%s/%s client=%s method=%.*s target=\"%s\" status=%u in=%llu out=%llu "
		"us=%llu release=\"%s\" instance=%s tries=%u held=%d tls=%s trace=%s id=\"%s\"",
		text_format_time(clock_wall_ms(), time, sizeof(time)), e->app, e->name,
		x->client->address, (int)method, noted, target, x->status,
		(unsigned long long)x->request.body_bytes,
		(unsigned long long)x->response.body_bytes, (unsigned long long)total_us, tag,
		x->instance ? x->instance : "-", 1u + x->tries, x->was_held || x->was_queued,
		tls_version(client_connection(x->client)), x->trace.trace, id);
	return (size_t)size;
}

/* Each byte of a text may become six; the rest is names of members and numbers. */
_Static_assert(6 * (4 * TABLE_NAME_SIZE + LOG_TARGET_SIZE + REQUEST_ID_SIZE + INET6_ADDRSTRLEN) +
			       1024 <
		       ACCESS_LOG_LINE_MAX,
	       "an object fits into a line");

/* A line that is being written; there is room for all that one can have. */
struct object {
	char *at;
	char next; /* '{', then ',' */
};

static void put(struct object *o, const char *text, size_t size)
{
	memcpy(o->at, text, size);
	o->at += size;
}

static void name(struct object *o, const char *text)
{
	*o->at++ = o->next;
	o->next = ',';
	*o->at++ = '"';
	put(o, text, strlen(text));
	put(o, "\":", 2);
}

static void put_text(struct object *o, const char *key, const char *text, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	name(o, key);
	*o->at++ = '"';
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
			*o->at++ = (char)c;
			continue;
		}
		put(o, "\\u00", 4);
		*o->at++ = digits[c >> 4];
		*o->at++ = digits[c & 15];
	}
	*o->at++ = '"';
}

static void put_string(struct object *o, const char *key, const char *text)
{
	put_text(o, key, text, strlen(text));
}

static void put_number(struct object *o, const char *key, uint64_t value)
{
	char text[24];
	name(o, key);
	put(o, text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)value));
}

static void put_flag(struct object *o, const char *key, bool value)
{
	name(o, key);
	put(o, value ? "true" : "false", value ? 4 : 5);
}

static size_t write_json(const struct exchange *x, uint64_t total_us, char *to)
{
	struct object o = {.at = to, .next = '{'};
	const struct table_environment *e = x->route->environment;
	const char *noted = x->log_target;
	size_t method = strcspn(noted, " ");
	char time[64];
	put_string(&o, "time", text_format_time(clock_wall_ms(), time, sizeof(time)));
	put_string(&o, "app", e->app);
	put_string(&o, "environment", e->name);
	put_string(&o, "client", x->client->address);
	put_text(&o, "method", noted, method);
	put_string(&o, "target", noted + method + 1);
	put_number(&o, "status", x->status);
	put_number(&o, "bytes_in", x->request.body_bytes);
	put_number(&o, "bytes_out", x->response.body_bytes);
	put_number(&o, "total_us", total_us);
	put_number(&o, "first_us", x->first_us);
	put_string(&o, "release", x->release ? x->release->tag : "");
	put_string(&o, "instance", x->instance ? x->instance : "");
	put_number(&o, "tries", 1u + x->tries);
	put_flag(&o, "held", x->was_held || x->was_queued);
	put_flag(&o, "taken_over", x->taken_over);
	put_string(&o, "tls", tls_version(client_connection(x->client)));
	put_string(&o, "trace", x->trace.trace);
	put_string(&o, "span", x->trace.parent);
	put_string(&o, "id", x->request_id);
	*o.at++ = '}';
	return (size_t)(o.at - to);
}

void access_log_write(struct worker *w, const struct exchange *x)
{
	enum table_log form = x->route ? x->route->environment->log : TABLE_LOG_NONE;
	if (w->log_fd < 0 || form == TABLE_LOG_NONE)
		return;
	if (w->log_size + ACCESS_LOG_LINE_MAX > LOG_BUFFER_SIZE)
		access_log_flush(w);
	char *to = w->log + w->log_size;
	uint64_t total_us = worker_now_us() - x->taken_us;
	size_t size =
		form == TABLE_LOG_JSON ? write_json(x, total_us, to) : write_text(x, total_us, to);
	if (size >= ACCESS_LOG_LINE_MAX - 1)
		size = ACCESS_LOG_LINE_MAX - 2;
	w->log_size += (uint32_t)size;
	w->log[w->log_size++] = '\n';
	if (!timer_runs(&w->log_timer))
		timer_set(&w->wheel, &w->log_timer, w->now_ms + ACCESS_LOG_MS);
}
