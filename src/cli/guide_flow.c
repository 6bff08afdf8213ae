/* SPDX-License-Identifier: Apache-2.0
 * guide_flow - the workflow's boxes and arrows; see guide.h. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/guide.h"
#include "cli/guide_words.h"

struct drawing {
	const struct guide *guide;
	struct flow *flow;
	uint32_t commit;
	uint32_t good[APP_ENVIRONMENTS_MAX]; /* where a release is when it is good there */
	bool drawn[APP_ENVIRONMENTS_MAX];
};

static uint32_t box(struct drawing *d, enum flow_kind kind, const char *before, const char *name,
		    const char *after)
{
	char label[3 * FLOW_LABEL_SIZE];
	snprintf(label, sizeof label, "%s%s%s", before, name, after);
	return flow_box(d->flow, kind, label);
}

static uint32_t stage_of(const struct app *app, const char *name)
{
	uint32_t i = 0;
	while (i < app->stage_count && strcmp(app->stages[i].name, name) != 0)
		i++;
	return i;
}

/* Each stage after what it needs; what nobody needs leads to the release. */
static uint32_t draw_pipeline(struct drawing *d)
{
	const struct app *app = d->guide->app;
	uint32_t boxes[APP_STAGES_MAX];
	bool drawn[APP_STAGES_MAX] = {false}, needed[APP_STAGES_MAX] = {false};
	for (uint32_t round = 0; round < app->stage_count; round++)
		for (uint32_t i = 0; i < app->stage_count; i++) {
			const struct app_texts *needs = &app->stages[i].needs;
			bool ready = !drawn[i];
			for (uint32_t k = 0; k < needs->count && ready; k++)
				ready = drawn[stage_of(app, needs->items[k])];
			if (!ready)
				continue;
			drawn[i] = true;
			boxes[i] = box(d, FLOW_STEP, "", app->stages[i].name, "");
			for (uint32_t k = 0; k < needs->count; k++) {
				uint32_t from = stage_of(app, needs->items[k]);
				needed[from] = true;
				flow_arrow(d->flow, boxes[from], boxes[i], "");
			}
			if (needs->count == 0)
				flow_arrow(d->flow, d->commit, boxes[i], "");
		}
	uint32_t release = flow_box(d->flow, FLOW_STEP, "Release: archive and davit.yaml");
	for (uint32_t i = 0; i < app->stage_count; i++)
		if (!needed[i] && !app->stages[i].finally)
			flow_arrow(d->flow, boxes[i], release, "");
	if (app->stage_count == 0)
		flow_arrow(d->flow, d->commit, release, "");
	return release;
}

static uint32_t draw_question(struct drawing *d, const struct app_environment *e, uint32_t from,
			      uint32_t before)
{
	struct buf text;
	buf_init(&text, GUIDE_TEXT_MAX);
	buf_printf(&text, "%s: approved by ", e->name);
	guide_put_list(&text, &e->approve.by, "a person");
	buf_puts(&text, "?");
	uint32_t asks = flow_box(d->flow, FLOW_QUESTION, buf_text(&text));
	buf_done(&text);
	flow_arrow(d->flow, from, asks, "");
	if (e->approve.on_reject == APP_ON_REJECT_ROLLBACK && before != FLOW_NOBODY)
		flow_arrow(d->flow, asks, before, "no: it goes back there");
	else
		flow_arrow(d->flow, asks, d->commit, "no: a fix");
	return asks;
}

/* What brings a release here by itself; what does not fit is cut. */
static const char *label_of(const struct app_environment *e, char to[FLOW_LABEL_SIZE])
{
	const struct app_trigger *trigger = &e->trigger;
	const char *name = trigger->branch.count > 0 ? trigger->branch.items[0]
			   : trigger->tag.count > 0  ? trigger->tag.items[0]
						     : "";
	snprintf(to, FLOW_LABEL_SIZE, "%s%s%s", name, trigger->schedule.count > 0 ? " at " : "",
		 trigger->schedule.count > 1    ? "its times"
		 : trigger->schedule.count == 1 ? trigger->schedule.items[0]
						: "");
	return to;
}

static void draw_environment(struct drawing *d, uint32_t index, uint32_t from, uint32_t before)
{
	const struct app_environment *e = &d->guide->environments[index]->environment;
	struct buf text;
	char arrow[FLOW_LABEL_SIZE];
	const char *label = label_of(e, arrow);
	if (e->infrastructure.set != 0) {
		uint32_t plan = box(d, FLOW_STEP, "", e->name, ": infrastructure.plan");
		flow_arrow(d->flow, from, plan, label);
		from = plan;
		label = "";
	}
	if (e->approve.set != 0) {
		from = draw_question(d, e, from, before);
		label = "yes";
	}
	if (e->infrastructure.set != 0) {
		uint32_t apply = box(d, FLOW_STEP, "", e->name, ": infrastructure.apply");
		flow_arrow(d->flow, from, apply, label);
		from = apply;
		label = "";
	}
	if (e->migrate.before.set != 0) {
		uint32_t hook = box(d, FLOW_STEP, "", e->name, ": migrate.before");
		flow_arrow(d->flow, from, hook, label);
		from = hook;
		label = "";
	}
	buf_init(&text, GUIDE_TEXT_MAX);
	buf_printf(&text, "Deploy to %s: ", e->name);
	guide_put_strategy(&text, &e->strategy);
	uint32_t deploy = flow_box(d->flow, FLOW_STEP, buf_text(&text));
	flow_arrow(d->flow, from, deploy, label);
	buf_clear(&text);
	buf_printf(&text, "%s: good?", e->name);
	if (e->verify.count > 0) {
		buf_puts(&text, " (");
		guide_put_list(&text, &e->verify, "");
		buf_puts(&text, ")");
	}
	uint32_t good = flow_box(d->flow, FLOW_QUESTION, buf_text(&text));
	buf_done(&text);
	flow_arrow(d->flow, deploy, good, "");
	flow_arrow(d->flow, good, d->commit, "no: back by itself");
	uint32_t live = box(d, FLOW_END, "Live in ", e->name, "");
	flow_arrow(d->flow, good, live, "yes");
	d->good[index] = live;
	d->drawn[index] = true;
}

static uint32_t find(const struct guide *guide, const char *name)
{
	uint32_t i = 0;
	while (i < guide->app->environment_count &&
	       strcmp(guide->app->environments[i].name, name) != 0)
		i++;
	return i;
}

void guide_flow(const struct guide *guide, struct flow *ret_flow)
{
	struct drawing d = {.guide = guide, .flow = ret_flow};
	uint32_t count = guide->app->environment_count;
	memset(ret_flow, 0, sizeof *ret_flow);
	text_copy(ret_flow->title, sizeof ret_flow->title, "From a commit to production");
	d.commit = flow_box(ret_flow, FLOW_END, "Commit");
	uint32_t release = draw_pipeline(&d);
	for (uint32_t round = 0; round < count; round++)
		for (uint32_t i = 0; i < count; i++) {
			const char *from = guide->environments[i]->environment.from;
			uint32_t before = from ? find(guide, from) : count;
			if (d.drawn[i] || (from && !d.drawn[before]))
				continue;
			draw_environment(&d, i, from ? d.good[before] : release,
					 from ? d.good[before] : FLOW_NOBODY);
		}
}
