/* SPDX-License-Identifier: Apache-2.0
 * replay_show - see replay_show.h for the contract. */
#include "daemon/replay_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/ask.h"
#include "cli/screen.h"
#include "judge/line.h"

enum { LINE_MAX_BYTES = 4096, NUMBER_SIZE = 40 };

/* --- as people read it */

static void print(struct buf *text)
{
	fputs(buf_text(text), stdout);
	buf_done(text);
}

static const char *count_text(uint64_t count, char to[NUMBER_SIZE])
{
	struct judge_line line = {.to = to, .size = NUMBER_SIZE};
	judge_line_count(&line, count);
	return to;
}

static const char *odds_text(double odds, char to[NUMBER_SIZE])
{
	struct judge_line line = {.to = to, .size = NUMBER_SIZE};
	judge_line_odds(&line, odds);
	return to;
}

/* Minutes, seconds, tenths: ticks are that short. */
static const char *time_text(uint64_t ms, char to[NUMBER_SIZE])
{
	snprintf(to, NUMBER_SIZE, "%" PRIu64 ":%02u.%u", ms / 60000, (unsigned)(ms / 1000 % 60),
		 (unsigned)(ms / 100 % 10));
	return to;
}

static void put_settings(const struct cli *cli, struct buf *to, const char *what,
			 const struct judge_settings *s)
{
	const struct judge_proportion_settings *e = &s->metrics[JUDGE_METRIC_ERRORS].proportion;
	screen_put(cli, to, TONE_PLAIN,
		   "%-13salpha %.4g%%, beta %.4g%%; errors: worse by %.4g%%, or %.4g points; pass "
		   "below %.4g%%\n",
		   what, s->alpha * 100, s->beta * 100, (e->ratio - 1) * 100, e->points * 100,
		   e->fine_share * 100);
}

static bool is_changed(const struct replay *r)
{
	const struct replay_changes *c = &r->changes;
	return c->alpha >= 0 || c->beta >= 0 || c->worse_by >= 0 || c->or_points >= 0 ||
	       c->pass_below >= 0;
}

static void print_head(const struct cli *cli, const struct replay *r)
{
	const struct tick_text_reader *head = &r->reader;
	struct buf text;
	buf_init(&text, LINE_MAX_BYTES);
	if (head->rollout > 0)
		screen_put(cli, &text, TONE_PLAIN, "rollout %u: ", head->rollout);
	if (head->new_tag[0] && head->live_tag[0])
		screen_put(cli, &text, TONE_PLAIN, "%s against %s", head->new_tag, head->live_tag);
	else if (head->new_tag[0])
		screen_put(cli, &text, TONE_PLAIN, "%s", head->new_tag);
	if (text.size > 0)
		buf_puts(&text, "\n");
	put_settings(cli, &text, "judged with", &r->was);
	if (is_changed(r))
		put_settings(cli, &text, "now with", &r->judge.settings);
	print(&text);
}

static void print_titles(const struct cli *cli, const struct replay *r)
{
	struct buf text;
	char time[NUMBER_SIZE], requests[NUMBER_SIZE], errors[NUMBER_SIZE];
	buf_init(&text, LINE_MAX_BYTES);
	if (r->past.requests > 0)
		screen_put(cli, &text, TONE_PLAIN,
			   "learnt from   %s of the live release alone: %s requests, %s errors\n",
			   time_text(r->past_ms, time), count_text(r->past.requests, requests),
			   count_text(r->past.errors, errors));
	if (r->began)
		screen_put(cli, &text, TONE_FAINT, "\n%9s %11s %9s %11s %9s %18s %18s  %s\n",
			   "time", "new", "errors", "live", "errors", "worse", "fine", "verdict");
	print(&text);
}

static enum screen_tone tone_of(enum judge_verdict verdict)
{
	return verdict == JUDGE_VERDICT_FAIL   ? TONE_BAD
	       : verdict == JUDGE_VERDICT_PASS ? TONE_GOOD
					       : TONE_PLAIN;
}

static void print_row(const struct cli *cli, const struct replay *r)
{
	char cells[7][NUMBER_SIZE];
	struct buf text;
	buf_init(&text, LINE_MAX_BYTES);
	screen_put(cli, &text, TONE_PLAIN, "%9s %11s %9s %11s %9s %18s %18s  ",
		   time_text(replay_time_ms(r), cells[0]), count_text(r->fresh.requests, cells[1]),
		   count_text(r->fresh.errors, cells[2]), count_text(r->live.requests, cells[3]),
		   count_text(r->live.errors, cells[4]), odds_text(judge_odds(&r->judge), cells[5]),
		   odds_text(judge_fine(&r->judge), cells[6]));
	screen_put(cli, &text, tone_of(r->result.verdict), "%s\n",
		   judge_verdict_name(r->result.verdict));
	print(&text);
}

static void print_mark(const struct cli *cli, const struct replay *r)
{
	static const char *const texts[] = {
		[TICK_TEXT_STEP] = "a step begins",
		[TICK_TEXT_WARM] = "an instance of the new release warms up",
		[TICK_TEXT_REPLACE] = "an instance of the new release is replaced"};
	char time[NUMBER_SIZE];
	struct buf text;
	buf_init(&text, LINE_MAX_BYTES);
	screen_put(cli, &text, TONE_FAINT, "%9s %s\n", time_text(replay_time_ms(r), time),
		   texts[r->reader.line]);
	print(&text);
}

static void print_verdict(const struct cli *cli, const struct judge_result *result,
			  const char *when)
{
	struct buf text;
	buf_init(&text, LINE_MAX_BYTES);
	screen_put(cli, &text, tone_of(result->verdict), "%s", judge_verdict_name(result->verdict));
	screen_put(cli, &text, TONE_PLAIN, " %s: %s.\n", when, result->sentence);
	print(&text);
}

static void print_end(const struct cli *cli, const struct replay *r)
{
	char time[NUMBER_SIZE], when[NUMBER_SIZE + 8];
	putchar('\n');
	if (r->failed) {
		snprintf(when, sizeof when, "after %s", time_text(r->failed_ms, time));
		print_verdict(cli, &r->failure, when);
	}
	if (!r->failed || replay_time_ms(r) != r->failed_ms)
		print_verdict(cli, &r->result, "at the end");
}

/* --- as programs read it */

static json_t *settings_to_json(const struct judge_settings *s)
{
	const struct judge_proportion_settings *e = &s->metrics[JUDGE_METRIC_ERRORS].proportion;
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "alpha", s->alpha, "beta", s->beta,
			 "worse_by", e->ratio - 1, "or_points", e->points, "pass_below",
			 e->fine_share);
}

static json_t *counts_to_json(const struct replay_counts *c)
{
	return json_pack("{s:I, s:I}", "requests", (json_int_t)c->requests, "errors",
			 (json_int_t)c->errors);
}

static json_t *metrics_to_json(const struct judge *j)
{
	json_t *metrics = json_object();
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++) {
		const struct judge_proportion *p = &j->metrics[m];
		if (!judge_metric_is_on(j, m))
			continue;
		json_object_set_new(metrics, j->settings.metrics[m].name,
				    json_pack("{s:f, s:f, s:f, s:f, s:b, s:f, s:f, s:f, s:f}",
					      "share_of_odds", judge_share_of_odds(j, m), "odds",
					      judge_proportion_worse(p), "fine",
					      judge_proportion_fine(p), "phi",
					      judge_dispersion_phi(&p->dispersion), "gates",
					      judge_gates(j, m), "new_requests", p->new_requests,
					      "new_events", p->new_events, "live_requests",
					      p->live_requests, "live_events", p->live_events));
	}
	return metrics;
}

static void print_head_json(const struct replay *r)
{
	ask_print(json_pack("{s:s, s:I, s:s, s:s, s:o, s:o}", "schema", "davit.v1/judge", "rollout",
			    (json_int_t)r->reader.rollout, "new", r->reader.new_tag, "live",
			    r->reader.live_tag, "judged_with", settings_to_json(&r->was),
			    "now_with", settings_to_json(&r->judge.settings)));
}

static void print_past_json(const struct replay *r)
{
	ask_print(json_pack("{s:s, s:I, s:o}", "schema", "davit.v1/judge-past", "past_ms",
			    (json_int_t)r->past_ms, "live", counts_to_json(&r->past)));
}

static void print_row_json(const struct replay *r)
{
	ask_print(json_pack("{s:s, s:I, s:o, s:o, s:f, s:f, s:f, s:f, s:s, s:o}", "schema",
			    "davit.v1/judge-tick", "time_ms", (json_int_t)replay_time_ms(r), "new",
			    counts_to_json(&r->fresh), "live", counts_to_json(&r->live), "odds",
			    judge_odds(&r->judge), "fine", judge_fine(&r->judge), "phi",
			    judge_dispersion_phi(&r->judge.metrics[JUDGE_METRIC_ERRORS].dispersion),
			    "division_odds", sample_ratio_odds(&r->judge.division), "verdict",
			    judge_verdict_name(r->result.verdict), "metrics",
			    metrics_to_json(&r->judge)));
}

static void print_mark_json(const struct replay *r)
{
	static const char *const names[] = {
#define X(name, text) text,
		TICK_TEXT_LINES(X)
#undef X
	};
	ask_print(json_pack("{s:s, s:I, s:s}", "schema", "davit.v1/judge-mark", "time_ms",
			    (json_int_t)replay_time_ms(r), "mark", names[r->reader.line]));
}

static void put_result(json_t *o, const struct judge_result *result, uint64_t time_ms)
{
	json_object_set_new(o, "verdict", json_string(judge_verdict_name(result->verdict)));
	json_object_set_new(o, "rule", json_string(result->rule));
	json_object_set_new(o, "sentence", json_string(result->sentence));
	json_object_set_new(o, "time_ms", json_integer((json_int_t)time_ms));
}

static void print_end_json(const struct replay *r, int code)
{
	json_t *o = json_pack("{s:s, s:i}", "schema", "davit.v1/judge-verdict", "exit_code", code);
	json_t *end = json_object();
	put_result(o, r->failed ? &r->failure : &r->result,
		   r->failed ? r->failed_ms : replay_time_ms(r));
	put_result(end, &r->result, replay_time_ms(r));
	json_object_set_new(o, "end", end);
	ask_print(o);
}

/* --- both */

static void title(struct show *show, const struct replay *r)
{
	if (show->titled)
		return;
	show->titled = true;
	show->cli->json ? print_past_json(r) : print_titles(show->cli, r);
}

static void row(struct show *show, const struct replay *r)
{
	show->pending = false;
	show->cli->json ? print_row_json(r) : print_row(show->cli, r);
}

static void show_tick(struct show *show, const struct replay *r)
{
	uint64_t now = replay_time_ms(r);
	if (!r->began)
		return;
	title(show, r);
	show->pending = true;
	if (now < show->next_ms && (!r->failed || show->failed))
		return;
	show->failed = r->failed;
	show->next_ms = show->every_ms > 0 ? now - now % show->every_ms + show->every_ms : 0;
	row(show, r);
}

void show_line(struct show *show, const struct replay *r)
{
	if (r->reader.line == TICK_TEXT_HEAD)
		show->cli->json ? print_head_json(r) : print_head(show->cli, r);
	else if (r->reader.line == TICK_TEXT_TICK)
		show_tick(show, r);
	else if (r->began)
		show->cli->json ? print_mark_json(r) : print_mark(show->cli, r);
}

int show_end(struct show *show, const struct replay *r)
{
	int code = r->failed                                 ? CLI_ROLLED_BACK
		   : r->result.verdict == JUDGE_VERDICT_PASS ? CLI_OK
							     : CLI_STILL_RUNNING;
	title(show, r);
	if (show->pending)
		row(show, r);
	show->cli->json ? print_end_json(r, code) : print_end(show->cli, r);
	return code;
}
