/* SPDX-License-Identifier: Apache-2.0
 *
 * tally - see tally.h for the contract.
 */
#include "tally.h"

#include <inttypes.h>
#include <string.h>

static const struct {
	const char *name;
	char blame;
} outcomes[] = {
#define X(name, text, blame) {text, blame},
	OUTCOMES(X)
#undef X
};

static const char *const kinds[] = {
#define X(name, text) text,
	REQUEST_KINDS(X)
#undef X
};

const char *outcome_name(enum outcome outcome)
{
	return outcomes[outcome].name;
}

const char *request_kind_name(enum request_kind kind)
{
	return kinds[kind];
}

/* Below 64 a bucket is one microsecond; above, each octave has 32. */
static size_t bucket_of(uint64_t us)
{
	if (us < 64)
		return (size_t)us;
	unsigned shift = 58u - (unsigned)__builtin_clzll(us);
	size_t index = shift * 32u + (size_t)(us >> shift);
	return index < TALLY_BUCKETS ? index : TALLY_BUCKETS - 1;
}

static uint64_t bucket_top(size_t index)
{
	if (index < 64)
		return index;
	unsigned shift = (unsigned)(index / 32 - 1);
	return ((uint64_t)(index - shift * 32u + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t us)
{
	h->count++;
	h->buckets[bucket_of(us)]++;
	if (us > h->max_us)
		h->max_us = us;
}

uint64_t histogram_quantile_us(const struct histogram *h, double q)
{
	uint64_t rank = (uint64_t)(q * (double)h->count), seen = 0;
	if (h->count == 0)
		return 0;
	for (size_t i = 0; i < TALLY_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen > rank)
			return bucket_top(i) < h->max_us ? bucket_top(i) : h->max_us;
	}
	return h->max_us;
}

void tally_init(struct tally *t, FILE *out, int64_t start_ns, uint64_t held_over_ms)
{
	memset(t, 0, sizeof *t);
	t->out = out;
	t->start_ns = t->last_ok_ns = start_ns;
	t->held_over_ms = held_over_ms;
}

/* Names come from the wire and go into JSON: everything but plain name characters becomes '_'. */
static void plain_name(const char *from, char to[TALLY_NAME])
{
	size_t size = strlen(from);
	if (size >= TALLY_NAME)
		size = TALLY_NAME - 1;
	for (size_t i = 0; i < size; i++) {
		char c = from[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';
		to[i] = plain ? c : '_';
	}
	to[size] = '\0';
}

/* The release's row; the last row takes all that come after the table is full. */
static struct release_tally *release_row(struct tally *t, const char *wire_name)
{
	char name[TALLY_NAME];
	plain_name(wire_name, name);
	for (size_t i = 0; i < t->release_count; i++)
		if (strcmp(t->releases[i].name, name) == 0)
			return &t->releases[i];
	if (t->release_count == TALLY_RELEASES)
		return &t->releases[TALLY_RELEASES - 1];
	struct release_tally *row = &t->releases[t->release_count++];
	memcpy(row->name, name, sizeof name);
	return row;
}

void tally_reason(struct tally *t, const char *reason)
{
	char name[TALLY_NAME];
	size_t i = 0;
	plain_name(reason[0] != '\0' ? reason : "unsaid", name);
	while (i < t->reason_count && strcmp(t->reasons[i].name, name) != 0)
		i++;
	if (i == TALLY_REASONS)
		i--; /* the last row takes all that come after the table is full */
	if (i == t->reason_count) {
		memcpy(t->reasons[i].name, name, sizeof name);
		t->reason_count++;
	}
	t->reasons[i].count++;
}

static void count_release(struct tally *t, const char *release, int status, int64_t now_ns)
{
	struct release_tally *row = release_row(t, release);
	uint64_t at_ms = (uint64_t)(now_ns - t->start_ns) / 1000000;
	if (row->answers == 0)
		row->first_ms = at_ms;
	row->last_ms = at_ms;
	row->answers++;
	row->second_answers++;
	if (status >= 500) {
		row->errors++;
		row->second_errors++;
	}
}

void tally_outcome(struct tally *t, enum request_kind kind, enum outcome outcome, int status,
		   const char *release, int64_t intended_ns, int64_t now_ns)
{
	bool plain = kind == REQUEST_GET || kind == REQUEST_POST;
	uint64_t us = now_ns > intended_ns ? (uint64_t)(now_ns - intended_ns) / 1000 : 0;
	t->outcomes[outcome]++;
	t->kinds[kind]++;
	if (status == 0)
		return;
	t->answered++;
	histogram_add(&t->all[kind], us);
	if (plain)
		histogram_add(&t->second, us);
	if (release[0] != '\0')
		count_release(t, release, status, now_ns);
	if (plain && us / 1000 >= t->held_over_ms)
		t->held++;
	if (outcome == OUTCOME_OK) {
		if (now_ns - t->last_ok_ns > t->max_gap_ns) {
			t->max_gap_ns = now_ns - t->last_ok_ns;
			t->max_gap_at_ns = t->last_ok_ns;
		}
		t->last_ok_ns = now_ns;
	}
}

uint64_t tally_blamed(const struct tally *t, char blame)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		if (outcomes[i].blame == blame)
			sum += t->outcomes[i];
	return sum;
}

static double ms(uint64_t us)
{
	return (double)us / 1000.0;
}

static void print_quantiles(FILE *out, const struct histogram *h)
{
	fprintf(out,
		"{\"count\":%" PRIu64
		",\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}",
		h->count, ms(histogram_quantile_us(h, 0.5)), ms(histogram_quantile_us(h, 0.9)),
		ms(histogram_quantile_us(h, 0.99)), ms(histogram_quantile_us(h, 0.999)),
		ms(h->max_us));
}

void tally_second(struct tally *t, int64_t now_ns, size_t waiting, size_t in_flight)
{
	uint64_t ok = t->outcomes[OUTCOME_OK], by_service = tally_blamed(t, 's'),
		 by_davit = tally_blamed(t, 'd');
	fprintf(t->out,
		"{\"t\":%.1f,\"sent\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"failed_by_service\":%" PRIu64
		",\"failed_by_davit\":%" PRIu64
		",\"waiting\":%zu,\"in_flight\":%zu,\"p50_ms\":%.3f,"
		"\"p99_ms\":%.3f,\"releases\":{",
		(double)(now_ns - t->start_ns) / 1e9, t->sent - t->before.sent, ok - t->before.ok,
		by_service - t->before.by_service, by_davit - t->before.by_davit, waiting,
		in_flight, ms(histogram_quantile_us(&t->second, 0.5)),
		ms(histogram_quantile_us(&t->second, 0.99)));
	const char *comma = "";
	for (size_t i = 0; i < t->release_count; i++) {
		struct release_tally *r = &t->releases[i];
		if (r->second_answers == 0)
			continue;
		fprintf(t->out, "%s\"%s\":{\"answers\":%" PRIu64 ",\"errors\":%" PRIu64 "}", comma,
			r->name, r->second_answers, r->second_errors);
		r->second_answers = r->second_errors = 0;
		comma = ",";
	}
	fprintf(t->out, "}}\n");
	fflush(t->out);
	memset(&t->second, 0, sizeof t->second);
	t->before.sent = t->sent;
	t->before.ok = ok;
	t->before.by_service = by_service;
	t->before.by_davit = by_davit;
}

static void print_failures(struct tally *t)
{
	const char *comma = "";
	fprintf(t->out, "\"failed\":{");
	for (size_t i = OUTCOME_OK + 1; i < OUTCOME_COUNT; i++) {
		fprintf(t->out, "%s\"%s\":%" PRIu64, comma, outcomes[i].name, t->outcomes[i]);
		comma = ",";
	}
	fprintf(t->out, "},");
}

static void print_releases(struct tally *t)
{
	fprintf(t->out, "\"releases\":{");
	for (size_t i = 0; i < t->release_count; i++) {
		struct release_tally *r = &t->releases[i];
		fprintf(t->out,
			"%s\"%s\":{\"answers\":%" PRIu64 ",\"errors\":%" PRIu64
			",\"first_ms\":%" PRIu64 ",\"last_ms\":%" PRIu64 "}",
			i > 0 ? "," : "", r->name, r->answers, r->errors, r->first_ms, r->last_ms);
	}
	fprintf(t->out, "},");
}

static void print_reasons(struct tally *t)
{
	fprintf(t->out, "\"gateway_errors\":{");
	for (size_t i = 0; i < t->reason_count; i++)
		fprintf(t->out, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", t->reasons[i].name,
			t->reasons[i].count);
	fprintf(t->out, "},");
}

static void print_latencies(struct tally *t)
{
	const char *comma = "";
	fprintf(t->out, "\"latency_ms\":{");
	for (size_t i = 0; i < REQUEST_KIND_COUNT; i++) {
		if (t->all[i].count == 0)
			continue;
		fprintf(t->out, "%s\"%s\":", comma, kinds[i]);
		print_quantiles(t->out, &t->all[i]);
		comma = ",";
	}
	fprintf(t->out, "},");
}

void tally_summary(struct tally *t, int64_t now_ns)
{
	fprintf(t->out,
		"{\"summary\":true,\"seconds\":%.3f,\"scheduled\":%" PRIu64 ",\"sent\":%" PRIu64
		",\"answered\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"failed_by_davit\":%" PRIu64
		",\"failed_by_service\":%" PRIu64 ",",
		(double)(now_ns - t->start_ns) / 1e9, t->scheduled, t->sent, t->answered,
		t->outcomes[OUTCOME_OK], tally_blamed(t, 'd'), tally_blamed(t, 's'));
	print_failures(t);
	print_reasons(t);
	print_releases(t);
	print_latencies(t);
	fprintf(t->out,
		"\"max_gap_ms\":%.3f,\"max_gap_at_ms\":%.0f,\"held\":%" PRIu64
		",\"connections\":{\"opened\":%" PRIu64 ",\"idle_closed\":%" PRIu64
		",\"idle_retried\":%" PRIu64 "},\"ws\":{\"opened\":%" PRIu64
		",\"closed_clean\":%" PRIu64 ",\"closed_boundary\":%" PRIu64 ",\"resent\":%" PRIu64
		"},\"sse\":{\"resumed\":%" PRIu64 "},\"sticky\":{\"cookies\":%" PRIu64
		",\"flips\":%" PRIu64 "}}\n",
		(double)t->max_gap_ns / 1e6,
		t->max_gap_ns > 0 ? (double)(t->max_gap_at_ns - t->start_ns) / 1e6 : 0.0, t->held,
		t->connections, t->idle_closed, t->idle_retried, t->ws_opened, t->ws_closed_clean,
		t->ws_closed_boundary, t->ws_resent, t->sse_resumed, t->cookies, t->sticky_flips);
	fflush(t->out);
}
