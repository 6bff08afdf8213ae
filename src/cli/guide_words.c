/* SPDX-License-Identifier: Apache-2.0
 * guide_words - see guide_words.h for the contract. */
#include "cli/guide_words.h"

#include <string.h>

#include "base/text.h"

void guide_put_duration(struct buf *to, uint64_t ms)
{
	char text[40];
	buf_puts(to, text_format_duration(ms, text, sizeof text));
}

void guide_put_share(struct buf *to, uint32_t bp)
{
	char text[40];
	buf_puts(to, text_format_share(bp, text, sizeof text));
}

void guide_put_list(struct buf *to, const struct app_texts *texts, const char *otherwise)
{
	for (uint32_t i = 0; i < texts->count; i++) {
		buf_puts(to, i > 0 ? ", " : "");
		buf_puts(to, texts->items[i]);
	}
	if (texts->count == 0)
		buf_puts(to, otherwise);
}

void guide_put_command(struct buf *to, const struct app_command *command)
{
	if (command->line) {
		buf_puts(to, command->line);
	} else if (command->sh) {
		size_t size = strcspn(command->sh, "\r\n");
		buf_append(to, command->sh, size);
		buf_puts(to, command->sh[size + strspn(command->sh + size, "\r\n")] ? " …" : "");
	}
	for (uint32_t i = 0; i < command->args.count; i++)
		buf_printf(to, "%s%s", i > 0 ? " " : "", command->args.items[i]);
}

static void put_each(struct buf *to, const struct app_each *each)
{
	buf_puts(to, ", each for at least ");
	guide_put_duration(to, each->at_least_ms);
	if (each->at_most_ms > 0) {
		buf_puts(to, " and at most ");
		guide_put_duration(to, each->at_most_ms);
	}
}

static void put_shares(struct buf *to, const struct app_shares *shares)
{
	for (uint32_t i = 0; i < shares->count; i++) {
		buf_puts(to, i > 0 ? ", " : "");
		guide_put_share(to, shares->items_bp[i]);
	}
}

static void put_shadow(struct buf *to, const struct app_step_shadow *shadow)
{
	buf_puts(to, "shadow: ");
	guide_put_share(to, shadow->share_bp);
	buf_puts(to, " of the requests are copied to it, and its answers reach nobody, until ");
	buf_printf(to, "%u requests", shadow->until.requests);
	if (shadow->until.time_ms > 0) {
		buf_puts(to, " within ");
		guide_put_duration(to, shadow->until.time_ms);
	}
}

void guide_put_step(struct buf *to, const struct app_step *step)
{
	switch (step->set) {
	case APP_STEP_CHECK:
		buf_printf(to, "check: %s, on the preview address, before any user comes",
			   step->check);
		break;
	case APP_STEP_SHADOW: put_shadow(to, &step->shadow); break;
	case APP_STEP_CANARY:
		buf_puts(to, "canary: ");
		put_shares(to, &step->canary.steps);
		buf_puts(to, " of the requests");
		put_each(to, &step->canary.each);
		break;
	case APP_STEP_ROLLING:
		buf_puts(to, "rolling: ");
		guide_put_share(to, step->rolling.batch_bp);
		buf_puts(to, step->rolling.surge
				     ? " of the instances at a time, new ones first"
				     : " of the instances at a time, old ones leave first");
		put_each(to, &step->rolling.each);
		break;
	case APP_STEP_RECREATE:
		buf_puts(to, "recreate: requests wait, the old release stops, the new one starts");
		break;
	case APP_STEP_SWITCH:
		buf_puts(to, "switch: all requests at once, the old release kept at full strength");
		break;
	case APP_STEP_BAKE:
		buf_puts(to, "bake: watched for ");
		guide_put_duration(to, step->bake_ms);
		buf_puts(to, " before it counts as good");
		break;
	default: break;
	}
}

void guide_put_strategy(struct buf *to, const struct app_strategy *strategy)
{
	bool first = true;
	buf_puts(to, strategy->name ? strategy->name : "its own");
	for (uint32_t i = 0; i < strategy->count; i++) {
		const struct app_step *step = &strategy->steps[i];
		if (step->set != APP_STEP_CANARY)
			continue;
		buf_puts(to, first ? " (" : ", ");
		put_shares(to, &step->canary.steps);
		first = false;
	}
	buf_puts(to, first ? "" : ", 100%)");
}

void guide_put_approval(struct buf *to, const struct app_environment *e)
{
	if (e->approve.set == 0)
		return;
	buf_printf(to, "%u person%s of ", e->approve.count, e->approve.count == 1 ? "" : "s");
	guide_put_list(to, &e->approve.by, "those who may command the server");
	if (e->approve.not_author)
		buf_puts(to, ", not the author");
	buf_puts(to, ", within ");
	guide_put_duration(to, e->approve.expires_ms);
}

/* "mon-fri 02:30, sat 04:00 (Europe/Berlin)" */
static void put_times(struct buf *to, const struct app_trigger *trigger)
{
	for (uint32_t i = 0; i < trigger->schedule.count; i++)
		buf_printf(to, "%s%s", i > 0 ? ", " : "", trigger->schedule.items[i]);
	buf_printf(to, " (%s)", trigger->zone ? trigger->zone : "UTC");
}

void guide_put_trigger(struct buf *to, const struct app_environment *e)
{
	if (e->trigger.schedule.count > 0) {
		buf_puts(to, "by itself, at ");
		put_times(to, &e->trigger);
		buf_puts(to, ": ");
		guide_put_list(to, &e->trigger.branch, "");
		buf_puts(to, " as it is then, if that is something new");
	} else if (e->trigger.set != 0) {
		buf_puts(to, "by itself, when a push moves ");
		guide_put_list(to, &e->trigger.branch, "");
		buf_puts(to, e->trigger.branch.count > 0 && e->trigger.tag.count > 0 ? " or " : "");
		buf_puts(to, e->trigger.tag.count > 0 ? "the tag " : "");
		guide_put_list(to, &e->trigger.tag, "");
	} else if (e->from && e->approve.set != 0) {
		buf_printf(to, "by itself, once it is good in %s", e->from);
	} else if (e->from) {
		buf_printf(to, "by hand (davit deploy %s VERSION), once it is good in %s", e->name,
			   e->from);
	} else {
		buf_printf(to, "by hand (davit deploy %s) or by another CI", e->name);
	}
	if (e->trigger.set != 0 && e->from)
		buf_printf(to, ", once it is good in %s", e->from);
	if (e->soak_ms > 0) {
		buf_puts(to, " for ");
		guide_put_duration(to, e->soak_ms);
	}
	if (e->approve.set != 0) {
		buf_puts(to, "; waits for ");
		guide_put_approval(to, e);
	}
}

void guide_put_probe(struct buf *to, const struct app_probe *probe)
{
	if (!probe->get) {
		guide_put_command(to, &probe->run);
		buf_puts(to, " ends with 0");
		return;
	}
	buf_printf(to, "GET %s", probe->get);
	if (probe->expect > 0)
		buf_printf(to, " answers %u", probe->expect);
	if (probe->contains)
		buf_printf(to, " and has \"%s\"", probe->contains);
}
