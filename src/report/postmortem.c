/* SPDX-License-Identifier: Apache-2.0
 * postmortem - what follows from the facts, in sentences: see postmortem.h. The document is postmortem_parts.c's. */
#include "report/postmortem.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/words.h"

enum { DAY_MS = 24 * 3600 * 1000, REVIEW_DAYS = 5, DATE_SIZE = 16, HALF_BP = SHARE_FULL_BP / 2 };

const char *postmortem_finder_text(enum postmortem_finder finder)
{
	static const char *const texts[] = {
#define X(name, text) text,
		POSTMORTEM_FINDERS(X)
#undef X
	};
	return texts[finder];
}

const char *postmortem_severity(const struct postmortem *p)
{
	bool failed_back = strcmp(p->state, "stuck") == 0 ||
			   (strcmp(p->kind, "rollback") == 0 && strcmp(p->state, "succeeded") != 0);
	if (failed_back)
		return "sev1";
	return p->finder == POSTMORTEM_BY_PERSON || p->weight_most_bp > HALF_BP ? "sev2" : "sev3";
}

const char *postmortem_review_due(const struct postmortem *p, char to[DATE_SIZE])
{
	char time[WORDS_SIZE];
	uint64_t day = p->ended_unix_ms / DAY_MS;
	for (int left = REVIEW_DAYS; left > 0;) {
		day++;
		unsigned weekday = (unsigned)((day + 4) % 7); /* day 0 was a Thursday; 0 = Sunday */
		left -= weekday != 0 && weekday != 6;
	}
	text_format_time(day * DAY_MS, time, sizeof time);
	text_copy(to, sizeof "2026-11-30", time);
	return to;
}

static const char *name_of(const struct postmortem_release *r)
{
	return r->tag[0] ? r->tag : r->id[0] ? "a release without a tag" : "nothing";
}

static void say_what(const struct postmortem *p, char *to, size_t size)
{
	char when[WORDS_SIZE];
	bool back = strcmp(p->kind, "rollback") == 0;
	words_moment(p->started_unix_ms, when);
	if (back)
		snprintf(to, size, "%s was live in %s/%s until a person went back to %s at %s.",
			 name_of(&p->bad), p->app, p->environment, name_of(&p->back), when);
	else
		snprintf(to, size, "%s was rolled out to %s/%s (%s) from %s on, in place of %s.",
			 name_of(&p->bad), p->app, p->environment, p->strategy, when,
			 name_of(&p->back));
}

/* "davit's statistics said: ...", without a second full stop. */
static void say_verdict(const struct postmortem *p, char *to, size_t size)
{
	size_t length = strlen(p->verdict);
	if (p->finder == POSTMORTEM_BY_NOBODY || length == 0)
		snprintf(to, size, "%s found it bad", postmortem_finder_text(p->finder));
	else if (p->finder == POSTMORTEM_BY_PERSON)
		snprintf(to, size, "a person took it back (%s)", p->verdict);
	else
		snprintf(to, size, "%s said: %.*s", postmortem_finder_text(p->finder),
			 (int)(length - (p->verdict[length - 1] == '.')), p->verdict);
}

static void say_harm(const struct postmortem *p, char *to, size_t size)
{
	char requests[WORDS_SIZE], failed[WORDS_SIZE], share[WORDS_SIZE], expected[WORDS_SIZE];
	char verdict[2 * POSTMORTEM_TEXT_SIZE], instead[WORDS_SIZE + 64] = "";
	const struct postmortem_traffic *t = &p->new_traffic;
	say_verdict(p, verdict, sizeof verdict);
	if (p->expected >= 0)
		snprintf(instead, sizeof instead, " where %s would have been expected",
			 words_decimal(p->expected, expected));
	if (!p->counted)
		snprintf(to, size, "How many requests it answered was not counted; %s.", verdict);
	else
		snprintf(to, size, "It was given %s requests, of which %s failed (%s)%s; %s.",
			 words_count(t->requests, requests), words_count(t->errors, failed),
			 words_share(t->errors, t->requests, share), instead, verdict);
}

static void say_way_back(const struct postmortem *p, char *to, size_t size)
{
	char exposed[WORDS_SIZE], most[WORDS_SIZE], zero[WORDS_SIZE], well[WORDS_SIZE];
	char first[160] = "", second[160] = "";
	if (p->zero_ms > 0)
		snprintf(first, sizeof first, "; %s after the verdict it had no request any more",
			 words_duration(p->zero_ms, zero));
	if (p->validated_ms > 0)
		snprintf(second, sizeof second, ", and %s later %s served everything, healthy",
			 words_duration(p->validated_ms, well), name_of(&p->back));
	if (p->exposed_unix_ms == 0)
		snprintf(to, size, "No user met it%s%s.", first, second);
	else
		snprintf(to, size, "Users met it for %s, with at most %s of their requests%s%s.",
			 words_duration(p->exposed_ms, exposed),
			 text_format_share(p->weight_most_bp, most, sizeof most), first, second);
}

void postmortem_summary(const struct postmortem *p, char to[3][2 * POSTMORTEM_TEXT_SIZE])
{
	say_what(p, to[0], sizeof to[0]);
	say_harm(p, to[1], sizeof to[1]);
	say_way_back(p, to[2], sizeof to[2]);
}

void postmortem_longer_step(const struct postmortem *p, char to[POSTMORTEM_TEXT_SIZE])
{
	const struct postmortem_ticks *t = &p->ticks;
	const struct postmortem_replay *was = &t->replays[0];
	uint64_t requests = 0, until = t->band_count > 1 ? t->bands[1].at_ms : t->total_ms;
	char count[WORDS_SIZE], time[WORDS_SIZE], share[WORDS_SIZE];
	to[0] = '\0';
	for (uint32_t i = 0; i < t->bin_count && (i + 1) * t->bin_ms <= until; i++)
		requests += t->bins[i].new_requests;
	uint64_t whole = until / (t->bin_ms > 0 ? t->bin_ms : 1) * t->bin_ms;
	if (!was->failed || t->band_count == 0 || requests == 0)
		return;
	words_count(was->requests, count);
	text_format_share(t->bands[0].weight_bp, share, sizeof share);
	if (was->band == 0)
		snprintf(to, POSTMORTEM_TEXT_SIZE,
			 "It was caught in the first step (%s) already, by %s of its requests: "
			 "longer "
			 "steps would have changed nothing.",
			 share, count);
	else
		snprintf(to, POSTMORTEM_TEXT_SIZE,
			 "It took %s of its requests to catch it. In the first step (%s, %s of "
			 "them a "
			 "minute) that is %s: a first step of that length would have caught it "
			 "before more "
			 "users met it. This is an estimate at the traffic of then.",
			 count, share,
			 words_decimal(60000.0 * (double)requests / (double)whole, time),
			 words_duration((uint64_t)((double)was->requests * (double)whole /
						   (double)requests),
					(char[WORDS_SIZE]){0}));
}
