/* SPDX-License-Identifier: Apache-2.0
 * fuzz_prometheus - metrics pages. The first line is a selector, the rest a page. At once, in pieces and byte by byte
 * must agree in outcome and sum; a selector without its labels must find at least as many samples; a page that
 * was read must be one whichever selector it is read for. */
#include <string.h>

#include "fuzz.h"

#include "wire/prometheus.h"

struct outcome {
	int code;
	uint32_t line;
	const char *reason;
	struct prometheus_sum sum;
};

static struct outcome read_page(const struct prometheus_selector *selector, const char *data,
				size_t size, size_t step)
{
	static struct prometheus_reader reader;
	struct outcome o = {0};
	prometheus_begin(&reader, selector, 1, &o.sum);
	for (size_t at = 0; o.code == 0 && at < size; at += step) {
		size_t part = size - at < step ? size - at : step;
		char *exact = malloc(part);
		memcpy(exact, data + at, part);
		o.code = prometheus_feed(&reader, exact, part);
		free(exact);
	}
	if (o.code == 0)
		o.code = prometheus_end(&reader);
	o.line = reader.line;
	o.reason = reader.reason;
	EXPECT((o.code < 0) == (o.reason != NULL));
	return o;
}

static void expect_same(const struct outcome *a, const struct outcome *b)
{
	EXPECT(a->code == b->code && a->line == b->line && a->reason == b->reason);
	EXPECT(a->sum.samples == b->sum.samples);
	EXPECT(memcmp(&a->sum.sum, &b->sum.sum, sizeof a->sum.sum) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct prometheus_selector selector, bare;
	char text[PROMETHEUS_SELECTOR_SIZE + 16];
	const char *reason;
	size_t at;
	const uint8_t *end = size > 0 ? memchr(input, '\n', size) : NULL;
	if (!end || (size_t)(end - input) >= sizeof text)
		return 0;
	memcpy(text, input, (size_t)(end - input));
	text[end - input] = '\0';
	const char *data = (const char *)end + 1;
	size -= (size_t)(end - input) + 1;
	if (prometheus_selector_read(text, &selector, &reason, &at) < 0) {
		EXPECT(reason != NULL && at <= strlen(text));
		return 0;
	}
	EXPECT(prometheus_selector_read(selector.text, &bare, &reason, &at) == 0);
	EXPECT(bare.series.label_count == selector.series.label_count);
	struct outcome whole = read_page(&selector, data, size, size + 1);
	struct outcome bytes = read_page(&selector, data, size, 1);
	struct outcome pieces = read_page(&selector, data, size, 1 + size / 3);
	expect_same(&whole, &bytes);
	expect_same(&whole, &pieces);
	bare.series.label_count = 0;
	struct outcome more = read_page(&bare, data, size, size + 1);
	EXPECT(more.code == whole.code && more.line == whole.line);
	EXPECT(more.sum.samples >= whole.sum.samples);
	return 0;
}
