/* SPDX-License-Identifier: Apache-2.0
 * commands - what people and programs ask for: every one is checked, committed with its audit entry and the
 * answer to its request id, and only then done. A request id that was seen before is answered as it was then. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "control/bad_commit.h"
#include "control/certificates.h"
#include "control/commands.h"
#include "control/own_page.h"
#include "control/release_config.h"
#include "control/secrets.h"
#include "control/view.h"
#include "control/view_exec.h"
#include "provider/artifact.h"
#include "store/audit.h"
#include "store/releases.h"
#include "store/rollouts.h"

enum {
	REQUEST_TEXT_MAX = 4096,
	ANSWER_STATUS = 202,
	ANSWER_KEPT_MS = 7 * 24 * 3600 * 1000,
};

/* --- names */

int control_resolve_environment(struct control *c, const char *text, char ret_key[CONTROL_KEY_SIZE],
				struct error *err)
{
	const struct environment *found = NULL;
	const char *names[CONTROL_ENVIRONMENT_MAX];
	for (uint32_t i = 0; i < c->environment_count; i++) {
		const struct environment *e = c->environments[i];
		names[i] = strchr(text, '/') ? e->key : e->name;
		if (strcmp(names[i], text) != 0)
			continue;
		if (found)
			return error_set(err, ERR_CONFLICT,
					 "Both %s and %s have an environment \"%s\"; say %s or %s.",
					 found->app, e->app, text, found->key, e->key);
		found = e;
	}
	if (found) {
		text_copy(ret_key, CONTROL_KEY_SIZE, found->key);
		return 0;
	}
	const char *meant = text_suggest(text, names, c->environment_count);
	if (meant)
		return error_set(err, ERR_NOT_FOUND,
				 "There is no environment \"%s\"; did you mean \"%s\"?", text,
				 meant);
	return error_set(err, ERR_NOT_FOUND,
			 "There is no environment \"%s\" yet; the first \"davit deploy\" makes it.",
			 text);
}

int environment_named(struct control *c, const char *text, struct environment **ret_environment,
		      struct error *err)
{
	char key[CONTROL_KEY_SIZE];
	int result = control_resolve_environment(c, text, key, err);
	if (result == 0)
		*ret_environment = environment_find_key(c, key);
	return result;
}

int control_find_rollout(struct control *c, const char *text, struct environment **ret_environment,
			 struct active_rollout **ret_rollout, struct error *err)
{
	uint64_t number;
	if (!text_parse_u64(text, UINT32_MAX, &number)) {
		int result = environment_named(c, text, ret_environment, err);
		if (result < 0)
			return result;
		struct environment *e = *ret_environment;
		*ret_rollout = e->active ? e->active : e->queue_count > 0 ? e->queue[0] : NULL;
		return *ret_rollout ? 0
				    : error_set(err, ERR_CONFLICT,
						"Nothing is rolling in %s, so there is nothing to "
						"tell it.",
						e->key);
	}
	for (uint32_t i = 0; i < c->environment_count; i++) {
		struct environment *e = c->environments[i];
		*ret_environment = e;
		if (e->active && e->active->number == number) {
			*ret_rollout = e->active;
			return 0;
		}
		for (uint32_t k = 0; k < e->queue_count; k++)
			if (e->queue[k]->number == number) {
				*ret_rollout = e->queue[k];
				return 0;
			}
	}
	return error_set(err, ERR_CONFLICT, "Rollout %llu is not under way.",
			 (unsigned long long)number);
}

/* --- requests that are repeated */

static int keep_number(void *context, const struct store_answer *answer)
{
	uint64_t number = 0;
	if (text_parse_u64(answer->body, UINT32_MAX, &number))
		*(uint32_t *)context = (uint32_t)number;
	return 0;
}

int command_asked_before(struct control *c, const struct control_caller *caller,
			 struct digest *ret_digest, uint32_t *ret_rollout, struct error *err,
			 const char *format, ...)
{
	struct buf what;
	va_list list;
	buf_init(&what, REQUEST_TEXT_MAX);
	va_start(list, format);
	buf_vprintf(&what, format, list);
	va_end(list);
	*ret_digest = digest_of(buf_text(&what), what.size);
	buf_done(&what);
	if (!caller->request_id[0])
		return 0;
	return store_answer_find(c->parts.store, caller->request_id, ret_digest, keep_number,
				 ret_rollout, err);
}

void command_answered(struct control *c, const struct control_caller *caller,
		      const struct digest *request, uint32_t number)
{
	char body[16];
	struct store_answer answer = {.status = ANSWER_STATUS,
				      .body = body,
				      .at_unix_ms = env_wall_ms(c->parts.env),
				      .request = *request};
	if (!caller->request_id[0])
		return;
	snprintf(body, sizeof body, "%u", number);
	text_copy(answer.id, sizeof answer.id, caller->request_id);
	store_add_answer(c->parts.store, &answer);
	if (answer.at_unix_ms > ANSWER_KEPT_MS)
		store_forget_answers(c->parts.store, answer.at_unix_ms - ANSWER_KEPT_MS);
}

/* --- rollouts begin */

static int new_number(struct control *c, bool urgent, uint32_t *ret_number, struct error *err)
{
	int result;
	do {
		control_begin(c, urgent);
		*ret_number = (uint32_t)store_add_one(c->parts.store, "rollout");
		result = control_commit(c, err);
	} while (control_again(c, urgent, result));
	return result;
}

static void drop(struct active_rollout *r)
{
	release_info_free(&r->candidate);
	free(r);
}

int command_submit(struct environment *e, struct active_rollout *r,
		   const struct control_caller *caller, const struct digest *request,
		   const char *sentence, uint32_t *ret_rollout, struct error *err)
{
	struct control *c = e->control;
	struct rollout_event event = {.kind = EVENT_SUBMIT};
	struct turn_note note = {.caller = caller,
				 .action = r->kind,
				 .reason = r->reason,
				 .sentence = sentence,
				 .request = request};
	int result = e->queue_count < CONTROL_QUEUE_MAX
			     ? new_number(c, control_kind_urgent(r->kind), &r->number, err)
			     : error_set(err, ERR_LIMIT, "%d rollouts wait in %s already.",
					 CONTROL_QUEUE_MAX, e->key);
	if (result < 0) {
		drop(r);
		return result;
	}
	rollout_init(&r->state);
	plan_init(&r->plan);
	r->verdict_to_zero_ms = -1;
	if (strcmp(r->kind, "rollback") == 0) /* the command is the verdict */
		r->verdict_at_ms = env_now_ms(c->parts.env);
	r->created_unix_ms = env_wall_ms(c->parts.env);
	text_copy(r->by, sizeof r->by, caller->who);
	event.number = *ret_rollout = r->number;
	event.release = r->candidate.id;
	e->queue[e->queue_count++] = r;
	result = environment_turn(e, r, &event, &note, NULL, err);
	if (result < 0) {
		e->queue_count--;
		drop(r);
		return result;
	}
	environment_start_next(e);
	return 0;
}

struct active_rollout *command_rollout_new(const char *kind, const char *reason)
{
	struct active_rollout *r = mem_zero(1, sizeof *r);
	text_copy(r->kind, sizeof r->kind, kind);
	text_copy(r->reason, sizeof r->reason, reason);
	return r;
}

static int check_not_there(const struct environment *e, const struct store_release *row,
			   struct error *err)
{
	struct store *store = e->control->parts.store;
	const struct release_info *live = environment_release(e, e->core.stable);
	const struct active_rollout *r = e->active;
	char wanted[DIGEST_HEX_SIZE], there[DIGEST_HEX_SIZE] = "", moving[DIGEST_HEX_SIZE] = "";
	int result = release_origin(store, row->id, wanted, err);
	if (result == 0 && live)
		result = release_origin(store, live->hex, there, err);
	if (result == 0 && r && r->state.status != ROLLOUT_REVERTING)
		result = release_origin(store, r->candidate.hex, moving, err);
	if (result < 0)
		return result;
	if (strcmp(wanted, moving) == 0)
		return error_set(err, ERR_CONFLICT,
				 "%s is on its way to %s already; see \"davit watch %s\".",
				 row->tag, e->key, e->name);
	if (!r && strcmp(wanted, there) == 0)
		return error_set(err, ERR_CONFLICT,
				 "%s is live in %s already, with the same configuration; \"davit "
				 "restart %s\" starts its instances anew.",
				 row->tag, e->key, e->name);
	return 0;
}

static int check_not_bad(struct environment *e, const struct store_release *row, struct error *err)
{
	struct store_bad_mark mark;
	int bad =
		store_bad_mark_find(e->control->parts.store, e->app, e->name, row->id, &mark, err);
	if (bad < 1)
		return bad;
	return error_set(err, ERR_DENIED,
			 "%s is marked bad in %s (%s); \"davit releases clear %s %s\" lifts that.",
			 row->tag, e->key, mark.reason, e->name, row->tag);
}

int command_check_bad(struct environment *e, const char *release, struct error *err)
{
	struct store_release row;
	int result = store_release_get(e->control->parts.store, release, &row, NULL, err);
	if (result == 0)
		result = check_not_bad(e, &row, err);
	return result < 0 ? result : bad_commit_check(e, &row, err);
}

static bool has_environment(struct control *c, const char *release, const char *name)
{
	struct store_release row;
	struct buf json, text;
	struct error ignored;
	buf_init(&json, STORE_BLOB_MAX);
	buf_init(&text, CONFIG_ENCODED_MAX);
	bool has = store_release_get(c->parts.store, release, &row, &json, &ignored) == 0 &&
		   release_config_text(buf_text(&json), json.size, name, &text, &ignored) == 0;
	buf_done(&json);
	buf_done(&text);
	return has;
}

/* A release that went elsewhere first may know an environment that nothing was deployed to yet: it is made now.
 * `err` stays as it is where no application has such a release, or several have. */
static int make_environment(struct control *c, const char *environment, const char *release,
			    struct environment **ret_environment, struct error *err)
{
	const char *slash = strchr(environment, '/'), *name = slash ? slash + 1 : environment;
	char app[CONTROL_NAME_SIZE] = "", key[CONTROL_KEY_SIZE];
	struct store_release row;
	struct error ignored;
	for (uint32_t i = 0; i < c->environment_count; i++) {
		const char *one = c->environments[i]->app;
		if (strcmp(one, app) == 0 ||
		    (slash && (strlen(one) != (size_t)(slash - environment) ||
			       strncmp(one, environment, strlen(one)) != 0)) ||
		    store_release_match(c->parts.store, one, release, &row, &ignored) < 0 ||
		    !has_environment(c, row.id, name))
			continue;
		if (app[0])
			return ERR_NOT_FOUND;
		text_copy(app, sizeof app, one);
	}
	if (!app[0])
		return ERR_NOT_FOUND;
	int result = environment_ensure(c, app, name, err);
	snprintf(key, sizeof key, "%s/%s", app, name);
	*ret_environment = environment_find_key(c, key);
	return result;
}

struct repaired {
	const struct environment *environment;
	bool fits;
};

static int see_repaired(void *context, const struct store_rollout *row)
{
	struct repaired *repaired = context;
	repaired->fits = strcmp(row->kind, "deploy") == 0 && row->started_unix_ms > 0 &&
			 strcmp(row->app, repaired->environment->app) == 0 &&
			 strcmp(row->environment, repaired->environment->name) == 0;
	return 0;
}

/* What is said to be repaired is a deployment that has begun here. */
static int check_fixes(const struct environment *e, uint32_t rollout, struct error *err)
{
	struct repaired repaired = {.environment = e};
	int result = rollout == 0 ? 0
				  : store_rollout_get(e->control->parts.store, rollout,
						      see_repaired, &repaired, err);
	if (result < 0 || rollout == 0 || repaired.fits)
		return result;
	return error_set(err, ERR_INVALID,
			 "Rollout %u is no deployment to %s that has begun, so nothing can repair "
			 "it; see: davit history %s",
			 rollout, e->key, e->name);
}

int control_deploy(struct control *c, const struct control_caller *caller, const char *environment,
		   const struct control_deploy *deploy, uint32_t *ret_rollout, struct error *err)
{
	struct digest request;
	struct environment *e = NULL;
	struct store_release row;
	char fixes[24] = "";
	if (deploy->fixes != 0)
		snprintf(fixes, sizeof fixes, " fixes %u", deploy->fixes);
	int result =
		command_asked_before(c, caller, &request, ret_rollout, err, "deploy %s %s %s%s",
				     environment, deploy->release, deploy->strategy, fixes);
	if (result != 0)
		return result < 0 ? result : 0;
	result = environment_named(c, environment, &e, err);
	if (result == ERR_NOT_FOUND)
		result = make_environment(c, environment, deploy->release, &e, err);
	if (result == 0)
		result = store_release_match(c->parts.store, e->app, deploy->release, &row, err);
	if (result == 0)
		result = check_not_there(e, &row, err);
	if (result == 0 && !deploy->allow_bad)
		result = command_check_bad(e, row.id, err);
	if (result == 0)
		result = check_fixes(e, deploy->fixes, err);
	if (result == 0)
		result = gating_check(e, &row, deploy->offered, err);
	if (result < 0)
		return result;
	struct active_rollout *r = command_rollout_new("deploy", deploy->reason);
	result = release_load_with(e, row.id, deploy->strategy, &r->candidate, err);
	if (result == 0)
		result = gating_check_floor(e, &r->candidate, err);
	if (result == 0)
		result = secrets_check(e, &r->candidate, err);
	if (result == 0)
		result = certificates_check(c, r->candidate.config, err);
	if (result < 0) {
		drop(r);
		return result;
	}
	text_copy(r->strategy, sizeof r->strategy, r->candidate.config->environment.strategy.name);
	r->fixes = deploy->fixes;
	r->allow_bad = deploy->allow_bad;
	return command_submit(e, r, caller, &request, "", ret_rollout, err);
}

/* A command's turn, and what the sender is told of it. */
static int tell(struct environment *e, struct active_rollout *r, const struct rollout_event *event,
		const struct turn_note *note, struct error *err)
{
	enum rollout_answer answer = ANSWER_NONE;
	int result = environment_turn(e, r, event, note, &answer, err);
	if (result == 0 && answer != ANSWER_OK && answer != ANSWER_NONE)
		result = error_set(err, ERR_CONFLICT, "%s", rollout_answer_text(answer));
	return result;
}

/* Before anybody is sent away: with what? */
static int check_page(const struct environment *e, struct error *err)
{
	const struct release_info *release = environment_traffic_release(e);
	struct digest artifact;
	if (!release || !release->config || !digest_parse(release->artifact, &artifact))
		return 0;
	int result = own_page_check(e->control->parts.artifacts, &artifact,
				    &release->config->environment.requests, err);
	return result < 0 ? error_prefix(err, "Release %s", release->tag) : 0;
}

/* Nobody can say of a connection's bytes whether they change something. */
static int check_access(const struct environment *e, enum control_access access, struct error *err)
{
	const struct resolved *config = environment_traffic_config(e);
	if (access != CONTROL_READ_ONLY || !config ||
	    config->environment.protocol != APP_PROTOCOL_TCP)
		return 0;
	return error_set(
		err, ERR_CONFLICT,
		"What passes through the connections of %s (\"protocol: tcp\") cannot be told "
		"to only read; close it with \"davit maintenance %s\".",
		e->key, e->key);
}

int control_maintenance(struct control *c, const struct control_caller *caller,
			const char *environment, enum control_access access, const char *reason,
			struct error *err)
{
	static const char *const actions[] = {
		[CONTROL_OPEN] = "maintenance.off",
		[CONTROL_MAINTENANCE] = "maintenance.on",
		[CONTROL_READ_ONLY] = "maintenance.read-only",
	};
	_Static_assert((int)CONTROL_MAINTENANCE == (int)ACCESS_CLOSED &&
			       (int)CONTROL_READ_ONLY == (int)ACCESS_READS,
		       "the same");
	struct digest request;
	struct rollout_event event = {.kind = EVENT_MAINTENANCE,
				      .access = (enum traffic_access)access};
	struct turn_note note = {
		.caller = caller, .action = actions[access], .reason = reason, .request = &request};
	struct environment *e = NULL;
	uint32_t ignored;
	int result = command_asked_before(c, caller, &request, &ignored, err, "%s %s", note.action,
					  environment);
	if (result != 0)
		return result < 0 ? result : 0;
	result = environment_named(c, environment, &e, err);
	if (result == 0)
		result = check_access(e, access, err);
	if (result == 0 && access == CONTROL_MAINTENANCE)
		result = check_page(e, err);
	return result < 0 ? result : tell(e, e->active, &event, &note, err);
}

int control_kpi(struct control *c, const struct control_caller *caller, const char *environment,
		const struct control_kpi *kpi, bool *ret_counted, struct error *err)
{
	struct environment *e = NULL;
	*ret_counted = false;
	int result = environment_named(c, environment, &e, err);
	if (result < 0)
		return result;
	bool bounded = kpi->count <= CONTROL_KPI_MOST && kpi->of <= CONTROL_KPI_MOST &&
		       fabs(kpi->sum) <= CONTROL_KPI_SUM_MOST;
	if (!bounded || !kpi->release[0] || !kpi->name[0])
		return error_set(
			err, ERR_INVALID,
			"A KPI has a release, a name, counts of at most %d and a sum of at "
			"most 1e15.",
			CONTROL_KPI_MOST);
	return measuring_push(e, caller->request_id, kpi, ret_counted, err);
}

int control_command(struct control *c, const struct control_caller *caller, const char *rollout,
		    enum control_verb verb, const char *reason, const struct control_expect *expect,
		    struct error *err)
{
	static const enum rollout_event_kind kinds[] = {EVENT_PROMOTE, EVENT_PAUSE, EVENT_RESUME,
							EVENT_ABORT};
	static const char *const actions[] = {"promote", "pause", "resume", "abort"};
	struct digest request;
	struct turn_note note = {
		.caller = caller, .action = actions[verb], .reason = reason, .request = &request};
	struct environment *e = NULL;
	struct active_rollout *r;
	uint32_t ignored;
	int result = command_asked_before(c, caller, &request, &ignored, err, "%s %s",
					  actions[verb], rollout);
	if (result != 0)
		return result < 0 ? result : 0;
	result = control_find_rollout(c, rollout, &e, &r, err);
	if (result < 0)
		return result;
	struct rollout_event event = {.kind = kinds[verb],
				      .seen = {r->state.status, r->state.cursor, r->state.attempt}};
	if (verb == CONTROL_PROMOTE && gating_asks(r))
		return error_set(err, ERR_CONFLICT,
				 "Rollout %u waits for an answer, which nobody can skip: davit "
				 "approve %u, or davit reject %u",
				 r->number, r->number, r->number);
	bool moved = !expect->any &&
		     (strcmp(expect->state, rollout_status_name(r->state.status)) != 0 ||
		      expect->step != r->state.cursor || expect->attempt != r->state.attempt);
	if (moved && verb != CONTROL_ABORT)
		return error_set(err, ERR_CONFLICT, "%s", rollout_answer_text(ANSWER_STALE));
	result = tell(e, r, &event, &note, err);
	environment_start_next(e);
	return result;
}

int control_exec(struct control *c, const struct control_caller *caller, const char *environment,
		 const char *process, const char *command, struct view_exec *ret_view,
		 struct error *err)
{
	struct environment *e = NULL;
	int result = environment_named(c, environment, &e, err);
	if (result < 0)
		return result;
	const struct release_info *live = environment_release(e, e->core.stable);
	if (!live)
		return error_set(err, ERR_CONFLICT, "Nothing is live in %s.", e->key);
	const struct app_environment *env = &live->config->environment;
	const struct app_process *found = process[0] ? NULL : &env->processes[0];
	for (uint32_t i = 0; i < env->process_count; i++)
		if (strcmp(env->processes[i].name, process) == 0)
			found = &env->processes[i];
	if (!found)
		return error_set(err, ERR_NOT_FOUND, "%s has no process \"%s\".", e->key, process);
	struct artifact_store *artifacts = c->parts.artifacts;
	struct digest digest;
	ASSERT(digest_parse(live->artifact, &digest));
	result = artifacts->ops->path(artifacts, &digest, ret_view->directory,
				      sizeof ret_view->directory, err);
	if (result < 0)
		return result;
	text_copy(ret_view->user, sizeof ret_view->user, found->user ? found->user : "");
	for (uint32_t i = 0; i < found->env.count && i < 90; i++)
		snprintf(ret_view->variables[ret_view->variable_count++],
			 sizeof ret_view->variables[0], "%s=%s", found->env.items[i].name,
			 found->env.items[i].value);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_APP=%s", e->app);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_RELEASE_ID=%s", live->hex);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_RELEASE=%s", live->tag);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_ENVIRONMENT=%s", e->name);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_PROCESS=%s", found->name);
	instance_id_of(e, e->core.stable, environment_process_index(e, found->name), 1,
		       ret_view->instance);
	ret_view->secret_count = found->secret_count;
	for (uint32_t i = 0; i < found->secret_count; i++) {
		text_copy(ret_view->secrets[i].name, sizeof ret_view->secrets[i].name,
			  found->secrets[i].name);
		ret_view->secrets[i].file = found->secrets[i].as == APP_SECRET_FILE;
	}
	struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(c->parts.env)};
	text_copy(audit.who, sizeof audit.who, caller->who);
	text_copy(audit.action, sizeof audit.action, "exec");
	text_copy(audit.app, sizeof audit.app, e->app);
	text_copy(audit.environment, sizeof audit.environment, e->name);
	text_copy(audit.evidence, sizeof audit.evidence, command);
	control_begin(c, false);
	store_add_audit(c->parts.store, &audit);
	return control_commit(c, err);
}
