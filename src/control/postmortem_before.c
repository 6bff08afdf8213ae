/* SPDX-License-Identifier: Apache-2.0
 * postmortem_before - see postmortem.h: what was before the rollout, for the timeline. The commit and when it was known,
 * the build with its stages and findings, how the release did in the environment before, and, of a rollback, when it went
 * live. Only what was written before the rollout is read: later records change nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "control/commits.h"
#include "control/environment.h"
#include "control/postmortem.h"
#include "control/release_config.h"
#include "report/words.h"
#include "store/releases.h"
#include "store/rollouts.h"

enum { BEFORE_LINES_MAX = 12 };

struct before {
	struct store *store;
	struct postmortem *facts;
	uint32_t rollout; /* that brought the bad release */
	char origin[DIGEST_HEX_SIZE];
	char from[CONTROL_NAME_SIZE];
	uint32_t line_count;
	struct postmortem_line lines[BEFORE_LINES_MAX];
	/* Of the environment before: the rollout that made it live, and when something newer was. */
	uint32_t there;
	uint64_t there_began_ms, there_live_ms, there_left_ms;
	uint64_t asked_ms; /* when the rollout that brought it was asked for */
};

static struct postmortem_line *add(struct before *b, uint64_t at_unix_ms, const char *event,
				   uint32_t number, const char *what)
{
	ASSERT(b->line_count < BEFORE_LINES_MAX);
	struct postmortem_line *line = &b->lines[b->line_count++];
	line->at_unix_ms = at_unix_ms;
	snprintf(line->event, sizeof line->event, "%s %u", event, number);
	text_copy(line->what, sizeof line->what, what);
	return line;
}

static void say(struct postmortem_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Cut between characters, where it is too long. */
static void say(struct postmortem_line *line, const char *format, ...)
{
	char text[2 * POSTMORTEM_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	text_show(text, strlen(text), line->text, sizeof line->text);
}

/* --- commit and build */

struct stages {
	char text[POSTMORTEM_TEXT_SIZE];
	size_t used;
	uint32_t left_out;
	bool scanned;
	uint32_t fresh, known, fixed, waived;
	char since[STORE_TAG_SIZE];
};

static int add_stage(void *context, const struct store_build_stage *stage)
{
	struct stages *s = context;
	char words[STORE_NAME_SIZE + STORE_WORD_SIZE + 2 * WORDS_SIZE], took[WORDS_SIZE],
		tests[WORDS_SIZE] = "";
	if (stage->tests > 0)
		snprintf(tests, sizeof tests, ", %u tests, %u failed", stage->tests, stage->failed);
	int length =
		snprintf(words, sizeof words, "%s%s %s (%s%s)", s->used > 0 ? "; " : "",
			 stage->name, stage->state, words_duration(stage->took_ms, took), tests);
	static const size_t ROOM = sizeof s->text - 24; /* for "and N more" */
	if (s->left_out > 0 || s->used + (size_t)length >= ROOM)
		s->left_out++;
	else
		s->used +=
			(size_t)snprintf(s->text + s->used, sizeof s->text - s->used, "%s", words);
	if (!stage->scanned)
		return 0;
	s->scanned = true;
	s->fresh += stage->fresh;
	s->known += stage->known;
	s->fixed += stage->fixed;
	s->waived += stage->waived;
	if (stage->since[0])
		text_copy(s->since, sizeof s->since, stage->since);
	return 0;
}

static void add_findings(struct before *b, const struct store_build *build, const struct stages *s)
{
	if (!s->scanned)
		return;
	say(add(b, build->ended_unix_ms, "build", build->number, "findings"),
	    "%u new, %u existing, %u fixed, %u waived%s%s", s->fresh, s->known, s->fixed, s->waived,
	    s->since[0] ? ", compared with " : "", s->since);
}

static void add_stages(struct before *b, const struct store_build *build)
{
	struct stages *s = mem_zero(1, sizeof *s);
	struct error ignored;
	if (build->ended_unix_ms > 0 &&
	    store_build_stages(b->store, build->number, add_stage, s, &ignored) >= 0) {
		struct postmortem_line *line =
			add(b, build->ended_unix_ms, "build", build->number, "build has ended");
		if (s->left_out > 0)
			say(line, "%s; and %u more", s->text, s->left_out);
		else
			say(line, "%s", s->text);
		add_findings(b, build, s);
	}
	free(s);
}

/* A commit says itself when it was made: not after it was known here. */
static void add_build(struct before *b)
{
	struct store_build *build = mem_zero(1, sizeof *build);
	struct postmortem_line *line;
	if (commits_build(b->store, b->facts->bad.id, build) == 0) {
		uint64_t made_ms = build->committed_unix_s * 1000;
		if (made_ms > 0 && made_ms <= build->created_unix_ms) {
			line = add(b, made_ms, "build", build->number, "commit");
			line->by_person = true;
			say(line, "%.12s %s", build->commit, build->subject);
		}
		line = add(b, build->created_unix_ms, "build", build->number, "commit is known");
		line->by_person =
			!text_starts(build->by, "source:") && strcmp(build->by, "davit") != 0;
		say(line, "%.12s of %s", build->commit, build->ref);
		if (build->started_unix_ms > 0)
			add(b, build->started_unix_ms, "build", build->number, "build begins");
		add_stages(b, build);
	}
	free(build);
}

/* --- the environment before, and how it went live */

static void read_from(struct before *b)
{
	struct store_release row;
	struct resolved *config;
	struct buf json;
	struct error ignored;
	buf_init(&json, STORE_BLOB_MAX);
	if (store_release_get(b->store, b->facts->bad.id, &row, &json, &ignored) == 0 &&
	    release_config_resolved(buf_text(&json), json.size, b->facts->environment, &config,
				    &ignored) == 0) {
		text_copy(b->from, sizeof b->from,
			  config->environment.from ? config->environment.from : "");
		config_resolved_free(config);
	}
	buf_done(&json);
}

/* The newest before it that made the same content live there; what was made live in between ended its soak. */
static int find_there(void *context, const struct store_rollout *row)
{
	struct before *b = context;
	char origin[DIGEST_HEX_SIZE];
	struct error ignored;
	/* What ended later was not known then, and would change what was written. */
	if (strcmp(row->state_name, "succeeded") != 0 || row->ended_unix_ms == 0 ||
	    row->ended_unix_ms > b->asked_ms)
		return 0;
	if (release_origin(b->store, row->new_release, origin, &ignored) < 0 ||
	    strcmp(origin, b->origin) != 0) {
		b->there_left_ms = row->ended_unix_ms;
		return 0;
	}
	b->there = row->number;
	b->there_began_ms = row->started_unix_ms ? row->started_unix_ms : row->created_unix_ms;
	b->there_live_ms = row->ended_unix_ms;
	return 1;
}

static int take_asked(void *context, const struct store_rollout *row)
{
	struct before *b = context;
	b->asked_ms = row->created_unix_ms;
	if (b->rollout != b->facts->number && row->ended_unix_ms > 0)
		say(add(b, row->ended_unix_ms, "rollout", row->number, "is live"), "%s in %s",
		    b->facts->bad.tag, b->facts->environment);
	return 0;
}

static void add_there(struct before *b)
{
	struct store_rollout_filter filter = {
		.app = b->facts->app, .environment = b->from, .before = b->rollout};
	char soaked[WORDS_SIZE];
	struct error ignored;
	if (!b->from[0] || store_rollouts(b->store, &filter, find_there, b, &ignored) < 0 ||
	    b->there == 0)
		return;
	say(add(b, b->there_began_ms, "rollout", b->there, "rollout begins"), "in %s", b->from);
	say(add(b, b->there_live_ms, "rollout", b->there, "is live"), "%s in %s", b->facts->bad.tag,
	    b->from);
	uint64_t until = b->there_left_ms > 0 && b->there_left_ms < b->asked_ms ? b->there_left_ms
										: b->asked_ms;
	if (until > b->there_live_ms)
		say(add(b, until, "rollout", b->there, "soaked"), "%s in %s, until %s",
		    words_duration(until - b->there_live_ms, soaked), b->from,
		    until == b->asked_ms ? "it was asked for here" : "something newer was there");
}

/* --- into the timeline */

static void insert(struct postmortem *facts, const struct postmortem_line *line)
{
	uint32_t at = facts->line_count;
	while (at > 0 && facts->lines[at - 1].at_unix_ms >= line->at_unix_ms)
		at--;
	memmove(facts->lines + at + 1, facts->lines + at,
		(facts->line_count - at) * sizeof *facts->lines);
	facts->lines[at] = *line;
	facts->line_count++;
}

/* Where there is no room the oldest of the rollout's own lines go. */
static void make_room(struct postmortem *facts, uint32_t count)
{
	uint32_t room = POSTMORTEM_LINES_MAX - count;
	if (facts->line_count <= room)
		return;
	uint32_t gone = facts->line_count - room;
	memmove(facts->lines, facts->lines + gone, room * sizeof *facts->lines);
	facts->line_count = room;
	facts->lines_left_out += gone;
}

void postmortem_add_before(struct control *c, uint32_t brought_by, struct postmortem *facts)
{
	struct before *b = mem_zero(1, sizeof *b);
	struct error ignored;
	b->store = c->parts.store;
	b->facts = facts;
	b->rollout = brought_by;
	if (facts->bad.id[0] && release_origin(b->store, facts->bad.id, b->origin, &ignored) == 0) {
		add_build(b);
		read_from(b);
		if (brought_by > 0 &&
		    store_rollout_get(b->store, brought_by, take_asked, b, &ignored) >= 0)
			add_there(b);
	}
	make_room(facts, b->line_count);
	/* The last first: at the same moment they stay in the order in which they were added. */
	for (uint32_t i = b->line_count; i-- > 0;)
		insert(facts, &b->lines[i]);
	free(b);
}
