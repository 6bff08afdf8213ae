/* SPDX-License-Identifier: Apache-2.0
 * metrics - see metrics.h for the contract. */
#include "control/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/histogram.h"
#include "base/text.h"
#include "control/environment.h"

enum { ROWS_MAX = CONTROL_ENVIRONMENT_MAX * ROUTER_RELEASES_MAX };

static const uint32_t bounds_us[METRICS_BUCKETS] = {1000,    2500,    5000,     10000,   25000,
						    50000,   100000,  250000,   500000,  1000000,
						    2500000, 5000000, 10000000, 30000000};

/* A release in an environment. */
struct row {
	const struct environment *environment;
	const char *tag;
	char id[13]; /* its beginning: a release that was restarted has the tag of the one before */
	uint32_t weight_bp;
	struct router_counters *counters;
};

struct page {
	struct buf *to;
	struct control *control;
	uint32_t count;
	struct row *rows;
};

/* --- words */

static void put_value(struct buf *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			buf_printf(to, "\\%c", *text);
		else if (*text == '\n')
			buf_puts(to, "\\n");
		else
			buf_append(to, text, 1);
	}
}

static void put_label(struct buf *to, const char *name, const char *value, const char *before)
{
	buf_printf(to, "%s%s=\"", before, name);
	put_value(to, value);
	buf_puts(to, "\"");
}

static void family(const struct page *p, const char *name, const char *type, const char *help)
{
	buf_printf(p->to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_place(const struct page *p, const char *name, const struct environment *e)
{
	buf_puts(p->to, name);
	put_label(p->to, "app", e->app, "{");
	put_label(p->to, "environment", e->name, ",");
}

static void put_release(const struct page *p, const char *name, const struct row *r)
{
	put_place(p, name, r->environment);
	put_label(p->to, "release", r->tag, ",");
	put_label(p->to, "id", r->id, ",");
}

static void end_with(const struct page *p, uint64_t value)
{
	buf_printf(p->to, "} %" PRIu64 "\n", value);
}

/* --- which releases there are */

static const char *tag_of(const struct environment *e, const struct digest *id)
{
	for (uint8_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
		if (memcmp(e->releases[i].id.bytes, id->bytes, sizeof id->bytes) == 0)
			return e->releases[i].tag;
	return "";
}

static void gather(struct page *p)
{
	struct router *router = p->control->parts.router;
	struct router_counters *counters = mem_new(sizeof *counters);
	struct error ignored;
	for (uint32_t i = 0; i < p->control->environment_count; i++) {
		const struct environment *e = p->control->environments[i];
		for (uint32_t k = 0; e->seen_valid && k < e->seen->release_count; k++) {
			const struct digest *id = &e->seen->releases[k].id;
			if (p->count == ROWS_MAX ||
			    router->ops->counters(router, e->app, e->name, id, counters, &ignored) <
				    0)
				continue;
			struct row *row = &p->rows[p->count++];
			*row = (struct row){.environment = e,
					    .tag = tag_of(e, id),
					    .weight_bp = e->seen->releases[k].weight_bp,
					    .counters = counters};
			char hex[DIGEST_HEX_SIZE];
			text_copy(row->id, sizeof row->id, digest_format(id, hex));
			counters = mem_new(sizeof *counters);
		}
	}
	free(counters);
}

/* --- releases */

static void put_histogram(const struct page *p, const struct row *r)
{
	const uint64_t *counts = r->counters->first_us;
	uint64_t seen = 0;
	double sum = 0;
	uint32_t index = 0;
	for (uint32_t b = 0; b < METRICS_BUCKETS; b++) {
		while (index < HISTOGRAM_BUCKETS && histogram_upper_us(index) <= bounds_us[b]) {
			double low = index ? (double)histogram_upper_us(index - 1) : 0;
			sum += (double)counts[index] * (low + (double)histogram_upper_us(index)) /
			       2e6;
			seen += counts[index++];
		}
		put_release(p, "davit_release_response_seconds_bucket", r);
		buf_printf(p->to, ",le=\"%g\"", bounds_us[b] / 1e6);
		end_with(p, seen);
	}
	for (; index < HISTOGRAM_BUCKETS; index++) {
		sum += (double)counts[index] * (double)histogram_upper_us(index) / 1e6;
		seen += counts[index];
	}
	put_release(p, "davit_release_response_seconds_bucket", r);
	buf_puts(p->to, ",le=\"+Inf\"");
	end_with(p, seen);
	put_release(p, "davit_release_response_seconds_sum", r);
	buf_printf(p->to, "} %.6f\n", sum);
	put_release(p, "davit_release_response_seconds_count", r);
	end_with(p, seen);
}

/* Where each number of a release is, and what it is called; rows of a family lie together. */
static const struct number {
	const char *name, *label, *value, *help; /* help: at the first of a family */
	size_t at;
} numbers[] = {
#define AT(field) offsetof(struct router_counters, field)
	{"davit_release_requests_total", NULL, NULL, "Requests given to the release.", AT(started)},
	{"davit_release_responses_total", "code", "1xx",
	 "Answers of the release, by class of status.", AT(status_1xx)},
	{"davit_release_responses_total", "code", "2xx", NULL, AT(status_2xx)},
	{"davit_release_responses_total", "code", "3xx", NULL, AT(status_3xx)},
	{"davit_release_responses_total", "code", "4xx", NULL, AT(status_4xx)},
	{"davit_release_responses_total", "code", "5xx", NULL, AT(status_5xx)},
	{"davit_release_failures_total", "reason", "connect",
	 "Requests that the release did not answer, by reason.", AT(failed_connect)},
	{"davit_release_failures_total", "reason", "reset", NULL, AT(failed_reset)},
	{"davit_release_failures_total", "reason", "timeout", NULL, AT(failed_timeout)},
	{"davit_release_failures_total", "reason", "answer", NULL, AT(failed_answer)},
	{"davit_release_failures_total", "reason", "no_backend", NULL, AT(no_backend)},
	{"davit_release_failures_total", "reason", "queue_full", NULL, AT(queue_full)},
	{"davit_release_failures_total", "reason", "queue_timeout", NULL, AT(queue_timeout)},
	{"davit_release_queued_total", NULL, NULL,
	 "Requests that waited for a connection to the release.", AT(queued)},
	{"davit_release_queue_gone_total", NULL, NULL, "Of those: the client left.",
	 AT(queue_gone)},
	{"davit_release_cancelled_total", NULL, NULL, "Requests whose client went away first.",
	 AT(cancelled)},
	{"davit_release_lost_total", NULL, NULL, "Requests in flight in a worker that died.",
	 AT(lost)},
	{"davit_release_retries_total", NULL, NULL, "Requests that were sent once more.",
	 AT(retries)},
	{"davit_release_taken_over_total", "reason", "no_answer",
	 "Errors of the release that the live one made good before the user saw them.",
	 AT(rescued)},
	{"davit_release_taken_over_total", "reason", "5xx", NULL, AT(shielded)},
	{"davit_release_tunnels_total", NULL, NULL, "Requests that became tunnels, as WebSockets.",
	 AT(upgraded)},
	{"davit_release_shadow_requests_total", NULL, NULL,
	 "Copies that the release got as a mirror.", AT(shadow_sent)},
	{"davit_release_shadow_dropped_total", NULL, NULL,
	 "Copies that were not made or given up: over a bound, or never whole.",
	 AT(shadow_dropped)},
#undef AT
};

static void put_releases(const struct page *p)
{
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		const struct number *n = &numbers[i];
		if (n->help)
			family(p, n->name, "counter", n->help);
		for (uint32_t k = 0; k < p->count; k++) {
			put_release(p, n->name, &p->rows[k]);
			if (n->label)
				put_label(p->to, n->label, n->value, ",");
			end_with(p, *(const uint64_t *)((const char *)p->rows[k].counters + n->at));
		}
	}
	family(p, "davit_release_in_flight", "gauge", "Requests in the release now.");
	for (uint32_t k = 0; k < p->count; k++) {
		const struct router_counters *c = p->rows[k].counters;
		uint64_t over = c->completed + c->lost;
		put_release(p, "davit_release_in_flight", &p->rows[k]);
		end_with(p, c->started > over ? c->started - over : 0);
	}
	family(p, "davit_release_weight_ratio", "gauge",
	       "Share of the requests that the release gets.");
	for (uint32_t k = 0; k < p->count; k++) {
		put_release(p, "davit_release_weight_ratio", &p->rows[k]);
		buf_printf(p->to, "} %g\n", p->rows[k].weight_bp / 10000.0);
	}
	family(p, "davit_release_response_seconds", "histogram",
	       "From a request to the head of its answer.");
	for (uint32_t k = 0; k < p->count; k++)
		put_histogram(p, &p->rows[k]);
}

/* --- environments */

static const struct {
	const char *name, *help;
	size_t at;
} places[] = {
#define AT(field) offsetof(struct router_environment_counters, field)
	{"davit_environment_requests_total", "Requests for the environment.", AT(requests)},
	{"davit_environment_held_total", "Requests that had to wait for a release.", AT(held)},
	{"davit_environment_held_released_total", "Of those: waited, and went to a release.",
	 AT(held_released)},
	{"davit_environment_held_timeout_total", "Of those: waited too long, 503.",
	 AT(held_timeout)},
	{"davit_environment_held_gone_total", "Of those: the client left.", AT(held_gone)},
	{"davit_environment_hold_overflow_total", "Requests that had no room to wait, 503.",
	 AT(hold_overflow)},
	{"davit_environment_maintenance_total",
	 "Requests answered 503 by maintenance or because only reading is allowed.",
	 AT(maintenance)},
	{"davit_environment_unrouted_total", "Requests that no release has a process for.",
	 AT(unrouted)},
#undef AT
};

static void put_environments(const struct page *p)
{
	struct router *router = p->control->parts.router;
	uint32_t count = p->control->environment_count;
	struct router_environment_counters *all = mem_zero(count + 1, sizeof *all);
	bool *there = mem_zero(count + 1, sizeof *there);
	struct error ignored;
	for (uint32_t i = 0; i < count; i++) {
		const struct environment *e = p->control->environments[i];
		there[i] = router->ops->environment_counters(router, e->app, e->name, &all[i],
							     &ignored) == 0;
	}
	for (size_t n = 0; n < sizeof places / sizeof places[0]; n++) {
		family(p, places[n].name, "counter", places[n].help);
		for (uint32_t i = 0; i < count; i++) {
			if (!there[i])
				continue;
			put_place(p, places[n].name, p->control->environments[i]);
			end_with(p, *(const uint64_t *)((const char *)&all[i] + places[n].at));
		}
	}
	free(all);
	free(there);
}

/* --- the gateway */

static const struct {
	const char *name, *type, *help;
	size_t at;
} wholes[] = {
#define AT(field) offsetof(struct router_totals, field)
	{"davit_gateway_connections", "gauge", "Connections of clients now.", AT(connections)},
	{"davit_gateway_accepted_total", "counter", "Connections accepted.", AT(accepted)},
	{"davit_gateway_closed_total", "counter", "Connections closed.", AT(closed)},
	{"davit_gateway_refused_total", "counter", "Connections over a limit.", AT(refused)},
	{"davit_gateway_bad_requests_total", "counter", "Requests that are not HTTP as it must be.",
	 AT(bad_requests)},
	{"davit_gateway_no_route_total", "counter", "Requests for no environment, 404.",
	 AT(no_route)},
	{"davit_gateway_slow_clients_total", "counter", "Requests given up for their pace.",
	 AT(slow_clients)},
	{"davit_gateway_log_dropped_total", "counter", "Lines that the access log did not take.",
	 AT(log_dropped)},
	{"davit_gateway_tls_handshakes_total", "counter", "TLS handshakes completed.",
	 AT(tls_handshakes)},
	{"davit_gateway_tls_resumed_total", "counter", "Of those: with a ticket.", AT(tls_resumed)},
	{"davit_gateway_tls_failed_total", "counter", "TLS handshakes that failed.",
	 AT(tls_failed)},
#undef AT
};

static void put_gateway(const struct page *p)
{
	struct router *router = p->control->parts.router;
	struct router_totals totals;
	struct error ignored;
	bool up = router->ops->totals && router->ops->totals(router, &totals, &ignored) == 0;
	family(p, "davit_gateway_up", "gauge", "Whether the gateway can be asked.");
	buf_printf(p->to, "davit_gateway_up %d\n", up);
	for (size_t i = 0; up && i < sizeof wholes / sizeof wholes[0]; i++) {
		family(p, wholes[i].name, wholes[i].type, wholes[i].help);
		buf_printf(p->to, "%s %" PRIu64 "\n", wholes[i].name,
			   *(const uint64_t *)((const char *)&totals + wholes[i].at));
	}
}

void control_metrics(struct control *c, struct buf *to)
{
	struct page page = {.to = to, .control = c, .rows = mem_zero(ROWS_MAX, sizeof(struct row))};
	gather(&page);
	put_gateway(&page);
	put_environments(&page);
	put_releases(&page);
	for (uint32_t i = 0; i < page.count; i++)
		free(page.rows[i].counters);
	free(page.rows);
}
