/* SPDX-License-Identifier: Apache-2.0
 * builds - see builds.h for the contract. What is in memory is one build at most; all else is in the store, so that a
 * long queue costs nothing. */
#include "control/builds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "config/server.h"
#include "control/build_logs.h"
#include "control/build_release.h"
#include "control/drifting.h"
#include "control/environment.h"
#include "control/external.h"
#include "control/known.h"
#include "control/release_config.h"
#include "control/reports.h"
#include "control/secrets.h"
#include "control/superseding.h"
#include "store/audit.h"
#include "store/builds.h"
#include "store/findings.h"
#include "store/releases.h"

enum { RETRY_MS = 5000, LOST_MS = 500 };

static const char TRIGGERED[] =
	"@"; /* `wanted` of an order whose ref decides; no environment is called so */

static const char TAGS[] = "refs/tags/";

/* Of one that is under way and is not to be, so that it is not begun again after a restart. */
static const char CANCELLING[] = "cancelling";

/* --- what is written */

static void add_audit(struct control *c, const struct store_build *b, const char *who,
		      const char *action)
{
	struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(c->parts.env)};
	text_copy(audit.who, sizeof audit.who, who);
	text_copy(audit.action, sizeof audit.action, action);
	text_copy(audit.app, sizeof audit.app, b->app);
	text_copy(audit.reason, sizeof audit.reason, b->why);
	snprintf(audit.evidence, sizeof audit.evidence, "build %u, commit %.12s%s%s%s%.12s",
		 b->number, b->commit, b->ref[0] ? " of " : "", b->ref,
		 b->release[0] ? ", release " : "", b->release);
	store_add_audit(c->parts.store, &audit);
}

/* In the transaction: what others see of it, too. */
static void put_row(struct control *c, const struct store_build *b)
{
	store_put_build(c->parts.store, b);
	reports_build(c, b);
	drifting_due(c, b->app);
}

/* False: it could not be committed, and is tried again a little later from what the store says. */
static bool put(struct control *c, const struct store_build *b, const char *action)
{
	struct error err;
	control_begin(c, false);
	put_row(c, b);
	if (b->ended_unix_ms > 0)
		store_end_build_stages(c->parts.store, b->number);
	if (b->ended_unix_ms > 0 && b->number > BUILDS_FINDINGS_KEPT)
		store_forget_findings(c->parts.store, b->number - BUILDS_FINDINGS_KEPT);
	if (action)
		add_audit(c, b, b->by, action);
	if (control_commit(c, &err) == 0)
		return true;
	log_event(LOG_WARNING, "control.build", "number=%u error=\"%s\"", b->number, err.text);
	c->build_due_ms = env_now_ms(c->parts.env) + RETRY_MS;
	return false;
}

static void end(struct control *c, struct store_build *b, const char *state)
{
	text_copy(b->state, sizeof b->state, state);
	b->ended_unix_ms = env_wall_ms(c->parts.env);
	if (!put(c, b,
		 strcmp(state, "passed") == 0   ? "build.passed"
		 : strcmp(state, "failed") == 0 ? "build.failed"
						: "build.cancelled"))
		return;
	c->build_due_ms = 0;
	build_logs_tidy(c);
}

/* --- it goes out */

/* The first release for an environment makes it, if its configuration has it. */
static int prepare(struct control *c, const struct store_build *b, const char *environment,
		   struct error *err)
{
	struct store_release row;
	struct buf json, text;
	buf_init(&json, STORE_BLOB_MAX);
	buf_init(&text, CONFIG_ENCODED_MAX);
	int result = store_release_get(c->parts.store, b->release, &row, &json, err);
	if (result == 0)
		result = release_config_text(buf_text(&json), json.size, environment, &text, err);
	if (result == 0)
		result = environment_ensure(c, b->app, environment, err);
	buf_done(&json);
	buf_done(&text);
	return result;
}

struct asked {
	const char *environment;
	bool begun;
};

static int see_rollout(void *context, const struct store_build_rollout *row)
{
	struct asked *asked = context;
	asked->begun |= row->rollout != 0 && strcmp(row->environment, asked->environment) == 0;
	return 0;
}

static int deploy(struct control *c, const struct store_build *b, const char *environment,
		  uint32_t *ret_rollout, struct error *err)
{
	struct control_deploy deploy = {.strategy = ""};
	struct control_caller caller = {.who = ""};
	char key[CONTROL_KEY_SIZE];
	text_copy(caller.who, sizeof caller.who, b->by);
	snprintf(caller.request_id, sizeof caller.request_id, "build-%u-%s", b->number,
		 environment);
	snprintf(key, sizeof key, "%s/%s", b->app, environment);
	snprintf(deploy.reason, sizeof deploy.reason, "build %u: %.200s", b->number, b->subject);
	text_copy(deploy.release, sizeof deploy.release, b->release);
	int code = prepare(c, b, environment, err);
	return code < 0 ? code : control_deploy(c, &caller, key, &deploy, ret_rollout, err);
}

/* False: the store takes nothing just now. That is no refusal, and is tried again. */
static bool deploy_to(struct control *c, const struct store_build *b, const char *environment)
{
	struct store_build_rollout row = {.build = b->number};
	struct asked asked = {.environment = environment};
	struct error err;
	if (store_build_rollouts(c->parts.store, b->number, see_rollout, &asked, &err) < 0)
		return false;
	if (asked.begun) /* before a restart; its request id may be forgotten by now */
		return true;
	text_copy(row.environment, sizeof row.environment, environment);
	if (deploy(c, b, environment, &row.rollout, &err) < 0) {
		if (c->degraded)
			return false;
		row.rollout = 0;
		text_copy(row.why, sizeof row.why, err.text);
	}
	control_begin(c, false);
	store_put_build_rollout(c->parts.store, &row);
	if (control_commit(c, &err) == 0)
		return true;
	log_event(LOG_WARNING, "control.build", "number=%u error=\"%s\"", b->number, err.text);
	return false;
}

void builds_go_out(struct control *c, struct store_build *b)
{
	char wanted[STORE_SENTENCE_SIZE], *rest = wanted, *one;
	text_copy(wanted, sizeof wanted, b->wanted);
	while ((one = strsep(&rest, " ")))
		if (one[0] && !deploy_to(c, b, one)) {
			c->build_due_ms = env_now_ms(c->parts.env) + RETRY_MS;
			return;
		}
	end(c, b, "passed");
}

/* The release is there: with this commit it is never built again. */
static void released(struct control *c, uint32_t number, const char *release,
		     const struct error *why)
{
	struct store_build *b = c->building;
	if (!b || b->number != number)
		return;
	c->building = NULL;
	if (!release) {
		text_copy(b->why, sizeof b->why, why->text);
		end(c, b, "failed");
	} else {
		text_copy(b->release, sizeof b->release, release);
		text_copy(b->state, sizeof b->state, "releasing");
		if (put(c, b, NULL))
			builds_go_out(c, b);
	}
	free(b);
}

/* --- it is built */

static void on_stage(void *context, uint32_t number, uint32_t index,
		     const struct builds_stage *stage)
{
	struct control *c = context;
	struct store_build_stage row = {.build = number,
					.position = index,
					.attempt = stage->attempt,
					.took_ms = stage->took_ms,
					.tests = stage->tests,
					.failed = stage->failed,
					.skipped = stage->skipped,
					.origin = stage->origin,
					.scanned = stage->scanned,
					.fresh = stage->fresh,
					.known = stage->known,
					.fixed = stage->fixed,
					.waived = stage->waived,
					.suppressed = stage->suppressed};
	struct error err;
	text_copy(row.name, sizeof row.name, stage->name);
	text_copy(row.state, sizeof row.state, stage->state);
	text_copy(row.why, sizeof row.why, stage->why);
	text_copy(row.since, sizeof row.since, stage->since);
	control_begin(c, false);
	if (stage->found)
		store_put_findings(c->parts.store, stage->found, stage->found_size, row.found);
	store_put_build_stage(c->parts.store, &row);
	if (control_commit(c, &err) < 0) /* only shown: the build itself goes on */
		log_event(LOG_WARNING, "control.build", "number=%u error=\"%s\"", number, err.text);
}

/* What the order left to the ref. */
static void fill_wanted(struct store_build *b, const struct builds_outcome *o)
{
	size_t used = 0;
	if (strcmp(b->wanted, TRIGGERED) != 0)
		return;
	b->wanted[0] = '\0';
	for (uint32_t i = 0; i < o->environment_count; i++)
		used += (size_t)snprintf(b->wanted + used, sizeof b->wanted - used, "%s%s",
					 i > 0 ? " " : "", o->environments[i]);
}

/* Its builder was killed, or the machine took it. In the store it is under way, and that is where it goes on from. */
static bool begins_again(struct control *c, struct store_build *b, const struct builds_outcome *o)
{
	if (strcmp(o->state, "lost") != 0 || strcmp(b->state, CANCELLING) == 0)
		return false;
	log_event(LOG_WARNING, "control.build", "number=%u starts=%u error=\"%s\"", b->number,
		  b->starts, o->why);
	c->building = NULL;
	c->build_due_ms = env_now_ms(c->parts.env) + LOST_MS;
	free(b);
	return true;
}

static void on_done(void *context, uint32_t number, const struct builds_outcome *o)
{
	struct control *c = context;
	struct store_build *b = c->building;
	if (!b || b->number != number || begins_again(c, b, o))
		return;
	text_copy(b->author, sizeof b->author, o->author);
	if (!text_copy(b->address, sizeof b->address, o->address))
		b->address[0] = '\0';
	text_copy(b->subject, sizeof b->subject, o->subject);
	b->committed_unix_s = o->committed_unix_s;
	if (strcmp(o->state, "passed") ==
	    0) /* else the ref decides once more when it is built again */
		fill_wanted(b, o);
	/* However it ended: it may just have passed, or may have been killed before it could say anything. */
	bool cancelled = strcmp(b->state, CANCELLING) == 0;
	text_copy(b->why, sizeof b->why, cancelled ? "" : o->why);
	if (!cancelled && strcmp(o->state, "passed") == 0 && o->archive[0]) {
		build_release_begin(c, b, o->archive, released);
		return;
	}
	c->building = NULL;
	if (!cancelled && strcmp(o->state, "passed") == 0 && b->wanted[0])
		text_copy(b->why, sizeof b->why,
			  "Nothing goes out, for no stage that ran has an \"archive\".");
	end(c, b, cancelled ? "cancelled" : o->state);
	free(b);
}

/* What its stages can ask for. Why they get nothing, where they do, is theirs to say: others need nothing. */
static void find_secrets(struct control *c, const struct server *server,
			 const struct store_build *b, struct builds_order *order, struct buf *bytes,
			 struct error *why)
{
	if (!server_stage_secrets(server, b->ref))
		error_set(
			why, ERR_DENIED,
			"The server's own file gives secrets to stages of other branches and tags "
			"only, and not to those of %s.",
			b->ref[0] ? b->ref : "a commit without a name");
	else if (secrets_of_stages(c, b->app, bytes, why) == 0)
		order->secrets = bytes;
	order->no_secrets = why->text;
}

static int start(struct control *c, const struct store_build *b, struct error *err)
{
	struct builds *builds = c->parts.builds;
	const struct server *server =
		c->parts.server ? c->parts.server(c->parts.server_context) : NULL;
	char names[SERVER_NAMES_SIZE];
	struct known known;
	struct error no_secrets = {.text = ""};
	struct buf secrets;
	struct builds_order order = {
		.number = b->number,
		.app = b->app,
		.repository = b->repository,
		.commit = b->commit,
		.ref = b->ref,
		.origin = b->origin,
		.signers = server && server->allowed_signers ? server->allowed_signers : "",
		.signed_only = server_signed(server, b->app, names),
		.since = known.since,
		.unknown = known.unknown};
	buf_init(&secrets, SECRETS_STAGES_BYTES);
	secrets.secret = true;
	find_secrets(c, server, b, &order, &secrets, &no_secrets);
	int result = known_hand_over(c, b->app, &known, err);
	if (result == 0)
		result = builds->ops->start(builds, &order, err);
	buf_done(&secrets);
	return result;
}

static void run(struct control *c, struct store_build *b)
{
	struct error err;
	text_copy(b->state, sizeof b->state, "running");
	b->starts++;
	b->started_unix_ms = env_wall_ms(c->parts.env);
	control_begin(c, false);
	put_row(c, b);
	if (control_commit(c, &err) < 0) {
		c->build_due_ms = env_now_ms(c->parts.env) + RETRY_MS;
		free(b);
		return;
	}
	c->building = b;
	if (start(c, b, &err) == 0)
		return;
	c->building = NULL;
	text_copy(b->why, sizeof b->why, err.text);
	end(c, b, "failed");
	free(b);
}

void builds_tick(struct control *c, uint64_t now_ms)
{
	struct error err;
	if (c->building || now_ms < c->build_due_ms)
		return;
	struct store_build *b = mem_zero(1, sizeof *b);
	int result = store_build_next(c->parts.store, b, &err);
	if (result < 0) {
		free(b);
		/* An order sets it again. */
		c->build_due_ms = result == ERR_NOT_FOUND ? UINT64_MAX : now_ms + RETRY_MS;
	} else if (strcmp(b->state, "releasing") == 0) {
		builds_go_out(c, b);
		free(b);
	} else if (!c->parts.builds) { /* of a davit that built */
		c->build_due_ms = UINT64_MAX;
		free(b);
	} else if (strcmp(b->state, CANCELLING) == 0) {
		end(c, b, "cancelled"); /* the controller died before it had ended */
		free(b);
	} else if (b->starts >= BUILDS_STARTS_MAX) {
		snprintf(b->why, sizeof b->why,
			 "It was begun %u times, and each time what ran it was killed. Next: davit "
			 "build --again %u",
			 b->starts, b->number);
		end(c, b, "failed");
		free(b);
	} else {
		run(c, b);
	}
}

void builds_begin(struct control *c)
{
	if (!c->parts.builds)
		return;
	c->parts.builds->listener =
		(struct builds_listener){.stage = on_stage, .done = on_done, .context = c};
	build_logs_tidy(c); /* the bounds may be others now */
}

void builds_release(struct control *c)
{
	build_release_forget(c);
	build_logs_release(c);
	free(c->building);
	c->building = NULL;
}

/* --- what people ask for */

static int check_order(const struct build_order *order, struct error *err)
{
	size_t size = strlen(order->commit);
	if (!text_is_name(order->app))
		return error_set(err, ERR_INVALID, "A build needs the application's name.");
	if (order->repository[0] != '/' || !text_is_printable(order->repository) ||
	    strlen(order->repository) >= STORE_PATH_SIZE - 16)
		return error_set(
			err, ERR_INVALID,
			"A build needs the absolute path of a git directory, of at most %d "
			"bytes.",
			STORE_PATH_SIZE - 17);
	if ((size != 40 && size != 64) || strspn(order->commit, "0123456789abcdef") != size)
		return error_set(err, ERR_INVALID, "A build needs a commit's full id.");
	if (strlen(order->ref) >= STORE_REF_SIZE || !text_is_printable(order->ref) ||
	    (order->ref[0] && !text_starts(order->ref, "refs/")))
		return error_set(err, ERR_INVALID,
				 "A ref is a full name such as refs/heads/main, of at most %d "
				 "characters.",
				 STORE_REF_SIZE - 1);
	if (text_starts(order->ref, TAGS) && !release_tag_valid(order->ref + sizeof TAGS - 1))
		return error_set(
			err, ERR_INVALID,
			"The release would be called by the tag, and \"%s\" cannot be one's "
			"name: letters, digits and . _ + - are allowed, at most 64 of them; "
			"for example v1.4.2.",
			order->ref + sizeof TAGS - 1);
	if (order->target == BUILD_TARGET_NAMED &&
	    (strlen(order->environments) >= STORE_SENTENCE_SIZE ||
	     strspn(order->environments, "abcdefghijklmnopqrstuvwxyz0123456789- ") !=
		     strlen(order->environments)))
		return error_set(err, ERR_INVALID, "Environments are names, a blank between two.");
	return 0;
}

static int put_new(struct control *c, const struct control_caller *caller, struct store_build *b,
		   struct superseding *older, uint32_t *ret_number, struct error *err)
{
	struct store_build same;
	int result = store_build_same(c->parts.store, b, &same, err);
	if (result == 0) {
		*ret_number = same.number;
		return 0;
	}
	if (result != ERR_NOT_FOUND)
		return result;
	text_copy(b->by, sizeof b->by, caller->who);
	text_copy(b->state, sizeof b->state, "queued");
	b->created_unix_ms = env_wall_ms(c->parts.env);
	control_begin(c, false);
	b->number = (uint32_t)store_add_one(c->parts.store, "build");
	put_row(c, b);
	add_audit(c, b, caller->who, "build");
	if (older)
		superseding_put(c, older, b->number);
	result = control_commit(c, err);
	if (result < 0)
		return result;
	*ret_number = b->number;
	c->build_due_ms = 0;
	return 0;
}

static int check_room(struct control *c, struct error *err)
{
	if (!c->parts.builds)
		return error_set(err, ERR_UNSUPPORTED, "This server does not build.");
	uint64_t waiting = 0;
	int result = store_builds_waiting(c->parts.store, &waiting, err);
	if (result == 0 && waiting >= BUILDS_QUEUE_MAX)
		return error_set(err, ERR_LIMIT,
				 "%llu builds wait already; \"davit builds\" shows them.",
				 (unsigned long long)waiting);
	return result;
}

static void fill_order(struct store_build *b, const struct build_order *order)
{
	*b = (struct store_build){.number = 0};
	text_copy(b->app, sizeof b->app, order->app);
	text_copy(b->repository, sizeof b->repository, order->repository);
	text_copy(b->commit, sizeof b->commit, order->commit);
	text_copy(b->ref, sizeof b->ref, order->ref);
}

/* Whoever looks at refs again and again orders what he has not seen, and may forget that he has. */
static int built_already(struct control *c, const struct build_order *order, uint32_t *ret_number,
			 struct error *err)
{
	struct store_build *newest = mem_zero(1, sizeof *newest);
	int result = store_build_of_ref(c->parts.store, order->app, order->repository, order->ref,
					newest, err);
	bool same = result == 0 && strcmp(newest->commit, order->commit) == 0;
	if (same)
		*ret_number = newest->number;
	free(newest);
	return same ? 1 : result == ERR_NOT_FOUND ? 0 : result;
}

int control_build(struct control *c, const struct control_caller *caller,
		  const struct build_order *order, uint32_t *ret_number, struct error *err)
{
	int result = check_order(order, err);
	if (result == 0)
		result = check_room(c, err);
	if (result == 0 && order->once)
		result = built_already(c, order, ret_number, err);
	if (result != 0)
		return result < 0 ? result : 0;
	struct store_build *b = mem_new(sizeof *b);
	fill_order(b, order);
	text_copy(b->wanted, sizeof b->wanted,
		  order->target == BUILD_TARGET_TRIGGERED ? TRIGGERED
		  : order->target == BUILD_TARGET_NAMED   ? order->environments
							  : "");
	struct superseding *older = superseding_find(c, b);
	result = put_new(c, caller, b, older, ret_number, err);
	superseding_free(older);
	free(b);
	return result;
}

/* One that is under way is told to end; that it shall is in the store before. */
static int cancel_running(struct control *c, const struct control_caller *caller,
			  struct store_build *b, struct error *err)
{
	if (strcmp(b->state, CANCELLING) == 0)
		return 0;
	if (c->build_job)
		return error_set(err, ERR_CONFLICT,
				 "Build %u has passed, and its release is on its way; there is "
				 "nothing to cancel.",
				 b->number);
	text_copy(b->state, sizeof b->state, CANCELLING);
	control_begin(c, false);
	put_row(c, b);
	add_audit(c, b, caller->who, "build.cancel");
	int result = control_commit(c, err);
	if (result < 0)
		return result;
	text_copy(c->building->state, sizeof c->building->state, CANCELLING);
	c->parts.builds->ops->cancel(c->parts.builds, b->number);
	return 0;
}

int control_cancel_build(struct control *c, const struct control_caller *caller, uint32_t number,
			 struct error *err)
{
	struct store_build *b = mem_zero(1, sizeof *b);
	int result = store_build_get(c->parts.store, number, b, err);
	bool under_way = c->building && c->building->number == number;
	if (result == 0 && (b->ended_unix_ms != 0 || strcmp(b->state, "releasing") == 0))
		result = error_set(err, ERR_CONFLICT, "Build %u is %s; there is nothing to cancel.",
				   number, b->state);
	if (result == 0 && under_way) {
		result = cancel_running(c, caller, b, err);
	} else if (result == 0) {
		text_copy(b->state, sizeof b->state, "cancelled");
		b->ended_unix_ms = env_wall_ms(c->parts.env);
		control_begin(c, false);
		put_row(c, b);
		store_end_build_stages(c->parts.store, b->number);
		add_audit(c, b, caller->who, "build.cancelled");
		result = control_commit(c, err);
	}
	free(b);
	return result;
}

int control_rebuild(struct control *c, const struct control_caller *caller, uint32_t number,
		    bool from_start, uint32_t *ret_number, struct error *err)
{
	struct store_build *b = mem_zero(1, sizeof *b);
	int result = check_room(c, err);
	if (result == 0)
		result = store_build_get(c->parts.store, number, b, err);
	if (result == 0)
		result = external_check_ours(c, number, err);
	if (result == 0 && b->ended_unix_ms == 0)
		result = error_set(err, ERR_CONFLICT, "Build %u has not ended yet.", number);
	if (result == 0) {
		/* One that never began has nothing, but may have been to go on from another. */
		b->origin = from_start ? 0 : b->starts > 0 ? number : b->origin;
		b->release[0] = b->why[0] = '\0';
		b->started_unix_ms = b->ended_unix_ms = 0;
		b->starts = b->successor = 0;
		/* It is no newer commit, so nobody gives a place to it. */
		result = put_new(c, caller, b, NULL, ret_number, err);
	}
	free(b);
	return result;
}
