/* SPDX-License-Identifier: Apache-2.0
 * judging - see judging.h for the contract. */
#include "control/judging.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "control/dividing.h"
#include "control/environment.h"
#include "control/past.h"
#include "control/tick_text.h"
#include "control/watched.h"
#include "judge/selfcheck.h"
#include "provider/router.h"
#include "provider/ticks.h"

enum {
	HANG_LEAST_MS = 1000,
	HANG_TIMES_P99 = 8,
	QUIET_MS = 1000, /* a tick without a request of the new release is as long as that */
	ELAPSED_MAX_MS = 1000,
};

struct judging {
	struct watched fresh, live;
	struct dividing dividing; /* the requests between both */
	uint64_t fed_ms;          /* when the last tick ended */
	struct judge_slot slots[TICK_TEXT_SLOTS_MAX];
	struct past past;
	struct judge_selfcheck selfcheck;
	bool judges; /* a rollout is under way that wants it */
	struct judge judge;
	/* That it was told of last, 0 = none: no plan begins with a step that is held. */
	uint32_t step;
	struct ticks_log *log;
};

static struct judging *judging_of(struct environment *e)
{
	if (e->judging)
		return e->judging;
	struct judging *j = mem_zero(1, sizeof *j);
	watched_init(&j->fresh);
	watched_init(&j->live);
	judge_selfcheck_begin(&j->selfcheck);
	j->fed_ms = env_now_ms(e->control->parts.env);
	e->judging = j;
	return j;
}

void judging_free(struct judging *j)
{
	if (!j)
		return;
	past_forget(&j->past);
	watched_free(&j->fresh);
	watched_free(&j->live);
	free(j);
}

static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

/* --- ticks */

static void take_division(struct judging *j, struct sample_ratio_tick *division)
{
	uint32_t weight_bp = dividing_take(&j->dividing);
	if (!j->fresh.known || !j->live.known)
		return;
	division->weight_bp = weight_bp;
	if (weight_bp == 0 || weight_bp == SHARE_FULL_BP)
		return;
	watched_division(&j->fresh, &division->new_done, &division->new_open);
	watched_division(&j->live, &division->live_done, &division->live_open);
}

static void take_tick(struct judging *j, uint64_t now_ms, struct judge_tick *tick)
{
	uint64_t elapsed = since(now_ms, j->fed_ms);
	uint32_t used = 0;
	*tick = (struct judge_tick){
		.elapsed_ms = (uint32_t)(elapsed < ELAPSED_MAX_MS ? elapsed : ELAPSED_MAX_MS),
		.cell_count = 1};
	for (size_t i = 0; i < 2; i++) {
		const struct watched *w = i == 0 ? &j->fresh : &j->live;
		if (w->known && w->now->count > tick->cell_count)
			tick->cell_count = w->now->count;
	}
	for (uint32_t c = 0; c < tick->cell_count; c++) {
		struct judge_cell *cell = &tick->cells[c];
		used += watched_arm(&j->fresh, c, &j->slots[used], &cell->new_release);
		used += watched_arm(&j->live, c, &j->slots[used], &cell->live_release);
	}
	tick->new_count = watched_members(&j->fresh, tick->new_members);
	tick->live_count = watched_members(&j->live, tick->live_members);
	take_division(j, &tick->division);
}

static void tick_taken(struct judging *j, uint64_t now_ms)
{
	j->fed_ms = now_ms;
	watched_taken(&j->fresh);
	watched_taken(&j->live);
}

/* --- the judge's lines */

static void keep_line(struct environment *e, struct buf *line)
{
	struct judging *j = e->judging;
	const struct ticks *ticks = e->control->parts.ticks;
	struct error err;
	if (j->log && ticks->ops->add(j->log, line->data, line->size, &err) < 0) {
		log_event(LOG_WARNING, "judge.ticks", "environment=%s error=\"%s\"", e->key,
			  err.text);
		ticks->ops->end(j->log);
		j->log = NULL;
	}
	buf_done(line);
}

static void feed(void *context, const struct judge_tick *tick)
{
	struct environment *e = context;
	struct buf line;
	judge_tick(&e->judging->judge, tick);
	buf_init(&line, TICKS_LINE_MAX);
	tick_text_tick(&line, tick);
	keep_line(e, &line);
}

static void mark(struct environment *e, enum tick_text_line what, uint32_t number)
{
	struct buf line;
	buf_init(&line, TICKS_LINE_MAX);
	tick_text_mark(&line, what, number);
	keep_line(e, &line);
}

static const struct release_info *release_of(const struct environment *e,
					     const struct release_id *id)
{
	return environment_release(e, environment_find(&e->core, id));
}

static void begin_log(struct environment *e, const struct judge_settings *settings)
{
	struct judging *j = e->judging;
	const struct release_info *live = release_of(e, &j->live.id);
	struct tick_text_head head = {.rollout = e->active->number,
				      .new_tag = e->active->candidate.tag,
				      .live_tag = live ? live->tag : ""};
	struct buf line;
	head.class_count = j->live.known ? j->live.now->count : 0;
	for (uint32_t i = 0; i < head.class_count; i++)
		head.classes[i] = j->live.now->classes[i].name;
	buf_init(&line, TICKS_LINE_MAX);
	tick_text_begin(&line, &head, settings);
	keep_line(e, &line);
}

static int feed_again(void *context, const char *line, size_t size, struct error *err)
{
	return tick_text_feed(context, line, size, err);
}

/* The judge of a rollout that was under way when the controller before this one ended. False: there is nothing. */
static bool take_up(struct environment *e)
{
	struct ticks *ticks = e->control->parts.ticks;
	struct tick_text_reader *reader = mem_zero(1, sizeof *reader);
	struct error err;
	uint64_t at = 0;
	reader->judge = &e->judging->judge;
	int result = ticks->ops->read(ticks, e->active->number, &at, feed_again, reader, &err);
	bool begun = reader->begun;
	e->judging->step = reader->step;
	if (result < 0 && begun)
		log_event(LOG_WARNING, "judge.ticks", "environment=%s error=\"%s\"", e->key,
			  err.text);
	free(reader);
	return begun;
}

static void open_log(struct environment *e, bool anew)
{
	struct ticks *ticks = e->control->parts.ticks;
	struct error err;
	if (ticks->ops->begin(ticks, e->active->number, anew, &e->judging->log, &err) < 0)
		log_event(LOG_WARNING, "judge.ticks", "environment=%s error=\"%s\"", e->key,
			  err.text);
}

/* Whom it compares: that does not change when the new release becomes the live one. */
static void watch_both(struct environment *e)
{
	struct judging *j = e->judging;
	struct digest old;
	watched_follow(&j->fresh, &e->active->candidate.id);
	if (digest_parse(e->active->old_hex, &old)) {
		struct release_id id;
		memcpy(id.bytes, old.bytes, sizeof id.bytes);
		if (!release_id_equal(&j->live.id, &id))
			past_forget(&j->past); /* one rollout followed the other at once */
		watched_follow(&j->live, &id);
	}
}

/* --- what the control calls */

void judging_began(struct environment *e)
{
	struct judging *j = judging_of(e);
	struct judge_settings settings;
	judging_ended(e);
	measuring_began(e);
	if (!e->active->candidate.config || !config_judge(e->active->candidate.config, &settings))
		return;
	watch_both(e);
	j->judges = true;
	/* One that begins now has no evidence: a log of its number is from before a backup was restored. */
	bool begins = !rollout_active(&e->active->state);
	if (e->control->parts.ticks && !begins && take_up(e)) {
		open_log(e, false);
		return;
	}
	judging_caution(e, &settings);
	judge_begin(&j->judge, &settings);
	j->step = 0;
	if (e->control->parts.ticks)
		open_log(e, true);
	begin_log(e, &settings);
	past_feed(&j->past, feed, e);
}

void judging_ended(struct environment *e)
{
	struct judging *j = judging_of(e);
	j->judges = false;
	if (j->log)
		e->control->parts.ticks->ops->end(j->log);
	j->log = NULL;
	j->fresh.known = false;
	memset(&j->fresh.id, 0, sizeof j->fresh.id);
}

void judging_step(struct environment *e, uint32_t step)
{
	struct judging *j = e->judging;
	if (!j || !j->judges || j->step == step)
		return;
	j->step = step;
	judge_step(&j->judge);
	mark(e, TICK_TEXT_STEP, step);
}

bool judging_replace(struct environment *e, char ret_instance[INSTANCE_ID_SIZE])
{
	struct judging *j = e->judging;
	int place = judging_judge(e) ? judge_sick(&j->judge) : -1;
	if (place < 0 || (uint32_t)place >= j->fresh.member_count)
		return false;
	text_copy(ret_instance, INSTANCE_ID_SIZE, j->fresh.members[place].id);
	judge_replace(&j->judge, (uint32_t)place);
	mark(e, TICK_TEXT_REPLACE, (uint32_t)place);
	return true;
}

static uint64_t hang_of(const struct environment *e)
{
	const struct resolved *config = environment_traffic_config(e);
	uint64_t hang_ms = config ? config->environment.analysis.hang_ms : WATCHED_HANG_MOST_MS;
	const struct judge_edge *p99 = &e->judging->judge.edges[2];
	if (e->judging->judges && p99->known) {
		uint64_t usual = HANG_TIMES_P99 * p99->live_us / 1000;
		usual = usual > HANG_LEAST_MS ? usual : HANG_LEAST_MS;
		hang_ms = usual < hang_ms ? usual : hang_ms;
	}
	return hang_ms < WATCHED_HANG_MOST_MS ? hang_ms : WATCHED_HANG_MOST_MS;
}

/* Whose traffic is watched between rollouts. */
static void follow_live(struct environment *e)
{
	static const struct release_id nobody;
	const struct release_info *live = environment_release(e, e->core.stable);
	struct judging *j = e->judging;
	const struct release_id *id = live ? &live->id : &nobody;
	if (release_id_equal(&j->live.id, id))
		return;
	watched_follow(&j->live, id);
	past_forget(&j->past);
}

static void check_itself(struct environment *e, const struct judge_tick *tick)
{
	struct judge_selfcheck *check = &e->judging->selfcheck;
	struct judge_settings settings;
	const struct resolved *config = environment_traffic_config(e);
	if (!config || !config_judge(config, &settings))
		return;
	if (judge_selfcheck_second(check, tick->live_members, tick->live_count, settings.alpha))
		log_event(LOG_WARNING, "judge.selfcheck",
			  "environment=%s alarms=%u turns=%u scatter=%.1f: instances of the live "
			  "release "
			  "differ by themselves; new releases are judged more carefully",
			  e->key, check->alarms, check->turns, check->phi_least);
}

/* False: neither release is known just now. */
static bool read_both(struct environment *e, uint64_t now)
{
	struct judging *j = e->judging;
	uint64_t hang_ms = hang_of(e);
	bool fresh = watched_read(e, &j->fresh, now, hang_ms);
	return watched_read(e, &j->live, now, hang_ms) || fresh;
}

static void tick_now(struct environment *e, uint64_t now)
{
	struct judging *j = e->judging;
	struct judge_tick tick;
	bool warming = j->fresh.known && watched_read_members(e, &j->fresh);
	if (j->live.known)
		watched_read_members(e, &j->live);
	take_tick(j, now, &tick);
	measuring_take(e, &tick);
	/* After a restart all are new to us, but not to the judge that was taken up. */
	if (j->judges && warming && j->fresh.member_count > j->judge.suspect_count) {
		judge_warm_up(&j->judge);
		mark(e, TICK_TEXT_WARM, 0);
	}
	if (j->judges)
		feed(e, &tick);
	if (!e->active && !j->judges) {
		past_keep(&j->past, &tick);
		check_itself(e, &tick);
	}
	tick_taken(j, now);
}

void judging_watch(struct environment *e)
{
	struct judging *j = judging_of(e);
	uint64_t now = env_now_ms(e->control->parts.env);
	dividing_watch(e, &j->dividing, &j->fresh.id, &j->live.id);
	if (!e->active) {
		/* What its users met since the last tick is part of the rollout, too. */
		if (j->judges && read_both(e, now) && watched_did_something(&j->fresh))
			tick_now(e, now);
		judging_ended(e);
		follow_live(e);
	}
	measuring_watch(e);
	if (!j->judges && since(now, j->fed_ms) < QUIET_MS)
		return;
	if (!read_both(e, now)) {
		j->fed_ms = now;
		return;
	}
	if (since(now, j->fed_ms) >= QUIET_MS || (j->judges && watched_did_something(&j->fresh)))
		tick_now(e, now);
}

/* Of the release that has been read last; the names are those of the environment, the same for both. */
static const struct router_class_counters *classes_of(const struct environment *e)
{
	const struct judging *j = e->judging;
	const struct watched *w = !j ? NULL : j->fresh.known ? &j->fresh : &j->live;
	return w && w->known ? w->last : NULL;
}

uint32_t judging_class_count(const struct environment *e)
{
	const struct router_class_counters *c = classes_of(e);
	return c ? c->count : 0;
}

const char *judging_class(const struct environment *e, uint32_t class)
{
	const struct router_class_counters *c = classes_of(e);
	return c && class < c->count ? c->classes[class].name : "";
}

const struct judge *judging_judge(const struct environment *e)
{
	return e->judging && e->judging->judges ? &e->judging->judge : NULL;
}

const struct past *judging_past(const struct environment *e)
{
	return e->judging ? &e->judging->past : NULL;
}

void judging_caution(const struct environment *e, struct judge_settings *settings)
{
	if (e->judging)
		settings->phi_least = e->judging->selfcheck.phi_least;
}
