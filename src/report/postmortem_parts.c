/* SPDX-License-Identifier: Apache-2.0
 * postmortem_parts - the document, section by section: see postmortem.h. Everything is written once, for both
 * languages; a section of which nothing is known says so. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/chart.h"
#include "report/postmortem.h"
#include "report/words.h"
#include "report/writer.h"

enum { TEXT = 3 * POSTMORTEM_TEXT_SIZE, NUMBER = 24, META = 20 };

static const double MINUTE_MS = 60000;

static void say(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct writer *w, const char *format, ...)
{
	char text[TEXT];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	w->ops->paragraph(w, text);
}

static void row(struct writer *w, const char *name, const char *value)
{
	const struct writer_cell cells[] = {{name, WRITER_PLAIN}, {value, WRITER_PLAIN}};
	w->ops->row(w, cells, 2);
}

static void write_meta(const struct postmortem *p, struct writer *w)
{
	char id[NUMBER + 16], number[NUMBER], due[16], ended[WORDS_SIZE], started[WORDS_SIZE];
	snprintf(id, sizeof id, "postmortem-%u", p->number);
	snprintf(number, sizeof number, "%u", p->number);
	text_format_time(p->started_unix_ms, started, sizeof started);
	text_format_time(p->ended_unix_ms, ended, sizeof ended);
	const char *pairs[META][2] = {{"id", id},
				      {"service", p->app},
				      {"environment", p->environment},
				      {"severity_proposed", postmortem_severity(p)},
				      {"status", "draft"},
				      {"owner", ""},
				      {"review_due", postmortem_review_due(p, due)},
				      {"rollout", number},
				      {"kind", p->kind},
				      {"strategy", p->strategy},
				      {"outcome", p->state},
				      {"started", started},
				      {"ended", ended},
				      {"bad_version", p->bad.tag},
				      {"bad_release", p->bad.id},
				      {"bad_artifact", p->bad.artifact},
				      {"back_on_version", p->back.tag},
				      {"back_on_release", p->back.id},
				      {"back_on_artifact", p->back.artifact},
				      {"audit_hash", p->chain}};
	w->ops->meta(w, (const char *const(*)[2])pairs, META);
}

static void write_summary(const struct postmortem *p, struct writer *w)
{
	char sentences[3][2 * POSTMORTEM_TEXT_SIZE], all[TEXT * 2];
	bool well = p->validated_ms > 0 || strcmp(p->state, "reverted") == 0 ||
		    strcmp(p->state, "succeeded") == 0;
	postmortem_summary(p, sentences);
	snprintf(all, sizeof all, "%s %s %s", sentences[0], sentences[1], sentences[2]);
	w->ops->heading(w, 1, "Summary");
	w->ops->state(w, well ? WRITER_GOOD : WRITER_BAD, p->state,
		      well ? "The service is back on a release that was validated."
			   : "The way back did not succeed; the service may be degraded.");
	w->ops->paragraph(w, all);
}

static void traffic_row(struct writer *w, const char *name,
			const struct postmortem_release *release,
			const struct postmortem_traffic *t)
{
	char requests[WORDS_SIZE], errors[WORDS_SIZE], share[WORDS_SIZE], p50[WORDS_SIZE],
		p99[WORDS_SIZE];
	const struct writer_cell cells[] = {
		{name, WRITER_PLAIN},
		{release->tag[0] ? release->tag : "-", WRITER_PLAIN},
		{words_count(t->requests, requests), WRITER_NUMBER},
		{words_count(t->errors, errors), WRITER_NUMBER},
		{words_share(t->errors, t->requests, share), WRITER_NUMBER},
		{words_latency(t->p50_us, p50), WRITER_NUMBER},
		{words_latency(t->p99_us, p99), WRITER_NUMBER}};
	w->ops->row(w, cells, 7);
}

static void write_impact(const struct postmortem *p, struct writer *w)
{
	static const char *const titles[] = {"release", "version", "requests", "failed",
					     "share",   "p50",     "p99"};
	char number[WORDS_SIZE], most[WORDS_SIZE], whole[WORDS_SIZE], text[TEXT];
	w->ops->heading(w, 1, "Impact");
	if (p->exposed_unix_ms == 0) {
		w->ops->paragraph(w, "No share of the users' requests was ever given to it.");
	} else {
		snprintf(text, sizeof text,
			 "Exposure: %s at up to %s of the traffic, as much as %s of all of it (the "
			 "share that "
			 "it was given, added up over time).",
			 words_duration(p->exposed_ms, number),
			 text_format_share(p->weight_most_bp, most, sizeof most),
			 words_duration((uint64_t)(p->exposure_minutes * MINUTE_MS + 0.5), whole));
		w->ops->paragraph(w, text);
	}
	if (p->counted) {
		w->ops->table(
			w, "Requests since the rollout began, counted one by one in the gateway.",
			titles, 7);
		traffic_row(w, "bad", &p->bad, &p->new_traffic);
		traffic_row(w, "live", &p->back, &p->live_traffic);
		w->ops->table_end(w);
	} else {
		w->ops->paragraph(w, "Its requests were not counted in this rollout.");
	}
	if (p->counted && p->expected >= 0) {
		double more = (double)p->new_traffic.errors - p->expected;
		say(w,
		    "At the live release's share of failures %s of them would have failed; %s more "
		    "than "
		    "that did.",
		    words_decimal(p->expected, number), words_decimal(more > 0 ? more : 0, whole));
	}
	w->ops->question(w, "What did it mean to users and to the business?");
}

static void write_detection(const struct postmortem *p, struct writer *w)
{
	static const char *const titles[] = {"what", "value"};
	const struct postmortem_ticks *t = &p->ticks;
	char text[TEXT], number[WORDS_SIZE], when[WORDS_SIZE], at[32];
	w->ops->heading(w, 1, "Detection");
	w->ops->table(w, "", titles, 2);
	row(w, "found by", postmortem_finder_text(p->finder));
	if (p->verdict_unix_ms > 0)
		row(w, "verdict", words_moment(p->verdict_unix_ms, when));
	if (p->step[0])
		row(w, "at the step", p->step);
	if (p->verdict[0])
		row(w, "evidence", p->verdict);
	if (t->failed) {
		row(w, "deciding metric", t->metric);
		snprintf(text, sizeof text, "%s after its first request, by %s of its requests",
			 chart_time(t->first_bad_ms, at),
			 words_count(t->requests_until_bad, number));
		row(w, "first bad tick", text);
		snprintf(text, sizeof text, "%s, %s of its requests",
			 words_duration(t->failed_ms - t->first_bad_ms, when),
			 words_count(t->requests_until_failed - t->requests_until_bad, number));
		row(w, "time to detect", text);
	}
	w->ops->table_end(w);
	if (t->failed)
		say(w, "The first bad tick is the tick after which the evidence of the deciding "
		       "metric never was as "
		       "low again until the verdict: all of the evidence that decided was gathered "
		       "between the two.");
	else if (t->known)
		say(w, "Statistics judged it too, and had not decided when it was taken back; so "
		       "there is no "
		       "first bad tick to count from.");
	else
		say(w, "Statistics did not judge it, or their ticks are not kept any more: when it "
		       "began to be "
		       "bad is not known.");
}

static void write_step(struct writer *w, const char *name, const char *when, const char *took,
		       enum writer_tone tone, const char *result)
{
	const struct writer_cell cells[] = {
		{name, WRITER_PLAIN}, {when, WRITER_PLAIN}, {took, WRITER_NUMBER}, {result, tone}};
	w->ops->row(w, cells, 4);
}

static void write_response(const struct postmortem *p, struct writer *w)
{
	static const char *const titles[] = {"step", "when", "took", "result"};
	char when[WORDS_SIZE], took[WORDS_SIZE], text[TEXT];
	uint64_t zero_at = p->verdict_unix_ms + p->zero_ms;
	bool switched = p->zero_ms > 0, validated = p->validated_ms > 0;
	w->ops->heading(w, 1, "Response and recovery");
	w->ops->table(w, "The four steps of the rollback procedure.", titles, 4);
	/* Where no tick says when it began to be bad: since users have met it. */
	bool met = p->exposed_unix_ms > 0 && p->verdict_unix_ms > p->exposed_unix_ms;
	if (p->ticks.failed)
		words_duration(p->ticks.failed_ms - p->ticks.first_bad_ms, took);
	else if (met)
		words_duration(p->verdict_unix_ms - p->exposed_unix_ms, took);
	snprintf(text, sizeof text, "found by %s in %s/%s", postmortem_finder_text(p->finder),
		 p->app, p->environment);
	write_step(w, "1 identify",
		   p->verdict_unix_ms ? words_moment(p->verdict_unix_ms, when) : "-",
		   p->ticks.failed || met ? took : "-", WRITER_GOOD, text);
	snprintf(text, sizeof text, "no request for %s any more",
		 p->bad.tag[0] ? p->bad.tag : "it");
	write_step(w, "2 switch", switched ? words_moment(zero_at, when) : "-",
		   switched ? words_duration(p->zero_ms, took) : "-",
		   switched ? WRITER_GOOD : WRITER_PLAIN, switched ? text : "not measured");
	snprintf(text, sizeof text, "%s serves everything, all of its instances healthy",
		 p->back.tag[0] ? p->back.tag : "the release before");
	write_step(w, "3 validate", validated ? words_moment(p->ended_unix_ms, when) : "-",
		   validated ? words_duration(p->validated_ms, took) : "-",
		   validated ? WRITER_GOOD : WRITER_BAD,
		   validated ? text : "it did not come to that");
	write_step(w, "4 post-mortem", words_moment(p->ended_unix_ms, when), "-", WRITER_GOOD,
		   "this draft, by davit");
	w->ops->table_end(w);
	if (validated && p->verdict_unix_ms > 0)
		say(w, "From the verdict to a validated service: %s.",
		    words_duration(p->ended_unix_ms - p->verdict_unix_ms, took));
}

static void write_timeline(const struct postmortem *p, struct writer *w)
{
	static const char *const titles[] = {"when (UTC)", "who", "what", "", "event"};
	char when[WORDS_SIZE];
	w->ops->heading(w, 1, "Timeline");
	w->ops->table(
		w,
		"Lines made by davit, each with the event it stands for; add notes, do not change "
		"these.",
		titles, 5);
	for (uint32_t i = 0; i < p->line_count; i++) {
		const struct postmortem_line *l = &p->lines[i];
		text_format_time(l->at_unix_ms, when, sizeof when);
		const struct writer_cell cells[] = {
			{when, WRITER_NUMBER},
			{l->by_person ? "a person" : "davit", WRITER_PLAIN},
			{l->what, WRITER_PLAIN},
			{l->text, WRITER_PLAIN},
			{l->event, WRITER_NUMBER}};
		w->ops->row(w, cells, 5);
	}
	w->ops->table_end(w);
	if (p->lines_left_out > 0)
		say(w, "%u earlier lines are left out; davit audit has them.", p->lines_left_out);
}

static void say_commit(struct writer *w, const char *which, const struct postmortem_release *r)
{
	if (r->commit[0])
		say(w, "%s is commit %.12s of %s: %s", which, r->commit, r->author, r->subject);
	else if (r->id[0])
		say(w, "%s was not built here: its commit is not known.", which);
}

static void write_commits(const struct postmortem *p, struct writer *w)
{
	static const char *const titles[] = {"commit", "made (UTC)", "subject"};
	if (!p->bad.commit[0] || !p->back.commit[0])
		return;
	if (!p->commits_known || p->commit_count == 0) {
		say(w, "%s",
		    p->commits_known ? "It has no commit that the one before had not."
				     : "Which commits lie between the two is not known.");
		return;
	}
	w->ops->table(w, "Commits of the bad release that the one before had not, newest first.",
		      titles, 3);
	for (uint32_t i = 0; i < p->commit_count; i++) {
		const struct postmortem_commit *c = &p->commits[i];
		char when[32] = "-", id[16];
		if (c->committed_unix_ms > 0)
			text_format_time(c->committed_unix_ms, when, sizeof when);
		snprintf(id, sizeof id, "%.12s", c->id);
		const struct writer_cell cells[] = {
			{id, WRITER_NUMBER}, {when, WRITER_NUMBER}, {c->subject, WRITER_PLAIN}};
		w->ops->row(w, cells, 3);
	}
	w->ops->table_end(w);
	if (p->commits_left_out > 0)
		say(w, "%u older ones are left out.", p->commits_left_out);
	if (p->commits_cut)
		say(w, "There are more than davit reads.");
}

static void write_changes(const struct postmortem *p, struct writer *w)
{
	static const char *const titles[] = {"key", "before", "in the bad release"};
	w->ops->heading(w, 1, "What changed");
	say(w, "Artifact: %s",
	    !p->back.artifact[0] ? "there was no release before."
	    : strcmp(p->bad.artifact, p->back.artifact) == 0
		    ? "the same files as in the release before."
		    : "other files than in the release before.");
	say_commit(w, "The bad release", &p->bad);
	say_commit(w, "The one before", &p->back);
	write_commits(p, w);
	if (!p->compared) {
		w->ops->paragraph(w, "There is no configuration to compare with.");
		return;
	}
	if (p->change_count == 0) {
		w->ops->paragraph(w, "Configuration: no key differs.");
		return;
	}
	w->ops->table(w, "Keys of the resolved configuration that differ.", titles, 3);
	for (uint32_t i = 0; i < p->change_count; i++) {
		const struct postmortem_change *c = &p->changes[i];
		const struct writer_cell cells[] = {{c->key, WRITER_PLAIN},
						    {c->hidden    ? c->from[0] ? "(a value)" : "-"
						     : c->from[0] ? c->from
								  : "-",
						     WRITER_PLAIN},
						    {c->hidden  ? c->to[0] ? "(another value)" : "-"
						     : c->to[0] ? c->to
								: "-",
						     WRITER_PLAIN}};
		w->ops->row(w, cells, 3);
	}
	w->ops->table_end(w);
	if (p->changes_left_out > 0)
		say(w, "%u more keys differ.", p->changes_left_out);
}

static void begin_chart(const struct postmortem *p, struct chart *c, const char *id)
{
	const struct postmortem_ticks *t = &p->ticks;
	memset(c, 0, sizeof *c);
	text_copy(c->id, sizeof c->id, id);
	c->total_ms = t->total_ms;
	c->point_ms = t->bin_ms;
	c->point_count = t->bin_count;
	c->mark_ms = t->failed ? t->failed_ms : 0;
	text_copy(c->mark_text, sizeof c->mark_text, "verdict");
	c->band_count = t->band_count;
	for (uint32_t i = 0; i < t->band_count; i++) {
		c->bands[i].at_ms = t->bands[i].at_ms;
		text_copy(c->bands[i].label, sizeof c->bands[i].label, t->bands[i].label);
	}
	text_copy(c->caption, sizeof c->caption,
		  "Time since the first request of the new release; bands are the steps.");
}

static double share_of(uint64_t part, uint64_t whole)
{
	return whole == 0 ? -1 : 100.0 * (double)part / (double)whole;
}

static double ms_of(uint64_t us)
{
	return us == 0 ? -1 : (double)us / 1000;
}

static void write_charts(const struct postmortem *p, struct writer *w)
{
	const struct postmortem_ticks *t = &p->ticks;
	static const char *const names[] = {"errors", "p99", "evidence"};
	static const char *const titles[] = {"Failed requests", "Latency, p99",
					     "Odds that the new release is worse"};
	char errors[WORDS_SIZE], live[WORDS_SIZE];
	struct chart c;
	w->ops->heading(w, 1, "Metrics");
	if (!t->known || t->bin_count == 0) {
		say(w, "Statistics did not judge it, or their ticks are not kept any more.");
		return;
	}
	for (uint32_t k = 0; k < 3; k++) {
		w->ops->heading(w, 2, titles[k]);
		begin_chart(p, &c, names[k]);
		text_copy(c.title, sizeof c.title, titles[k]);
		c.two = k < 2;
		c.unit = k == 0 ? "%" : k == 1 ? " ms" : "";
		c.logarithmic = k == 2;
		c.limit = k == 2 ? t->fails_at : 0;
		text_copy(c.limit_text, sizeof c.limit_text, "it fails here");
		for (uint32_t i = 0; i < t->bin_count; i++) {
			const struct postmortem_bin *b = &t->bins[i];
			c.fresh[i] = k == 0   ? share_of(b->new_errors, b->new_requests)
				     : k == 1 ? ms_of(b->new_p99_us)
					      : b->odds;
			c.live[i] = k == 0 ? share_of(b->live_errors, b->live_requests)
					   : ms_of(b->live_p99_us);
		}
		snprintf(c.description, sizeof c.description,
			 "%s over %s. In all the new release failed %s of its requests, the live "
			 "one %s. "
			 "The table below has the numbers.",
			 titles[k], words_duration(t->total_ms, (char[WORDS_SIZE]){0}),
			 words_share(p->new_traffic.errors, p->new_traffic.requests, errors),
			 words_share(p->live_traffic.errors, p->live_traffic.requests, live));
		w->ops->chart(w, &c);
	}
}

static void write_review(const struct postmortem *p, struct writer *w)
{
	static const char *const titles[] = {"judged",       "verdict", "after",
					     "its requests", "failed",  "at the step"};
	const struct postmortem_ticks *t = &p->ticks;
	char longer[POSTMORTEM_TEXT_SIZE], requests[WORDS_SIZE], errors[WORDS_SIZE], time[32];
	w->ops->heading(w, 1, "Gate review");
	if (t->replay_count == 0) {
		say(w, "There is nothing to judge again: statistics did not judge it, or their "
		       "ticks are not "
		       "kept any more.");
		return;
	}
	w->ops->table(w,
		      "The recorded ticks, judged again by the same judge under other settings: "
		      "when each "
		      "would have caught it.",
		      titles, 6);
	for (uint32_t i = 0; i < t->replay_count; i++) {
		const struct postmortem_replay *r = &t->replays[i];
		const struct writer_cell cells[] = {
			{r->what, WRITER_PLAIN},
			{r->failed ? "caught" : "not caught", r->failed ? WRITER_GOOD : WRITER_BAD},
			{r->failed ? chart_time(r->at_ms, time) : "-", WRITER_NUMBER},
			{r->failed ? words_count(r->requests, requests) : "-", WRITER_NUMBER},
			{r->failed ? words_count(r->errors, errors) : "-", WRITER_NUMBER},
			{r->failed && r->band < t->band_count ? t->bands[r->band].label : "-",
			 WRITER_PLAIN}};
		w->ops->row(w, cells, 6);
	}
	w->ops->table_end(w);
	postmortem_longer_step(p, longer);
	if (longer[0])
		w->ops->paragraph(w, longer);
	say(w, "The traffic is not judged again: under other settings the steps would have "
	       "followed each other "
	       "at other moments.");
}

static void write_questions(struct writer *w)
{
	static const char *const questions[] = {
		"Why were we surprised? What made the change look safe?",
		"It passed what came before: which difference hid it there?",
		"What was the trigger, and which conditions had to be there for it to do harm?",
		"What went well, and what limited the harm?",
		"Where were we lucky?",
		"Which earlier events were like this one?"};
	static const char *const titles[] = {"action", "type", "owner", "due", "ticket"};
	static const char *const types[] = {"prevent", "detect", "mitigate", "process"};
	w->ops->heading(w, 1, "For people to write");
	w->ops->paragraph(
		w,
		"Write about conditions and decisions, not about persons: everybody acted on what "
		"they could see then.");
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
		w->ops->question(w, questions[i]);
	w->ops->heading(w, 2, "Action items");
	w->ops->table(w, "", titles, 5);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const struct writer_cell cells[] = {{"", WRITER_PLAIN},
						    {types[i], WRITER_PLAIN},
						    {"", WRITER_PLAIN},
						    {"", WRITER_PLAIN},
						    {"", WRITER_PLAIN}};
		w->ops->row(w, cells, 5);
	}
	w->ops->table_end(w);
}

void postmortem_write(const struct postmortem *p, enum postmortem_format format, struct buf *to)
{
	struct writer w = {.ops = format == POSTMORTEM_HTML ? &writer_html : &writer_markdown,
			   .to = to};
	char title[3 * POSTMORTEM_WORD_SIZE];
	snprintf(title, sizeof title, "Post-mortem %u: %s in %s/%s", p->number,
		 p->bad.tag[0] ? p->bad.tag : "a release", p->app, p->environment);
	/* Front matter comes before everything, where there is such a thing. */
	if (format == POSTMORTEM_MARKDOWN)
		write_meta(p, &w);
	w.ops->begin(&w, title);
	write_summary(p, &w);
	if (format == POSTMORTEM_HTML)
		write_meta(p, &w);
	write_impact(p, &w);
	write_detection(p, &w);
	write_response(p, &w);
	write_timeline(p, &w);
	write_changes(p, &w);
	write_charts(p, &w);
	write_review(p, &w);
	write_questions(&w);
	w.ops->end(&w);
}
