/* SPDX-License-Identifier: Apache-2.0
 *
 * flow - boxes and arrows: who comes after whom, as Mermaid (which readers of Markdown draw) and as SVG inside of a page.
 *
 * HOW   flow_box() and flow_arrow() in the order of reading, then flow_mermaid() or flow_svg(). An arrow to a box that
 *       came before is a way back: it is drawn, and moves nothing.
 * OWNS  Plain data. Labels are any text: both writers escape them.
 * LIMITS FLOW_BOXES_MAX boxes, FLOW_ARROWS_MAX arrows, FLOW_LABEL_SIZE bytes a label (longer ones are cut); what is
 *       past a bound is left out.
 */
#ifndef REPORT_FLOW_H
#define REPORT_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { FLOW_BOXES_MAX = 96, FLOW_ARROWS_MAX = 256, FLOW_LABEL_SIZE = 96 };

#define FLOW_NOBODY UINT32_MAX

enum flow_kind { FLOW_STEP, FLOW_QUESTION, FLOW_END };

struct flow {
	char title[FLOW_LABEL_SIZE];
	uint32_t box_count, arrow_count;
	struct flow_box {
		enum flow_kind kind;
		char label[FLOW_LABEL_SIZE];
	} boxes[FLOW_BOXES_MAX];
	struct flow_arrow {
		uint32_t from, to;
		char label[FLOW_LABEL_SIZE];
	} arrows[FLOW_ARROWS_MAX];
};

/* Its place, or FLOW_NOBODY when there is no room. */
uint32_t flow_box(struct flow *flow, enum flow_kind kind, const char *label);
/* Nothing where one of them is FLOW_NOBODY. `label` may be "". */
void flow_arrow(struct flow *flow, uint32_t from, uint32_t to, const char *label);

void flow_mermaid(const struct flow *flow, struct buf *to);
void flow_svg(const struct flow *flow, struct buf *to);

#endif
