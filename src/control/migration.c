/* SPDX-License-Identifier: Apache-2.0
 * migration - see migration.h for the contract. */
#include "control/migration.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/environment.h"
#include "control/hook.h"
#include "control/infrastructure.h"
#include "provider/plans.h"
#include "store/audit.h"
#include "store/crossings.h"
#include "store/releases.h"

enum {
	STABLES_LOOKED_AT = 1000,
	LOST_MAX = 3, /* ends of which nobody knows how: then the command has failed */
	ENDS_MAX = 4, /* at a time */
	HASH_SHORT = 12,
	WHOLE_MAX = 512,
	KEY_SIZE = 160,
	NAME_SIZE = 32,
};

/* The command that a rollout wants just now. */
struct wish {
	struct active_rollout *rollout;
	const struct hook *hook;
	char id[INSTANCE_ID_SIZE];
	bool runs; /* false: what runs goes on, nothing new is started and no answer is wanted */
};

const char *migration_name(const struct plan *plan, uint32_t step)
{
	const struct hook *hook = hook_of(plan, step);
	return hook ? hook->name : NULL;
}

bool migration_instance(const struct instance_status *status)
{
	return status->slot == MIGRATION_SLOT;
}

bool migration_ahead(const struct active_rollout *r)
{
	for (uint32_t i = r->state.cursor; r->state.marked && i < r->plan.step_count; i++)
		if (r->plan.steps[i].op == PLAN_HOOK)
			return true;
	return false;
}

/* One name for each try of a command: a try that failed keeps its log, and the next one is another instance. */
static void name_instance(const struct environment *e, const struct active_rollout *r,
			  const struct hook *hook, char to[INSTANCE_ID_SIZE])
{
	struct buf whole;
	char hex[DIGEST_HEX_SIZE], name[NAME_SIZE];
	if (hook->around)
		snprintf(name, sizeof name, "%s-%u", hook->name, r->state.cursor + 1);
	else
		text_copy(name, sizeof name, hook->name);
	buf_init(&whole, WHOLE_MAX);
	buf_printf(&whole, "%s/%s/%u", e->key, name, r->number);
	struct digest digest = digest_of(buf_text(&whole), whole.size);
	buf_done(&whole);
	snprintf(to, INSTANCE_ID_SIZE, "%.20s-%.16s-%s-%u-%u-%.*s", e->app, e->name, name,
		 r->number, r->state.retries + 1, HASH_SHORT, digest_format(&digest, hex));
}

static bool find_wish(struct environment *e, struct wish *ret_wish)
{
	struct active_rollout *r = e->active;
	const struct hook *hook = r ? hook_of(&r->plan, r->state.cursor) : NULL;
	if (!hook || !r->candidate.config || r->plan.reverts || !r->state.issued || r->state.passed)
		return false;
	bool running = r->state.status == ROLLOUT_RUNNING;
	bool waits = r->state.status == ROLLOUT_PAUSED && r->state.reason != REASON_HOOK;
	if (!running && !waits)
		return false;
	*ret_wish = (struct wish){.rollout = r, .hook = hook, .runs = running};
	name_instance(e, r, hook, ret_wish->id);
	return true;
}

/* "migrate-before", "before-step 10%": for people. */
static const char *describe(const struct plan *plan, uint32_t step, char to[NAME_SIZE])
{
	const char *around = hook_step(plan, step);
	snprintf(to, NAME_SIZE, "%s%s%s", hook_of(plan, step)->name, around[0] ? " " : "", around);
	return to;
}

static const char *action_of(const struct hook *hook, bool ended)
{
	if (hook->planned)
		return ended ? "infrastructure.ended" : "infrastructure.began";
	if (hook->around)
		return ended ? "hook.ended" : "hook.began";
	return ended ? "migrate.ended" : "migrate.began";
}

static void answer(struct environment *e, const struct wish *wish, bool ok, const char *sentence)
{
	const struct rollout *state = &wish->rollout->state;
	struct rollout_event event = {
		.kind = EVENT_HOOKED, .step = state->cursor, .attempt = state->attempt, .ok = ok};
	char what[NAME_SIZE];
	struct turn_note note = {.action = action_of(wish->hook, true),
				 .reason = describe(&wish->rollout->plan, state->cursor, what),
				 .sentence = sentence};
	log_event(ok ? LOG_INFO : LOG_WARNING, "migration.ended",
		  "environment=%s rollout=%u command=%s ok=%s", e->key, wish->rollout->number,
		  wish->hook->name, ok ? "yes" : "no");
	environment_event(e, &event, &note);
}

static void fail(struct environment *e, const struct wish *wish, const char *why)
{
	char sentence[SENTENCE_SIZE], what[NAME_SIZE];
	size_t size = strlen(why);
	describe(&wish->rollout->plan, wish->rollout->state.cursor, what);
	while (size > 0 && why[size - 1] == '.')
		size--;
	snprintf(sentence, sizeof sentence, "The command %s failed: %.*s; see: davit logs %s/%s",
		 what, (int)size, why, e->name, wish->hook->name);
	answer(e, wish, false, sentence);
}

static bool is_plan(const struct hook *hook)
{
	return strcmp(hook->label, STRATEGY_INFRA_PLAN) == 0;
}

/* Where nothing has to be changed, nothing runs. */
static bool idle(const struct environment *e, const struct wish *wish)
{
	struct store_infrastructure row;
	return wish->hook->planned && !is_plan(wish->hook) &&
	       infrastructure_read(e, wish->rollout->number, &row) && !row.changes;
}

static void start(struct environment *e, const struct wish *wish)
{
	/* No set document's version: nothing that was ever sent can be taken for it. */
	struct instance_version version = {e->core.epoch, 0};
	struct hook_variables variables;
	struct error err;
	const struct release_info *candidate = &wish->rollout->candidate;
	char file[PLANS_PATH_SIZE] = "";
	if (idle(e, wish)) {
		answer(e, wish, true, "The infrastructure is as the release wants it.");
		return;
	}
	int result = wish->hook->planned
			     ? infrastructure_file(e, wish->rollout, wish->hook, file, &err)
			     : 0;
	hook_variables_make(e, wish->rollout, file, &variables);
	struct release_command what = {
		.id = wish->id,
		.name = wish->hook->name,
		.command = hook_command(wish->hook, &candidate->config->environment),
		.slot = MIGRATION_SLOT,
		.variables = variables.list};
	if (result == 0)
		result = release_run_command(e, candidate, &what, version, &err);
	if (result == 0)
		log_event(LOG_INFO, "migration.started", "environment=%s rollout=%u instance=%s",
			  e->key, wish->rollout->number, wish->id);
	else if (result == ERR_DENIED || result == ERR_INVALID || result == ERR_NOT_FOUND ||
		 result == ERR_UNSUPPORTED || result == ERR_CORRUPT)
		fail(e, wish, err.text);
	else /* no room on the disk or in the table: at the next tick again, until the step's time is up */
		log_event(LOG_DEBUG, "migration.start", "instance=%s error=\"%s\"", wish->id,
			  err.text);
}

/* What is known of its end is its answer. An end that nobody saw (its keeper was killed, the machine went down) is
 * none: the command runs again, under the same key. */
static void finish(struct environment *e, const struct wish *wish, const struct instance_status *s)
{
	struct runtime *runtime = e->control->parts.runtime;
	char sentence[SENTENCE_SIZE], what[NAME_SIZE];
	struct error err;
	if (s->state == INSTANCE_FAILED && s->exit_known && is_plan(wish->hook)) {
		int result = infrastructure_keep(e, wish->rollout, wish->id, s->exit_code, &err);
		if (result == 0)
			answer(e, wish, true, "The infrastructure has been looked at.");
		else if (result == ERR_INVALID)
			fail(e, wish, err.text);
		else /* kept at the next tick, or its time is over */
			log_event(LOG_WARNING, "infrastructure.keep", "rollout=%u error=\"%s\"",
				  wish->rollout->number, err.text);
		return;
	}
	if (s->state == INSTANCE_FAILED && s->exit_known) {
		snprintf(sentence, sizeof sentence, "%s has done its work.",
			 describe(&wish->rollout->plan, wish->rollout->state.cursor, what));
		if (s->exit_code == 0)
			answer(e, wish, true, sentence);
		else
			fail(e, wish, s->sentence);
		return;
	}
	if (strcmp(e->migration_lost_id, wish->id) != 0)
		e->migration_lost = 0;
	text_copy(e->migration_lost_id, sizeof e->migration_lost_id, wish->id);
	if (++e->migration_lost > LOST_MAX) {
		fail(e, wish, s->sentence);
		return;
	}
	log_event(LOG_WARNING, "migration.again", "environment=%s instance=%s why=\"%s\"", e->key,
		  wish->id, s->sentence);
	if (runtime->ops->forget(runtime, wish->id, &err) < 0)
		log_event(LOG_WARNING, "migration.forget", "instance=%s error=\"%s\"", wish->id,
			  err.text);
}

/* What no step wants any more: its signal, its time, then by force. Asked again until it is over. True: none of it is
 * left, so that never two commands run at the same time. */
static bool end_others(struct environment *e, const char *wanted)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	struct instance_status ends[ENDS_MAX];
	struct error err;
	size_t count = runtime->ops->observe(runtime, &list), end_count = 0;
	bool clear = true;
	for (size_t i = 0; i < count && end_count < ENDS_MAX; i++) {
		if (!instance_of(e, &list[i]) || !migration_instance(&list[i]) ||
		    strcmp(list[i].id, wanted) == 0 || instance_state_over(list[i].state))
			continue;
		clear = false;
		if (list[i].want != INSTANCE_STOP)
			ends[end_count++] = list[i];
	}
	for (size_t i = 0; i < end_count; i++)
		if (runtime->ops->stop(runtime, ends[i].id, ends[i].applied, true, &err) < 0)
			log_event(LOG_DEBUG, "migration.stop", "instance=%s error=\"%s\"",
				  ends[i].id, err.text);
	return clear;
}

void migration_tick(struct environment *e)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list, *found = NULL;
	struct wish wish = {.id = ""};
	if (e->control->stopping || !runtime->ops->settled(runtime))
		return;
	bool wanted = find_wish(e, &wish);
	bool clear = end_others(e, wish.id);
	if (!wanted || !wish.runs || !clear)
		return;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count && !found; i++)
		if (strcmp(list[i].id, wish.id) == 0)
			found = &list[i];
	if (!found) {
		start(e, &wish);
	} else if (instance_state_over(found->state)) {
		struct instance_status ended = *found;
		finish(e, &wish, &ended);
	}
}

/* --- what the store has to know */

void migration_put(struct environment *e, const struct active_rollout *r, const struct plan *plan,
		   const struct rollout *next)
{
	const struct hook *hook = hook_of(plan, next->cursor);
	bool same = r->state.issued && r->state.cursor == next->cursor;
	if (!hook || plan->reverts || !next->issued || same)
		return;
	char key[KEY_SIZE], what[NAME_SIZE];
	uint64_t now = env_wall_ms(e->control->parts.env);
	struct store_audit_entry audit = {.at_unix_ms = now, .rollout = r->number};
	text_copy(audit.who, sizeof audit.who, "davit");
	text_copy(audit.action, sizeof audit.action, action_of(hook, false));
	text_copy(audit.app, sizeof audit.app, e->app);
	text_copy(audit.environment, sizeof audit.environment, e->name);
	text_copy(audit.reason, sizeof audit.reason, describe(plan, next->cursor, what));
	hook_key(e, r->number, plan, next->cursor, key, sizeof key);
	text_copy(audit.evidence, sizeof audit.evidence, key);
	store_add_audit(e->control->parts.store, &audit);
	if (strcmp(hook->label, STRATEGY_AFTER) != 0)
		return;
	struct store_crossing row = {.rollout = r->number, .at_unix_ms = now};
	text_copy(row.app, sizeof row.app, e->app);
	text_copy(row.environment, sizeof row.environment, e->name);
	text_copy(row.release, sizeof row.release, r->candidate.hex);
	store_add_crossing(e->control->parts.store, &row);
}

/* --- the way back */

struct passage {
	struct store *store;
	const char *origin;
	uint32_t rollout; /* that last made it live; 0: none did */
};

static int find_last(void *context, const struct store_stable *stable)
{
	struct passage *p = context;
	char origin[DIGEST_HEX_SIZE];
	struct error ignored;
	if (stable->rollout > p->rollout &&
	    release_origin(p->store, stable->release, origin, &ignored) == 0 &&
	    strcmp(origin, p->origin) == 0)
		p->rollout = stable->rollout;
	return 0;
}

int migration_check_back(struct environment *e, const char *release, bool across,
			 char *ret_sentence, size_t size, struct error *err)
{
	struct store *store = e->control->parts.store;
	char origin[DIGEST_HEX_SIZE];
	struct store_crossing crossing;
	struct store_release target, past;
	struct passage passage = {.store = store, .origin = origin};
	ret_sentence[0] = '\0';
	int result = store_crossing_last(store, e->app, e->name, &crossing, err);
	if (result < 1)
		return result;
	result = release_origin(store, release, origin, err);
	if (result == 0)
		result = store_stables(store, e->app, e->name, STABLES_LOOKED_AT, find_last,
				       &passage, err);
	if (result < 0 || crossing.rollout <= passage.rollout)
		return result < 0 ? result : 0;
	result = store_release_get(store, release, &target, NULL, err);
	if (result == 0)
		result = store_release_get(store, crossing.release, &past, NULL, err);
	if (result < 0)
		return result;
	if (!across)
		return error_set(
			err, ERR_DENIED,
			"%s cannot go back to %s as if nothing had been: rollout %u ran "
			"migrate.after of %s, and what %s needs of the data may be gone. Deploy a "
			"fix, or restore the data and type: davit rollback %s --to %s "
			"--across-migration",
			e->key, target.tag, crossing.rollout, past.tag, target.tag, e->name,
			target.tag);
	snprintf(ret_sentence, size, "Back to %s, across migrate.after of %s (rollout %u).",
		 target.tag, past.tag, crossing.rollout);
	return 0;
}
