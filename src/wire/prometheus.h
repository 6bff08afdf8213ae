/* SPDX-License-Identifier: Apache-2.0
 *
 * prometheus - reads the numbers of a metrics page (text exposition format 0.0.4, OpenMetrics).
 *
 * WHAT  A selector, `orders_total{kind="paid"}`, names series: those of that name that have at least these
 *       labels with these values. The reader goes through a page once and adds up, for each selector, the
 *       samples of all series it names. Types, help texts, timestamps and exemplars are read past.
 *
 * HOW   prometheus_selector_read() once for each selector; prometheus_begin(); prometheus_feed() with what
 *       has arrived, cut anywhere; prometheus_end() when that was all. Then the sums stand.
 *
 * OWNS  The reader borrows selectors and sums. It keeps a line that has not ended in itself.
 *
 * ERRORS ERR_INVALID (not of this format) and ERR_LIMIT; `reason` is one clause, static, `line` says where.
 *       The sums are worth nothing then. A page that ends within a line was cut off: an error too.
 *
 * UNITS Numbers are read to within a few units of a double's last place; usual ones are exact.
 *
 * LIMITS PROMETHEUS_LINE_MAX bytes a line, PROMETHEUS_LINES_MAX lines, PROMETHEUS_LABELS_MAX labels a series,
 *       PROMETHEUS_SELECTOR_SIZE bytes a selector. Names are the classic ones, without quotes.
 */
#ifndef WIRE_PROMETHEUS_H
#define WIRE_PROMETHEUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PROMETHEUS_LINE_MAX = 16 * 1024,
	PROMETHEUS_LINES_MAX = 100 * 1000,
	PROMETHEUS_LABELS_MAX = 64,
	PROMETHEUS_SELECTOR_SIZE = 512, /* with the NUL */
};

/* A name and labels, as places in the text they stand in. Values keep their escapes: as each value can be
 * written in one way only, equal values are equal bytes. */
struct prometheus_series {
	uint16_t name_at, name_size;
	uint16_t label_count;
	struct prometheus_label {
		uint16_t name_at, name_size, value_at, value_size;
	} labels[PROMETHEUS_LABELS_MAX];
};

struct prometheus_selector {
	char text[PROMETHEUS_SELECTOR_SIZE];
	struct prometheus_series series;
};

/* 0, or an error with *ret_reason, a clause, and *ret_at, the offset of the byte that is wrong. */
int prometheus_selector_read(const char *text, struct prometheus_selector *ret_selector,
			     const char **ret_reason, size_t *ret_at);

struct prometheus_sum {
	double sum; /* NaN or infinite when a sample is */
	uint32_t
		samples; /* 0: no such series; programs leave out counters that have not counted yet */
};

struct prometheus_reader {
	const struct prometheus_selector *selectors;
	size_t selector_count;
	struct prometheus_sum *sums; /* as many */
	uint32_t line;      /* the last one that began; after an error the one that is wrong */
	const char *reason; /* NULL: none */
	bool ended;         /* by "# EOF" */
	size_t kept_size;
	char kept[PROMETHEUS_LINE_MAX];
};

void prometheus_begin(struct prometheus_reader *reader, const struct prometheus_selector *selectors,
		      size_t count, struct prometheus_sum *sums);

/* After an error nothing more may be fed. */
int prometheus_feed(struct prometheus_reader *reader, const char *data, size_t size);
int prometheus_end(struct prometheus_reader *reader);

#endif
