/* SPDX-License-Identifier: Apache-2.0
 *
 * chart - one or two lines over time as SVG inside of a page, with bands for the steps; and the same as a table.
 *
 * HOW   Fill the struct; chart_svg() appends an <svg> with a title and a description for who cannot see it, drawn
 *       with the classes that writer_html.c has styles for. chart_table() writes rows by a writer.
 * UNITS x is milliseconds. A value below 0 is none: the line has a gap there.
 * LIMITS CHART_POINTS_MAX points, CHART_BANDS_MAX bands. Numbers are written with fixed digits, so that the same
 *       values give the same bytes.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	CHART_POINTS_MAX = 60,
	CHART_BANDS_MAX = 32,
	CHART_ROWS_FEW = 12 /* of a table that stands for the picture */
};

struct writer;

struct chart_band {
	uint64_t at_ms;
	char label[48];
};

struct chart {
	char id[24]; /* unique on the page: a name of the caller's */
	char title[96], caption[160], description[400];
	const char *unit; /* "%", " ms", "" */
	bool logarithmic; /* values from 1 on, by powers of ten */
	double limit;     /* a line across; 0 = none */
	char limit_text[64];
	uint64_t total_ms, point_ms;
	uint64_t mark_ms; /* a moment; 0 = none */
	char mark_text[32];
	uint32_t point_count;
	bool two; /* live[] too */
	double fresh[CHART_POINTS_MAX], live[CHART_POINTS_MAX];
	uint32_t band_count;
	struct chart_band bands[CHART_BANDS_MAX];
};

void chart_svg(const struct chart *chart, struct buf *to);
/* At most `rows` of them, evenly spread, the last one always. */
void chart_table(const struct chart *chart, struct writer *w, uint32_t rows);

/* "0:12.3" */
const char *chart_time(uint64_t ms, char to[32]);

#endif
