/* SPDX-License-Identifier: Apache-2.0
 * world_metrics - what instances use, log and count of themselves, by the rules of provider/metrics.h. */
#include <stdio.h>
#include <string.h>

#include "world.h"

enum { PAGE_MS = 5 };

struct page {
	uint64_t number;
	char address[METRICS_ADDRESS_SIZE];
	char selectors[METRICS_SELECTORS_MAX][48];
	size_t count;
	metrics_done done;
	void *context;
};

static uint64_t cancelled[64]; /* the latest */
static uint32_t cancelled_next;

void metrics_count(struct fake_instance *f)
{
	const struct behaviour *b = world_behaviour(f->status.tag);
	f->visits++;
	f->cpu_us += b->cpu_us;
	if (b->logs_bp > 0)
		f->status.log_errors += world_random() % SHARE_FULL_BP < b->logs_bp;
	if (b->buys_bp == 0 || world_random() % SHARE_FULL_BP >= b->buys_bp)
		return;
	f->bought++;
	f->value += b->value / 2 + (b->value ? world_random() % b->value : 0);
}

static struct metrics_value value_of(const struct fake_instance *f, const char *selector)
{
	uint64_t number = 0;
	if (strcmp(selector, "visits_total") == 0)
		number = f->visits;
	else if (strcmp(selector, "bought_total") == 0)
		number = f->bought;
	else if (strcmp(selector, "value_sum") == 0)
		number = f->value;
	return (struct metrics_value){.sum = (double)number, .samples = number > 0};
}

static void answer(void *argument)
{
	const struct page *p = argument;
	struct metrics_answer a = {.code = ERR_UNAVAILABLE,
				   .sentence = "There is no connection.",
				   .read_ms = world.now_ms,
				   .count = p->count};
	for (size_t i = 0; i < 64; i++)
		if (cancelled[i] == p->number)
			return;
	for (size_t i = 0; i < world.instance_count; i++) {
		const struct fake_instance *f = &world.instances[i];
		if (strcmp(f->status.address, p->address) != 0 || f->status.pid == 0 ||
		    world_behaviour(f->status.tag)->no_page)
			continue;
		a.code = 0;
		a.sentence = "";
		for (size_t k = 0; k < p->count; k++)
			a.values[k] = value_of(f, p->selectors[k]);
	}
	p->done(p->context, &a);
}

static int scrape(struct metrics *metrics, const struct metrics_request *request, metrics_done done,
		  void *context, uint64_t *ret_scrape, struct error *err)
{
	(void)metrics;
	(void)err;
	struct page *p = mem_zero(1, sizeof *p);
	assert_string_equal(request->path, "/metrics");
	p->number = *ret_scrape = ++world.scrapes;
	p->count = request->selector_count;
	p->done = done;
	p->context = context;
	text_copy(p->address, sizeof p->address, request->address);
	for (size_t i = 0; i < request->selector_count; i++)
		text_copy(p->selectors[i], sizeof p->selectors[i], request->selectors[i]);
	world_happen(PAGE_MS, true, answer, p);
	return 0;
}

static void cancel(struct metrics *metrics, uint64_t scrape)
{
	(void)metrics;
	cancelled[cancelled_next++ % 64] = scrape;
}

void metrics_open(void)
{
	static const struct metrics_ops ops = {.scrape = scrape, .cancel = cancel};
	memset(cancelled, 0, sizeof cancelled);
	world.metrics.ops = &ops;
}
