/* SPDX-License-Identifier: Apache-2.0
 * scrape - see scrape.h for the contract. */
#include "drivers/metrics/scrape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "drivers/http/transfers.h"
#include "os/clock.h"
#include "wire/prometheus.h"

enum { STATUS_OK = 200 };

struct scraper {
	struct metrics metrics; /* first */
	struct transfers *transfers;
	struct curl_slist *fields;
	struct scrape *scrapes;
	uint64_t last_number;
	size_t count;
};

struct scrape {
	struct scrape *next;
	struct scraper *scraper;
	uint64_t number;
	char address[METRICS_ADDRESS_SIZE];
	char path[METRICS_PATH_SIZE];
	CURL *transfer;
	size_t body_bytes;
	int code; /* of the page, while it arrives */
	metrics_done done;
	void *context;
	struct prometheus_sum sums[METRICS_SELECTORS_MAX];
	struct prometheus_reader reader;
	struct prometheus_selector selectors[]; /* reader.selector_count */
};

static void scrape_end(struct scrape *scrape)
{
	struct scraper *scraper = scrape->scraper;
	struct scrape **at = &scraper->scrapes;
	while (*at != scrape)
		at = &(*at)->next;
	*at = scrape->next;
	scraper->count--;
	if (scrape->transfer)
		transfers_end(scraper->transfers, scrape->transfer);
	free(scrape);
}

static long status_of(const struct scrape *scrape)
{
	long status = 0;
	curl_easy_getinfo(scrape->transfer, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct scrape *scrape = context;
	size *= count;
	scrape->body_bytes += size;
	if (status_of(scrape) != STATUS_OK || scrape->body_bytes > METRICS_BODY_MAX)
		return 0;
	scrape->code = prometheus_feed(&scrape->reader, data, size);
	return scrape->code < 0 ? 0 : size;
}

/* Which of all that can go wrong did? Writes the sentence. */
static int explain(struct scrape *scrape, CURLcode code, char *to, size_t size)
{
	const struct prometheus_reader *reader = &scrape->reader;
	long status = status_of(scrape);
	int written = snprintf(to, size, "The metrics at %s%s ", scrape->address, scrape->path);
	to += written;
	size -= (size_t)written;
	if (status != 0 && status != STATUS_OK) {
		snprintf(to, size, "were answered %ld instead of 200.", status);
		return ERR_DENIED;
	}
	if (scrape->body_bytes > METRICS_BODY_MAX) {
		snprintf(to, size, "have more than %d bytes.", METRICS_BODY_MAX);
		return ERR_LIMIT;
	}
	if (scrape->code < 0) {
		snprintf(to, size, "cannot be read: line %u: %s.", reader->line, reader->reason);
		return scrape->code == ERR_LIMIT ? ERR_LIMIT : ERR_CORRUPT;
	}
	if (code == CURLE_OPERATION_TIMEDOUT) {
		snprintf(to, size, "did not arrive within %d ms.", METRICS_TIMEOUT_MS);
		return ERR_TIMEOUT;
	}
	if (code != CURLE_OK) {
		snprintf(to, size, "cannot be had: %s.", curl_easy_strerror(code));
		return ERR_UNAVAILABLE;
	}
	snprintf(to, size, "were read.");
	return 0;
}

static void on_answer(void *context, CURLcode code)
{
	struct scrape *scrape = context;
	char sentence[METRICS_ADDRESS_SIZE + METRICS_PATH_SIZE + 256];
	struct metrics_answer answer = {.sentence = sentence, .read_ms = clock_now_ms()};
	if (code == CURLE_OK)
		scrape->code = prometheus_end(&scrape->reader);
	answer.code = explain(scrape, code, sentence, sizeof sentence);
	if (answer.code == 0) {
		answer.count = scrape->reader.selector_count;
		for (size_t i = 0; i < answer.count; i++)
			answer.values[i] = (struct metrics_value){
				.sum = scrape->sums[i].sum, .samples = scrape->sums[i].samples};
	}
	metrics_done done = scrape->done;
	context = scrape->context;
	scrape_end(scrape);
	done(context, &answer);
}

static int check_request(const struct scraper *scraper, const struct metrics_request *request,
			 struct error *err)
{
	if (request->selector_count > METRICS_SELECTORS_MAX)
		return error_set(err, ERR_LIMIT, "More than %d selectors are asked for.",
				 METRICS_SELECTORS_MAX);
	if (scraper->count == METRICS_SCRAPES_MAX)
		return error_set(err, ERR_LIMIT,
				 "%d instances are being asked for their metrics; try again later.",
				 METRICS_SCRAPES_MAX);
	if (strlen(request->address) >= METRICS_ADDRESS_SIZE || request->path[0] != '/' ||
	    strlen(request->path) >= METRICS_PATH_SIZE)
		return error_set(err, ERR_INVALID, "There can be no metrics at \"%s%s\".",
				 request->address, request->path);
	for (const struct scrape *s = scraper->scrapes; s; s = s->next)
		if (strcmp(s->address, request->address) == 0 &&
		    strcmp(s->path, request->path) == 0)
			return error_set(err, ERR_CONFLICT,
					 "The metrics at %s%s are being asked for.", s->address,
					 s->path);
	return 0;
}

static int read_selectors(struct scrape *scrape, const struct metrics_request *request,
			  struct error *err)
{
	const char *reason;
	size_t at;
	for (size_t i = 0; i < request->selector_count; i++)
		if (prometheus_selector_read(request->selectors[i], &scrape->selectors[i], &reason,
					     &at) < 0)
			return error_set(err, ERR_INVALID,
					 "\"%s\" selects no metric: %s, at its byte %zu.",
					 request->selectors[i], reason, at + 1);
	return 0;
}

static int start(struct metrics *metrics, const struct metrics_request *request, metrics_done done,
		 void *context, uint64_t *ret_scrape, struct error *err)
{
	struct scraper *scraper = (struct scraper *)metrics;
	char url[METRICS_ADDRESS_SIZE + METRICS_PATH_SIZE + 16];
	int code = check_request(scraper, request, err);
	if (code < 0)
		return code;
	struct scrape *scrape =
		mem_zero(1, sizeof *scrape + request->selector_count * sizeof scrape->selectors[0]);
	code = read_selectors(scrape, request, err);
	if (code < 0) {
		free(scrape);
		return code;
	}
	scrape->scraper = scraper;
	scrape->number = ++scraper->last_number;
	scrape->done = done;
	scrape->context = context;
	text_copy(scrape->address, sizeof scrape->address, request->address);
	text_copy(scrape->path, sizeof scrape->path, request->path);
	prometheus_begin(&scrape->reader, scrape->selectors, request->selector_count, scrape->sums);
	scrape->next = scraper->scrapes;
	scraper->scrapes = scrape;
	scraper->count++;
	snprintf(url, sizeof url, "http://%s%s", scrape->address, scrape->path);
	scrape->transfer = transfer_get(url, METRICS_TIMEOUT_MS, take_body, scrape);
	curl_easy_setopt(scrape->transfer, CURLOPT_USERAGENT, "davit-metrics");
	curl_easy_setopt(scrape->transfer, CURLOPT_HTTPHEADER, scraper->fields);
	curl_easy_setopt(scrape->transfer, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(scrape->transfer, CURLOPT_FORBID_REUSE, 1L);
	transfers_start(scraper->transfers, scrape->transfer);
	*ret_scrape = scrape->number;
	return 0;
}

static void cancel(struct metrics *metrics, uint64_t number)
{
	struct scraper *scraper = (struct scraper *)metrics;
	for (struct scrape *s = scraper->scrapes; s; s = s->next)
		if (s->number == number) {
			scrape_end(s);
			return;
		}
}

static const struct metrics_ops ops = {.scrape = start, .cancel = cancel};

struct metrics *scrape_new(struct loop *loop)
{
	struct scraper *scraper = mem_zero(1, sizeof *scraper);
	scraper->metrics.ops = &ops;
	scraper->transfers = transfers_new(loop, on_answer);
	scraper->fields =
		curl_slist_append(NULL, "Accept: text/plain;version=0.0.4, "
					"application/openmetrics-text;version=1.0.0;q=0.5");
	scraper->fields = curl_slist_append(scraper->fields, "Connection: close");
	return &scraper->metrics;
}

void scrape_free(struct metrics *metrics)
{
	struct scraper *scraper = (struct scraper *)metrics;
	if (!scraper)
		return;
	while (scraper->scrapes)
		scrape_end(scraper->scrapes);
	transfers_free(scraper->transfers);
	curl_slist_free_all(scraper->fields);
	free(scraper);
}
