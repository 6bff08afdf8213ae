/* SPDX-License-Identifier: Apache-2.0
 * build_show - see build_show.h for the contract. */
#include "daemon/build_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/screen.h"

enum { PAGE_MAX = 256 << 10, LINE_MAX_SHOWN = 4000, CHANGES_SHOWN = 5, SHORT_ID = 12 };

/* --- lines */

static void keep(struct build_tail *tail, const char *text)
{
	free(tail->lines[tail->next]);
	tail->lines[tail->next] = mem_copy_text(text);
	tail->next = (tail->next + 1) % BUILD_SHOW_TAIL;
	if (tail->count < BUILD_SHOW_TAIL)
		tail->count++;
}

static void print(struct buf *page)
{
	fwrite(buf_text(page), 1, page->size, stdout);
	fflush(stdout);
	buf_done(page);
}

void build_show_line(struct build_show *show, uint32_t stage, const char *text, size_t size)
{
	char line[LINE_MAX_SHOWN + 1];
	size_t used = size < LINE_MAX_SHOWN ? size : LINE_MAX_SHOWN;
	for (size_t i = 0; i < used;
	     i++) /* a NUL would end it, a tab would be shown as what it is */
		line[i] = text[i] == '\t' || text[i] == '\0' ? ' ' : text[i];
	line[used] = '\0';
	if (used > 0 && line[used - 1] == '\r')
		line[used - 1] = '\0';
	keep(&show->tails[stage], line);
	if (show->cli->json || !show->cli->terminal)
		return;
	struct buf page;
	buf_init(&page, PAGE_MAX);
	screen_put(show->cli, &page, TONE_FAINT, "%-*s | ", (int)show->width,
		   run_stage(show->run, stage).name);
	screen_put_foreign(&page, line);
	buf_puts(&page, "\n");
	print(&page);
}

/* --- changes */

static void put_sentence(struct buf *to, const char *sentence)
{
	buf_puts(to, "  ");
	screen_put_foreign(to, sentence);
}

/* What is worth saying beside the state. */
static void put_notes(const struct run_stage *stage, struct buf *to)
{
	const struct builder_result *result = stage->result;
	const struct graph_stage *graph = stage->graph;
	if (graph->state == GRAPH_SKIPPED) {
		if (stage->blame)
			buf_printf(to, "  %s failed", stage->blame);
		else
			buf_puts(to, "  left out");
		return;
	}
	if (result->tested)
		buf_printf(to, "  %u of %u tests passed",
			   result->tests.tests - result->tests.failed - result->tests.skipped,
			   result->tests.tests);
	if (result->tested && result->tests.skipped > 0)
		buf_printf(to, ", %u skipped", result->tests.skipped);
	if (result->scanned)
		buf_printf(to, "  findings: %u new, %u known", result->findings.fresh,
			   result->findings.known);
	if (result->scanned && result->findings.fixed > 0)
		buf_printf(to, ", %u fixed", result->findings.fixed);
	if (result->scanned && result->findings.waived > 0)
		buf_printf(to, ", %u waived", result->findings.waived);
	if (result->cached)
		buf_puts(to, "  from its cache");
	if (graph->attempt > 1)
		buf_printf(to, "  attempt %u", graph->attempt);
	if (graph->state == GRAPH_FAILED && graph->stop == GRAPH_STOP_TIMEOUT)
		buf_puts(to, "  Its time was over.");
	else if (graph->state == GRAPH_FAILED)
		put_sentence(to, result->sentence);
}

static void put_row(const struct build_show *show, uint32_t index, struct buf *to)
{
	struct run_stage stage = run_stage(show->run, index);
	const char *state = graph_state_name(stage.graph->state);
	const char *look = stage.graph->state == GRAPH_PASSED ? "pass" : state;
	char took[32] = "";
	if (stage.graph->attempt > 0 && stage.graph->state != GRAPH_RUNNING)
		screen_duration(stage.took_ms, took);
	screen_put(show->cli, to, screen_tone(look), "%s %-9s", screen_glyph(show->cli, look),
		   state);
	buf_printf(to, "  %-*s  %6s", (int)show->width, stage.name, took);
	put_notes(&stage, to);
	while (to->size > 0 && to->data[to->size - 1] == ' ')
		to->data[--to->size] = '\0';
	buf_puts(to, "\n");
}

static json_t *tests_json(const struct builder_tests *tests)
{
	json_t *names = json_array();
	for (uint32_t i = 0; i < tests->name_count; i++) {
		char safe[4 * BUILDER_TEST_NAME_SIZE];
		text_escape(tests->names[i], strlen(tests->names[i]), safe, sizeof safe);
		json_array_append_new(names, json_string(safe));
	}
	return json_pack("{s:i,s:i,s:i,s:o}", "tests", (int)tests->tests, "failed",
			 (int)tests->failed, "skipped", (int)tests->skipped, "failed_names", names);
}

static json_t *findings_json(const struct builder_findings *f)
{
	return json_pack("{s:i,s:i,s:i,s:i,s:i,s:s}", "new", (int)f->fresh, "existing",
			 (int)f->known, "fixed", (int)f->fixed, "waived", (int)f->waived,
			 "suppressed", (int)f->suppressed, "since", f->since);
}

static json_t *stage_json(const struct build_show *show, uint32_t index)
{
	struct run_stage stage = run_stage(show->run, index);
	bool timeout =
		stage.graph->state == GRAPH_FAILED && stage.graph->stop == GRAPH_STOP_TIMEOUT;
	char log[CHECKOUT_PATH_SIZE + 64];
	json_t *o = json_pack("{s:s,s:s,s:i,s:I}", "stage", stage.name, "state",
			      graph_state_name(stage.graph->state), "attempt",
			      (int)stage.graph->attempt, "took_ms", (json_int_t)stage.took_ms);
	if (stage.graph->state == GRAPH_FAILED)
		json_object_set_new(
			o, "why",
			json_string(timeout ? "Its time was over." : stage.result->sentence));
	if (stage.blame)
		json_object_set_new(o, "blame", json_string(stage.blame));
	if (stage.result->code >= 0 && stage.graph->attempt > 0 &&
	    stage.graph->state != GRAPH_RUNNING)
		json_object_set_new(o, "exit_code", json_integer(stage.result->code));
	if (stage.result->tested)
		json_object_set_new(o, "tests", tests_json(&stage.result->tests));
	if (stage.result->scanned)
		json_object_set_new(o, "findings", findings_json(&stage.result->findings));
	if (stage.result->cached)
		json_object_set_new(o, "cached", json_true());
	if (stage.graph->attempt > 0) {
		snprintf(log, sizeof log, "%s/logs/%s.log", show->directory, stage.name);
		json_object_set_new(o, "log", json_string(log));
	}
	return o;
}

void build_show_change(struct build_show *show, uint32_t stage)
{
	struct buf page;
	if (show->cli->json) {
		json_t *o = json_pack("{s:s}", "schema", "davit.v1/build-stage");
		json_t *about = stage_json(show, stage);
		json_object_update(o, about);
		json_decref(about);
		ask_print(o);
		fflush(stdout);
		return;
	}
	buf_init(&page, PAGE_MAX);
	put_row(show, stage, &page);
	print(&page);
}

/* --- the beginning */

static void put_changes(struct build_show *show, const struct buf *changes, struct buf *page)
{
	const char *at = buf_text(changes), *end = at + changes->size;
	if (!show->changes_known)
		buf_puts(page, "Whether there are changes that are not committed is not known.\n");
	for (; at < end; at += strlen(at) + 1) {
		if (show->changes++ < CHANGES_SHOWN) {
			buf_puts(page, show->changes == 1
					       ? "Not part of it, for it is not committed: "
					       : ", ");
			screen_put_foreign(page, strlen(at) > 3 ? at + 3 : at);
		}
	}
	if (show->changes > CHANGES_SHOWN)
		buf_printf(page, " and %u more", show->changes - CHANGES_SHOWN);
	if (show->changes > 0)
		buf_puts(page, ".\n");
}

void build_show_begin(struct build_show *show, const struct buf *changes)
{
	const struct checkout *c = show->checkout;
	struct buf page;
	buf_init(&page, PAGE_MAX);
	for (uint32_t i = 0; i < run_count(show->run); i++) {
		uint32_t size = (uint32_t)strlen(show->app->stages[i].name);
		show->width = size > show->width ? size : show->width;
	}
	buf_printf(&page, "Building %s at %.*s%s%s%s: ", show->app->name, SHORT_ID, c->commit,
		   c->branch[0] ? " (" : "", c->branch, c->branch[0] ? ")" : "");
	buf_puts(&page, c->subject);
	buf_puts(&page, "\n");
	put_changes(show, changes, &page);
	if (show->cli->json)
		buf_done(&page);
	else
		print(&page);
}

/* --- the end */

static const char *outcome_name(const struct build_show *show)
{
	return graph_state_name(run_outcome(show->run));
}

static int end_json(const struct build_show *show, int code)
{
	json_t *stages = json_array();
	for (uint32_t i = 0; i < run_count(show->run); i++)
		json_array_append_new(stages, stage_json(show, i));
	ask_print(json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?,s:i,s:o}", "schema", "davit.v1/build", "app",
			    show->app->name, "commit", show->checkout->commit, "branch",
			    show->checkout->branch, "outcome", outcome_name(show), "archive",
			    show->archive, "uncommitted", (int)show->changes, "stages", stages));
	return code;
}

static void put_failed(const struct build_show *show, uint32_t index, struct buf *page)
{
	struct run_stage stage = run_stage(show->run, index);
	const struct build_tail *tail = &show->tails[index];
	const struct builder_tests *tests = &stage.result->tests;
	if (tail->count > 0)
		buf_printf(page, "\nThe last lines of %s:\n", stage.name);
	for (uint32_t i = 0; i < tail->count; i++) {
		uint32_t at = (tail->next + BUILD_SHOW_TAIL - tail->count + i) % BUILD_SHOW_TAIL;
		buf_puts(page, "  ");
		screen_put_foreign(page, tail->lines[at]);
		buf_puts(page, "\n");
	}
	if (stage.result->tested && tests->name_count > 0)
		buf_puts(page, "Failed tests:\n");
	for (uint32_t i = 0; stage.result->tested && i < tests->name_count; i++) {
		buf_puts(page, "  ");
		screen_put_foreign(page, tests->names[i]);
		buf_puts(page, "\n");
	}
}

static void put_next(const struct build_show *show, struct buf *page)
{
	switch (run_outcome(show->run)) {
	case GRAPH_PASSED:
		if (show->archive)
			buf_printf(page, "Archive: %s\nNext: davit deploy %s %s\n", show->archive,
				   show->app->environments[0].name, show->archive);
		else
			buf_puts(page, "No archive was made: no stage that ran has \"archive\".\n");
		break;
	case GRAPH_FAILED:
		for (uint32_t i = 0; i < run_count(show->run); i++)
			if (run_stage(show->run, i).graph->state == GRAPH_FAILED) {
				buf_printf(page,
					   "Next: less %s/logs/%s.log   (all that it wrote)\n",
					   show->directory, run_stage(show->run, i).name);
				break;
			}
		break;
	case GRAPH_PENDING:
	case GRAPH_RUNNING:
	case GRAPH_SKIPPED:
	case GRAPH_CANCELLED:
	case GRAPH_STATE_COUNT: buf_puts(page, "Cancelled; everything was stopped.\n"); break;
	}
}

int build_show_end(struct build_show *show)
{
	enum graph_state outcome = run_outcome(show->run);
	int code = outcome == GRAPH_PASSED   ? CLI_OK
		   : outcome == GRAPH_FAILED ? CLI_PIPELINE_FAILED
					     : CLI_DETACHED;
	struct buf page;
	if (show->cli->json)
		return end_json(show, code);
	buf_init(&page, PAGE_MAX);
	buf_puts(&page, "\n");
	for (uint32_t i = 0; i < run_count(show->run); i++)
		put_row(show, i, &page);
	for (uint32_t i = 0; i < run_count(show->run); i++)
		if (run_stage(show->run, i).graph->state == GRAPH_FAILED)
			put_failed(show, i, &page);
	put_next(show, &page);
	print(&page);
	return code;
}

void build_show_done(struct build_show *show)
{
	for (uint32_t i = 0; i < GRAPH_STAGES_MAX; i++)
		for (uint32_t k = 0; k < BUILD_SHOW_TAIL; k++)
			free(show->tails[i].lines[k]);
}
