/* SPDX-License-Identifier: Apache-2.0
 * gating - see gating.h for the contract. */
#include "control/gating.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "config/server.h"
#include "config/window.h"
#include "control/commits.h"
#include "control/environment.h"
#include "control/infrastructure.h"
#include "store/audit.h"

enum { LOOK_EVERY_MS = 1000, STABLES_LOOKED_AT = 100, MISSING_SIZE = 320 };

static const struct server *server_of(const struct control *c)
{
	return c->parts.server ? c->parts.server(c->parts.server_context) : NULL;
}

static uint64_t wall_ms(const struct environment *e)
{
	return env_wall_ms(e->control->parts.env);
}

static const struct app_environment *config_of(const struct active_rollout *r)
{
	return &r->candidate.config->environment;
}

static bool is_deploy(const struct active_rollout *r)
{
	return strcmp(r->kind, "deploy") == 0;
}

static bool approval_of(const struct environment *e, const struct active_rollout *r,
			struct app_approve *ret_approve)
{
	return server_approval(server_of(e->control), e->key, &config_of(r)->approve, ret_approve);
}

/* Where it comes from and when, by the commit and by the server's own file. */
static struct server_passage passage_of(const struct environment *e,
					const struct app_environment *own)
{
	return server_passage(server_of(e->control), e->key, own);
}

bool gating_wanted(const struct environment *e, const struct active_rollout *r)
{
	struct app_approve ignored;
	const struct app_environment *config = config_of(r);
	struct server_passage way = passage_of(e, config);
	/* With infrastructure people are asked once it is known what would change. */
	bool asked = config->infrastructure.set == 0 && approval_of(e, r, &ignored);
	return is_deploy(r) && (way.soak_ms > 0 || way.window_count > 0 || asked);
}

/* --- the environment before */

struct passage {
	struct store *store;
	const char *origin;
	uint64_t now_unix_ms, next_unix_ms; /* next: since when something newer is live */
	bool found, good;
	uint32_t rollout; /* that made it live there */
	uint64_t soaked_ms;
};

static int find_passage(void *context, const struct store_stable *stable)
{
	struct passage *p = context;
	char origin[DIGEST_HEX_SIZE];
	struct error ignored;
	uint64_t until = p->next_unix_ms;
	p->next_unix_ms = stable->at_unix_ms;
	if (release_origin(p->store, stable->release, origin, &ignored) < 0 ||
	    strcmp(origin, p->origin) != 0)
		return 0;
	p->found = true;
	p->rollout = stable->rollout;
	p->good = !stable->bad && !stable->left;
	p->soaked_ms = until > stable->at_unix_ms ? until - stable->at_unix_ms : 0;
	return 1;
}

/* How a release did in the environment `name` of the same application. */
static int look_before(const struct environment *e, const char *name, const char *release,
		       struct passage *ret_passage, struct error *err)
{
	struct store *store = e->control->parts.store;
	char origin[DIGEST_HEX_SIZE];
	*ret_passage = (struct passage){.store = store,
					.origin = origin,
					.now_unix_ms = wall_ms(e),
					.next_unix_ms = wall_ms(e)};
	int result = release_origin(store, release, origin, err);
	if (result == 0)
		result = store_stables(store, e->app, name, STABLES_LOOKED_AT, find_passage,
				       ret_passage, err);
	return result < 0 ? result : 0;
}

/* --- windows */

static int one_opens_in_ms(const struct environment *e, const struct app_windows *windows,
			   uint64_t *ret_ms, struct error *err)
{
	struct window window;
	int32_t offset_s = 0;
	int64_t now_s = (int64_t)(wall_ms(e) / 1000);
	int result = e->control->parts.zone_offset(windows->zone, now_s, &offset_s, err);
	if (result < 0)
		return result;
	window_parse(windows->days, windows->hours, &window);
	*ret_ms = window_opens_in(&window, now_s + offset_s) * 1000;
	return 0;
}

/* When the last of them opens: then it is looked at again. */
static int opens_in_ms(const struct environment *e, const struct server_passage *way,
		       uint64_t *ret_ms, struct error *err)
{
	int result = 0;
	*ret_ms = 0;
	for (uint32_t i = 0; result == 0 && i < way->window_count; i++) {
		uint64_t one_ms = 0;
		result = one_opens_in_ms(e, way->windows[i], &one_ms, err);
		*ret_ms = one_ms > *ret_ms ? one_ms : *ret_ms;
	}
	return result;
}

/* --- before it is in the queue */

int gating_check(struct environment *e, const struct store_release *release, bool offered,
		 struct error *err)
{
	struct release_info info = {0};
	struct passage passage;
	uint64_t ignored;
	if (e->freeze.on && !offered)
		return error_set(err, ERR_CONFLICT,
				 "%s is frozen (%s, by %s); \"davit unfreeze %s\" lifts that.",
				 e->key, e->freeze.reason[0] ? e->freeze.reason : "no reason given",
				 e->freeze.by, e->name);
	int result = release_load(e, release->id, &info, err);
	if (result < 0)
		return result;
	const struct server_passage way = passage_of(e, &info.config->environment);
	result = opens_in_ms(e, &way, &ignored, err);
	if (result == 0 && way.from)
		result = look_before(e, way.from, release->id, &passage, err);
	if (result == 0 && way.from && !passage.found)
		result =
			error_set(err, ERR_CONFLICT,
				  "%s was never live in %s, where releases for %s come from; bring "
				  "it there first: davit deploy %s %s",
				  release->tag, way.from, e->name, way.from, release->tag);
	else if (result == 0 && way.from && !passage.good)
		result = error_set(err, ERR_DENIED,
				   "%s was not good in %s, where releases for %s come from; bring "
				   "another one there: davit deploy %s",
				   release->tag, way.from, e->name, way.from);
	release_info_free(&info);
	return result;
}

int gating_check_floor(const struct environment *e, const struct release_info *candidate,
		       struct error *err)
{
	char missing[MISSING_SIZE];
	if (!server_missing(server_of(e->control), e->key, candidate->config, missing,
			    sizeof missing))
		return 0;
	return error_set(err, ERR_DENIED,
			 "%s leaves out what the server's own file asks of %s: %s; add it to "
			 "davit.yaml, and make a release of that: davit deploy %s .",
			 candidate->tag, e->key, missing, e->name);
}

/* --- what people said */

/* In the middle of its plan. */
static bool at_gate(const struct active_rollout *r)
{
	const struct rollout *s = &r->state;
	return (s->status == ROLLOUT_RUNNING || s->status == ROLLOUT_PAUSED) && !s->passed &&
	       s->cursor < r->plan.step_count && r->plan.steps[s->cursor].op == PLAN_GATE;
}

bool gating_asks(const struct active_rollout *r)
{
	return r->state.status == ROLLOUT_GATED || at_gate(r);
}

/* To be bound to: the bytes and the configuration (the release's id), and the plan; at a gate of the plan also the
 * step, so that a yes to the rollout is none to what cannot be undone; and to what would change of the infrastructure. */
static struct digest hash_of(const struct environment *e, const struct active_rollout *r)
{
	static uint8_t bytes[2 * DIGEST_HEX_SIZE + PLAN_ENCODED_MAX + 1];
	struct store_infrastructure infrastructure;
	memcpy(bytes, r->candidate.hex, DIGEST_HEX_SIZE);
	size_t size = plan_encode(&r->plan, bytes + DIGEST_HEX_SIZE, PLAN_ENCODED_MAX);
	ASSERT(size > 0 && PLAN_STEPS_MAX < UINT8_MAX);
	size += DIGEST_HEX_SIZE;
	if (at_gate(r))
		bytes[size++] = (uint8_t)r->state.cursor;
	if (infrastructure_at_gate(r) && infrastructure_read(e, r->number, &infrastructure)) {
		memcpy(bytes + size, infrastructure.digest, DIGEST_HEX_SIZE);
		size += DIGEST_HEX_SIZE;
	}
	return digest_of(bytes, size);
}

/* `ret_why`, where it is true, goes on after the person's name. */
static bool is_author(const struct environment *e, const struct active_rollout *r,
		      const char *person, char ret_why[AUTHORSHIP_SIZE])
{
	const struct server *server = server_of(e->control);
	bool made = strcmp(server_person(server, r->candidate.by), person) == 0;
	if (made || strcmp(server_person(server, r->by), person) == 0) {
		text_copy(ret_why, AUTHORSHIP_SIZE,
			  made ? "made this release" : "asked for this release");
		return true;
	}
	return commits_author(e, r, person, ret_why) != AUTHOR_OF_NONE;
}

static bool may_answer(const struct environment *e, const struct app_approve *approve,
		       const char *person)
{
	return approve->by.count == 0 || server_member(server_of(e->control), &approve->by, person);
}

struct tally {
	const struct environment *e;
	const struct active_rollout *r;
	const struct app_approve *approve;
	struct gating *gating;
};

static bool said_before(const struct gating *g, const struct store_approval *a)
{
	for (uint32_t i = 0; i < g->answer_count; i++)
		if (strcmp(g->answers[i].person, a->person) == 0 &&
		    strcmp(g->answers[i].verdict, a->verdict) == 0)
			return true;
	return false;
}

static int count_answer(void *context, const struct store_approval *a)
{
	struct tally *t = context;
	struct gating *g = t->gating;
	char why[AUTHORSHIP_SIZE];
	if (strcmp(a->hash, g->hash) != 0 || g->answer_count == GATING_ANSWERS_MAX ||
	    said_before(g, a) || !may_answer(t->e, t->approve, a->person))
		return 0;
	bool yes = strcmp(a->verdict, "yes") == 0;
	if (yes && t->approve->not_author && is_author(t->e, t->r, a->person, why))
		return 0;
	struct store_approval *kept = &g->answers[g->answer_count++];
	*kept = *a;
	g->facts.yes += yes;
	g->facts.emergency += strcmp(a->verdict, "emergency") == 0;
	if (strcmp(a->verdict, "no") == 0) {
		g->facts.no_by = kept->person;
		g->facts.no_reason = kept->reason;
	}
	return 0;
}

static void name_groups(const struct app_approve *approve, char *to, size_t size)
{
	size_t used = 0;
	to[0] = '\0';
	for (uint32_t i = 0; i < approve->by.count && used < size; i++)
		used += (size_t)snprintf(to + used, size - used, "%s%s", i > 0 ? " or " : "",
					 approve->by.items[i]);
}

/* Those of `approve` in any case; where there are changes, at least one person, unless nobody is to be asked. */
static int ask_about_infrastructure(const struct environment *e, const struct active_rollout *r,
				    const struct app_approve *approve, struct gate_rules *rules,
				    struct error *err)
{
	struct store_infrastructure row;
	if (!infrastructure_read(e, r->number, &row))
		return error_set(err, ERR_CORRUPT,
				 "What rollout %u would change of the infrastructure cannot be "
				 "read; nobody is asked, and nothing goes on.",
				 r->number);
	bool wanted = row.changes && config_of(r)->infrastructure.approve_changes;
	rules->count = approve ? approve->count : wanted ? 1 : 0;
	if (!approve)
		rules->expires_ms = UINT64_MAX;
	return 0;
}

int gating_look(struct environment *e, struct active_rollout *r, struct gating *g,
		struct error *err)
{
	const struct app_environment *config = config_of(r);
	const struct server_passage way = passage_of(e, config);
	struct app_approve approve = {0};
	struct digest hash = hash_of(e, r);
	struct tally tally = {e, r, &approve, g};
	struct passage passage = {.good = true};
	memset(g, 0, sizeof *g);
	bool asked = approval_of(e, r, &approve);
	digest_format(&hash, g->hash);
	name_groups(&approve, g->by, sizeof g->by);
	g->not_author = approve.not_author;
	g->rules = (struct gate_rules){.count = asked ? approve.count : 0,
				       .expires_ms = approve.expires_ms,
				       .soak_ms = way.soak_ms,
				       .by = g->by,
				       .from = way.from};
	if (config->infrastructure.set != 0 && !at_gate(r))
		g->rules.count = 0;
	int result = 0;
	if (infrastructure_at_gate(r))
		result = ask_about_infrastructure(e, r, asked ? &approve : NULL, &g->rules, err);
	/* What waits in the middle has users on both sides: it waits for as long as it takes. */
	else if (at_gate(r))
		g->rules = (struct gate_rules){
			.count = asked ? approve.count : 1, .expires_ms = UINT64_MAX, .by = g->by};
	if (result == 0)
		result = store_approvals(e->control->parts.store, r->number, count_answer, &tally,
					 err);
	if (result == 0 && g->rules.from)
		result = look_before(e, way.from, r->candidate.hex, &passage, err);
	if (result == 0 && !at_gate(r))
		result = opens_in_ms(e, &way, &g->facts.opens_in_ms, err);
	if (result < 0)
		return result;
	g->facts.now_unix_ms = wall_ms(e);
	g->facts.asked_unix_ms = r->started_unix_ms;
	g->facts.good_there = passage.good;
	g->facts.soaked_ms = passage.soaked_ms;
	g->before = passage.rollout;
	g->answer = gate_decide(&g->rules, &g->facts, g->sentence, sizeof g->sentence);
	return 0;
}

/* --- once a second */

/* A no takes the environment before back as well, where that is wished and it still has the release. */
static void take_back(struct environment *e, const char *from, const char *release)
{
	struct control *c = e->control;
	struct control_caller davit = {.who = "davit"};
	char key[CONTROL_KEY_SIZE], ours[DIGEST_HEX_SIZE], there[DIGEST_HEX_SIZE];
	struct error err;
	uint32_t ignored;
	snprintf(key, sizeof key, "%s/%s", e->app, from);
	struct environment *before = environment_find_key(c, key);
	const struct release_info *live = environment_release(e, e->core.stable);
	const struct release_info *has =
		before ? environment_release(before, before->core.stable) : NULL;
	if (!live || !has || release_origin(c->parts.store, release, ours, &err) < 0 ||
	    release_origin(c->parts.store, has->hex, there, &err) < 0 || strcmp(ours, there) != 0)
		return;
	char reason[CONTROL_REASON_SIZE];
	snprintf(reason, sizeof reason, "rejected in %s", e->name);
	struct control_back back = {.to = live->hex, .reason = reason};
	if (control_rollback(c, &davit, key, &back, &ignored, &err) < 0)
		log_event(LOG_WARNING, "control.reject", "environment=%s error=\"%s\"", key,
			  err.text);
}

static void open_or_shut(struct environment *e, struct active_rollout *r, const struct gating *g)
{
	struct rollout_event event = {.kind = g->answer == GATE_OPEN ? EVENT_APPROVE
								     : EVENT_REJECT};
	struct turn_note note = {.action = g->answer == GATE_OPEN ? "gate.open" : "gate.shut",
				 .sentence = g->sentence};
	char from[CONTROL_NAME_SIZE] = "", release[DIGEST_HEX_SIZE];
	if (g->answer == GATE_SHUT && g->facts.no_by && g->rules.from &&
	    config_of(r)->approve.on_reject == APP_ON_REJECT_ROLLBACK)
		text_copy(from, sizeof from, g->rules.from);
	text_copy(release, sizeof release, r->candidate.hex);
	memcpy(event.hash, r->state.plan_hash, sizeof event.hash);
	event.seen = (struct rollout_seen){r->state.status, r->state.cursor, r->state.attempt};
	environment_event(e, &event, &note);
	if (from[0])
		take_back(e, from, release);
	environment_start_next(e);
}

static void look_at_gate(struct environment *e)
{
	struct active_rollout *r = e->active;
	struct error err;
	if (!r || !gating_asks(r))
		return;
	struct digest hash = hash_of(e, r);
	if (!at_gate(r) && memcmp(hash.bytes, r->state.plan_hash, ROLLOUT_HASH_SIZE) != 0) {
		struct rollout_event drift = {.kind = EVENT_DRIFT};
		memcpy(drift.hash, hash.bytes, sizeof drift.hash);
		environment_event(e, &drift, NULL);
	}
	struct gating *g = mem_new(sizeof *g);
	if (gating_look(e, r, g, &err) < 0)
		log_event(LOG_WARNING, "control.gate", "rollout=%u error=\"%s\"", r->number,
			  err.text);
	else if (g->answer != GATE_WAITS && e->active == r)
		open_or_shut(e, r, g);
	free(g);
}

/* Is a rollout under way although its window is over, and nobody declared an emergency? */
static bool outside_window(struct environment *e)
{
	struct active_rollout *r = e->active;
	struct error err;
	if (!r || !is_deploy(r) || r->plan.reverts || r->state.status == ROLLOUT_GATED ||
	    passage_of(e, config_of(r)).window_count == 0)
		return false;
	struct gating *g = mem_new(sizeof *g);
	bool outside = gating_look(e, r, g, &err) == 0 && g->facts.opens_in_ms > 0 &&
		       g->facts.emergency < GATE_EMERGENCY_PERSONS;
	free(g);
	return outside;
}

static void end_freeze(struct environment *e)
{
	struct control *c = e->control;
	struct error err;
	if (!e->freeze.on || e->freeze.until_unix_ms == 0 || wall_ms(e) < e->freeze.until_unix_ms)
		return;
	control_begin(c, false);
	store_clear_freeze(c->parts.store, e->app, e->name);
	if (control_commit(c, &err) == 0)
		e->freeze = (struct gating_freeze){0};
}

static void look_at_freeze(struct environment *e)
{
	end_freeze(e);
	bool wanted = e->freeze.on || outside_window(e);
	if (wanted == e->core.frozen)
		return;
	struct rollout_event event = {.kind = wanted ? EVENT_FREEZE : EVENT_UNFREEZE};
	struct turn_note note = {.sentence = e->freeze.on ? e->freeze.reason
					     : wanted     ? "the window for releases is over"
							  : "releases may go out again"};
	environment_event(e, &event, &note);
}

void gating_tick(struct environment *e)
{
	uint64_t now = env_now_ms(e->control->parts.env);
	if (e->gated_ms != 0 && now - e->gated_ms < LOOK_EVERY_MS)
		return;
	e->gated_ms = now;
	look_at_freeze(e);
	look_at_gate(e);
}

int gating_recover(struct environment *e, struct error *err)
{
	struct store_freeze row;
	int found = store_freeze_find(e->control->parts.store, e->app, e->name, &row, err);
	if (found < 1)
		return found;
	e->freeze = (struct gating_freeze){
		.on = true, .at_unix_ms = row.at_unix_ms, .until_unix_ms = row.until_unix_ms};
	text_copy(e->freeze.reason, sizeof e->freeze.reason, row.reason);
	text_copy(e->freeze.by, sizeof e->freeze.by, row.by);
	return 0;
}

/* --- commands */

static void put_audit(struct environment *e, uint32_t rollout, const char *who, const char *action,
		      const char *reason, const char *evidence)
{
	struct store_audit_entry row = {.at_unix_ms = wall_ms(e), .rollout = rollout};
	text_copy(row.who, sizeof row.who, who);
	text_copy(row.action, sizeof row.action, action);
	text_copy(row.app, sizeof row.app, e->app);
	text_copy(row.environment, sizeof row.environment, e->name);
	text_copy(row.reason, sizeof row.reason, reason);
	text_copy(row.evidence, sizeof row.evidence, evidence);
	store_add_audit(e->control->parts.store, &row);
}

/* A guest is somebody whom `people` knows, and where no group is asked, somebody who may deploy. */
static int check_guest(const struct environment *e, const struct app_approve *approve,
		       const char *who, struct error *err)
{
	const struct server *server = server_of(e->control);
	if (server_knows(server, who) &&
	    (approve->by.count > 0 ||
	     server_may(server, e->key, SERVER_DEPLOY, SERVER_GUEST, who) == SERVER_MAY))
		return 0;
	return error_set(err, ERR_DENIED,
			 "%s may not answer for %s: that is for people whom the server's own file "
			 "names (davit status %s shows who may what).",
			 who, e->key, e->key);
}

static int check_answer(struct environment *e, struct active_rollout *r,
			const struct app_approve *approve, const char *person,
			const struct control_answer *answer, struct error *err)
{
	char why[AUTHORSHIP_SIZE];
	if (!may_answer(e, approve, person)) {
		char groups[GATING_WORDS_SIZE];
		name_groups(approve, groups, sizeof groups);
		return error_set(err, ERR_DENIED,
				 "%s may not answer for %s: that is for members of %s, in the "
				 "server's own file.",
				 person, e->key, groups);
	}
	if (answer->verdict == CONTROL_ANSWER_YES && approve->not_author &&
	    is_author(e, r, person, why))
		return error_set(err, ERR_DENIED,
				 "%s %s, and %s wants another person to approve it (not_author).",
				 person, why, e->key);
	if (answer->verdict == CONTROL_ANSWER_EMERGENCY && !answer->reason[0])
		return error_set(err, ERR_INVALID,
				 "An emergency needs a reason; say it with --reason.");
	return 0;
}

int control_answer(struct control *c, const struct control_caller *caller, const char *rollout,
		   const struct control_answer *answer, struct error *err)
{
	static const char *const verdicts[] = {"yes", "no", "emergency"};
	static const char *const actions[] = {"approve", "reject", "emergency"};
	struct environment *e = NULL;
	struct active_rollout *r = NULL;
	struct app_approve approve = {0};
	int result = control_find_rollout(c, rollout, &e, &r, err);
	if (result < 0)
		return result;
	if (!gating_asks(r))
		return error_set(err, ERR_CONFLICT,
				 "Rollout %u does not wait for an answer; it is %s. See: davit why "
				 "%u",
				 r->number, rollout_status_name(r->state.status), r->number);
	const char *person = server_person(server_of(c), caller->who);
	(void)approval_of(e, r, &approve);
	result = answer->guest ? check_guest(e, &approve, caller->who, err) : 0;
	if (result == 0)
		result = check_answer(e, r, &approve, person, answer, err);
	if (result < 0)
		return result;
	struct digest hash = hash_of(e, r);
	struct store_approval row = {.rollout = r->number, .at_unix_ms = wall_ms(e)};
	digest_format(&hash, row.hash);
	if (answer->hash[0] && strcmp(answer->hash, row.hash) != 0)
		return error_set(err, ERR_CONFLICT,
				 "What waits in %s is not what you saw: look again (davit why %s), "
				 "then answer.",
				 e->key, e->name);
	text_copy(row.person, sizeof row.person, person);
	text_copy(row.identity, sizeof row.identity, caller->who);
	text_copy(row.verdict, sizeof row.verdict, verdicts[answer->verdict]);
	text_copy(row.reason, sizeof row.reason, answer->reason);
	control_begin(c, false);
	store_add_approval(c->parts.store, &row);
	put_audit(e, r->number, person, actions[answer->verdict], answer->reason, row.hash);
	result = control_commit(c, err);
	if (result < 0)
		return result;
	uint32_t number = r->number;
	e->gated_ms = 0;
	gating_tick(e);
	control_changed(c, number);
	return 0;
}

int control_freeze(struct control *c, const struct control_caller *caller, const char *environment,
		   bool on, uint64_t until_unix_ms, const char *reason, struct error *err)
{
	struct environment *e = NULL;
	struct store_freeze row = {.until_unix_ms = until_unix_ms};
	int result = environment_named(c, environment, &e, err);
	if (result < 0)
		return result;
	if (!on && !e->freeze.on)
		return error_set(err, ERR_CONFLICT, "%s is not frozen.", e->key);
	if (on && until_unix_ms != 0 && until_unix_ms <= wall_ms(e))
		return error_set(err, ERR_INVALID, "The end of a freeze must be in the future.");
	row.at_unix_ms = wall_ms(e);
	text_copy(row.app, sizeof row.app, e->app);
	text_copy(row.environment, sizeof row.environment, e->name);
	text_copy(row.reason, sizeof row.reason, reason);
	text_copy(row.by, sizeof row.by, caller->who);
	control_begin(c, false);
	if (on)
		store_put_freeze(c->parts.store, &row);
	else
		store_clear_freeze(c->parts.store, e->app, e->name);
	put_audit(e, 0, caller->who, on ? "freeze" : "unfreeze", reason, "");
	result = control_commit(c, err);
	if (result < 0)
		return result;
	e->freeze = (struct gating_freeze){
		.on = on, .at_unix_ms = row.at_unix_ms, .until_unix_ms = until_unix_ms};
	text_copy(e->freeze.reason, sizeof e->freeze.reason, on ? reason : "");
	text_copy(e->freeze.by, sizeof e->freeze.by, on ? caller->who : "");
	e->gated_ms = 0;
	gating_tick(e);
	environment_start_next(e);
	return 0;
}
