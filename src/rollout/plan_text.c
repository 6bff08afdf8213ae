/* SPDX-License-Identifier: Apache-2.0
 * plan_text - plan_step_describe() of plan.h. No printf: the pure folders call nothing that could fail. */
#include <string.h>

#include "base/text.h"
#include "rollout/plan.h"

struct line {
	char *to;
	size_t size, used;
};

static void put(struct line *line, const char *text)
{
	size_t length = strlen(text);
	size_t room = line->size - line->used - 1;
	if (length > room)
		length = room;
	memcpy(line->to + line->used, text, length);
	line->used += length;
	line->to[line->used] = '\0';
}

static void put_number(struct line *line, uint64_t number)
{
	char digits[24];
	size_t at = sizeof digits - 1;
	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put(line, digits + at);
}

static void put_duration(struct line *line, uint64_t ms)
{
	char text[32];
	put(line, text_format_duration(ms, text, sizeof text));
}

static void put_share(struct line *line, uint32_t bp)
{
	char text[16];
	put(line, text_format_share(bp, text, sizeof text));
}

static void put_release(struct line *line, uint8_t release)
{
	static const char *const names[] = {"candidate", "live", "leftover", "second leftover"};
	put(line, release < PLAN_RELEASES_MAX ? names[release] : "none");
}

static void put_counts(struct line *line, const struct plan *plan, const struct plan_step *step,
		       const char *const *names)
{
	const struct process_shape *shape = plan->releases[step->release].process;
	bool first = true;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		if (shape[p].count == 0)
			continue;
		put(line, first ? " " : ", ");
		first = false;
		if (names != NULL && names[p] != NULL) {
			put(line, names[p]);
		} else {
			put(line, "process ");
			put_number(line, p);
		}
		put(line, " ");
		put_number(line, step->count[p]);
		put(line, " of ");
		put_number(line, shape[p].count);
	}
}

static void put_route(struct line *line, const struct plan_step *step)
{
	bool first = true;
	for (uint8_t i = 0; i < PLAN_RELEASES_MAX; i++) {
		if (step->weight_bp[i] == 0)
			continue;
		put(line, first ? "" : ", ");
		first = false;
		put_release(line, i);
		put(line, " ");
		put_share(line, step->weight_bp[i]);
	}
	if (first)
		put(line, "nobody");
	if (step->mirror != PLAN_NONE) {
		put(line, ", copy ");
		put_share(line, step->mirror_bp);
		put(line, " to ");
		put_release(line, step->mirror);
	}
	if (step->park)
		put(line, ", requests wait");
}

static void put_hold(struct line *line, const struct plan_step *step)
{
	put(line, "at least ");
	put_duration(line, step->for_ms);
	if (step->at_most_ms > 0) {
		put(line, ", at most ");
		put_duration(line, step->at_most_ms);
	}
	if (step->min_samples > 0) {
		put(line, ", ");
		put_number(line, step->min_samples);
		put(line, " requests");
	}
	if (step->analyses & ANALYSIS_LIVE)
		put(line, ", against the live release");
	if (step->analyses & ANALYSIS_CHECKS)
		put(line, ", checks on the preview address");
	if (step->analyses & ANALYSIS_SHADOW)
		put(line, ", answers to copied requests");
}

const char *plan_step_describe(const struct plan *plan, uint32_t step, const char *const *names,
			       char *to, size_t size)
{
	const struct plan_step *s = &plan->steps[step];
	struct line line = {.to = to, .size = size};

	to[0] = '\0';
	put(&line, plan_op_name(s->op));
	for (size_t i = strlen(plan_op_name(s->op)); i < 7; i++)
		put(&line, " ");
	switch (s->op) {
	case PLAN_FETCH:
	case PLAN_MARK: put_release(&line, s->release); break;
	case PLAN_START:
	case PLAN_READY:
	case PLAN_DRAIN:
	case PLAN_STOP:
		put_release(&line, s->release);
		put_counts(&line, plan, s, names);
		break;
	case PLAN_ROUTE: put_route(&line, s); break;
	case PLAN_HOLD: put_hold(&line, s); break;
	case PLAN_GATE: put(&line, "wait for an approval"); break;
	case PLAN_HOOK:
		put(&line, "run ");
		put(&line, s->label[0] ? s->label : "a command");
		break;
	case PLAN_OP_COUNT: break;
	}
	return to;
}
