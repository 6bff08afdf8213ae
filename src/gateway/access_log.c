/* SPDX-License-Identifier: Apache-2.0
 *
 * access_log - see access_log.h for the contract.
 */
#include "gateway/access_log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/account.h"
#include "gateway/loop.h"
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

static bool wanted(const struct exchange *x)
{
	return x->route && x->route->environment->access_log;
}

void access_log_note(struct exchange *x)
{
	const char *data = x->request.buffer->data;
	snprintf(x->log_target, sizeof(x->log_target), "%.*s %.*s", (int)x->head.method_text.size,
		 data + x->head.method_text.at, (int)x->head.target.size, data + x->head.target.at);
}

void access_log_write(struct worker *w, const struct exchange *x)
{
	char time[64], target[4 * LOG_TARGET_SIZE], tag[4 * TABLE_NAME_SIZE],
		id[4 * REQUEST_ID_SIZE];
	if (w->log_fd < 0 || !wanted(x))
		return;
	if (w->log_size + ACCESS_LOG_LINE_MAX > LOG_BUFFER_SIZE)
		access_log_flush(w);
	const struct table_environment *e = x->route->environment;
	const char *noted = x->log_target;
	size_t method = strcspn(noted, " ");
	text_escape(noted + method + 1, strlen(noted + method + 1), target, sizeof(target));
	text_escape(x->release ? x->release->tag : "", x->release ? strlen(x->release->tag) : 0,
		    tag, sizeof(tag));
	text_escape(x->request_id, strlen(x->request_id), id, sizeof(id));
	int size = snprintf(
		w->log + w->log_size, ACCESS_LOG_LINE_MAX,
		"time=%s env=%s/%s client=%s method=%.*s target=\"%s\" status=%u in=%llu out=%llu "
		"us=%llu release=\"%s\" instance=%s tries=%u held=%d tls=%s id=\"%s\"",
		text_format_time(clock_wall_ms(), time, sizeof(time)), e->app, e->name,
		x->client->address, (int)method, noted, target, x->status,
		(unsigned long long)x->request.body_bytes,
		(unsigned long long)x->response.body_bytes,
		(unsigned long long)(worker_now_us() - x->taken_us), tag,
		x->instance ? x->instance : "-", 1u + x->tries, x->was_held, tls_version(x->client),
		id);
	if (size >= ACCESS_LOG_LINE_MAX - 1)
		size = ACCESS_LOG_LINE_MAX - 2;
	w->log_size += (uint32_t)size;
	w->log[w->log_size++] = '\n';
	if (!timer_runs(&w->log_timer))
		timer_set(&w->wheel, &w->log_timer, w->now_ms + ACCESS_LOG_MS);
}
