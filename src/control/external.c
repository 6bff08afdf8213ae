/* SPDX-License-Identifier: Apache-2.0
 * external - see external.h for the contract. */
#include "control/external.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/server.h"
#include "config/trigger.h"
#include "control/environment.h"
#include "control/external_scans.h"
#include "control/release_config.h"
#include "store/audit.h"
#include "store/builds.h"
#include "store/releases.h"

static const char TAGS[] = "refs/tags/";

/* --- does it make sense? */

static int check_scan(const struct control *c, const struct external_build *b, uint32_t stage,
		      struct error *err)
{
	const struct external_stage *s = &b->stages[stage];
	if (s->report_count == 0)
		return !s->baseline ? 0
				    : error_set(err, ERR_INVALID,
						"%s has a baseline, and no report to hold against "
						"it.",
						s->name);
	if (!c->parts.judge_scan)
		return error_set(err, ERR_UNSUPPORTED, "This server judges no scans.");
	if (strcmp(s->state, "passed") != 0)
		return error_set(err, ERR_INVALID,
				 "%s was %s, so that its report says nothing: leave it out.",
				 s->name, s->state);
	/* By its name later scans are held against it. */
	for (uint32_t i = 0; i < b->stage_count; i++)
		if (i != stage && strcmp(b->stages[i].name, s->name) == 0)
			return error_set(
				err, ERR_INVALID,
				"%s is there twice, and has a report: a scan's stage has a "
				"name of its own.",
				s->name);
	return 0;
}

static int check_scans(const struct control *c, const struct external_build *b, struct error *err)
{
	uint32_t scans = 0;
	int result = 0;
	for (uint32_t i = 0; result == 0 && i < b->stage_count; i++) {
		scans += b->stages[i].report_count > 0;
		result = check_scan(c, b, i, err);
	}
	if (result == 0 && b->waivers && scans == 0)
		return error_set(err, ERR_INVALID,
				 "There are waivers, and no stage has a report that they are of.");
	if (result == 0 && scans > BUILDS_STAGES_MAX)
		return error_set(err, ERR_LIMIT, "More than %d of its stages are scans.",
				 BUILDS_STAGES_MAX);
	return result;
}

static int check_stages(const struct external_build *b, struct error *err)
{
	bool any_failed = false;
	for (uint32_t i = 0; i < b->stage_count; i++) {
		const struct external_stage *s = &b->stages[i];
		bool failed = strcmp(s->state, "failed") == 0;
		if (!text_is_name(s->name))
			return error_set(err, ERR_INVALID, "\"%.60s\" is no name of a stage.",
					 s->name);
		if (!failed && strcmp(s->state, "passed") != 0 && strcmp(s->state, "skipped") != 0)
			return error_set(err, ERR_INVALID,
					 "A stage is passed, failed or skipped, and %s is \"%s\".",
					 s->name, s->state);
		if (s->failed + (uint64_t)s->skipped > s->tests)
			return error_set(err, ERR_INVALID,
					 "Of the tests of %s more have failed or were skipped than "
					 "there are.",
					 s->name);
		if (s->failed > 0 && !failed)
			return error_set(err, ERR_INVALID,
					 "Tests of %s have failed, so that it has not %s.", s->name,
					 s->state);
		any_failed |= failed;
	}
	if (any_failed && !b->failed)
		return error_set(err, ERR_INVALID,
				 "A stage has failed, so that the build has not passed.");
	return 0;
}

static bool is_commit(const char *text)
{
	size_t size = strlen(text);
	return (size == 40 || size == 64) && strspn(text, "0123456789abcdef") == size;
}

static int check(const struct control *c, const struct external_build *b, struct error *err)
{
	if (!text_is_name(b->app))
		return error_set(err, ERR_INVALID, "A build needs the application's name.");
	if (!b->run[0])
		return error_set(err, ERR_INVALID,
				 "A build made elsewhere has a name there: say it as \"run\".");
	if (b->url[0] && !text_starts(b->url, "https://") && !text_starts(b->url, "http://"))
		return error_set(err, ERR_INVALID, "\"url\" begins with https:// or http://.");
	if (!is_commit(b->commit))
		return error_set(err, ERR_INVALID, "A build needs a commit's full id.");
	if (b->ref[0] && !text_starts(b->ref, "refs/"))
		return error_set(err, ERR_INVALID, "A ref is a full name such as refs/heads/main.");
	if (b->triggered && !b->ref[0])
		return error_set(err, ERR_INVALID, "Without a \"ref\" nothing is triggered.");
	if (b->triggered && b->environments[0])
		return error_set(err, ERR_INVALID,
				 "Either the ref says where it goes, or \"environments\" does.");
	if (strspn(b->environments, "abcdefghijklmnopqrstuvwxyz0123456789- ") !=
	    strlen(b->environments))
		return error_set(err, ERR_INVALID, "Environments are names, a blank between two.");
	if (!b->failed && !b->release[0])
		return error_set(err, ERR_INVALID,
				 "A build that passed has a release: register that first, and say "
				 "its id.");
	int result = check_stages(b, err);
	return result < 0 ? result : check_scans(c, b, err);
}

static int find_release(struct control *c, const struct external_build *b,
			struct store_release *ret_release, struct error *err)
{
	int result = store_release_match(c->parts.store, b->app, b->release, ret_release, err);
	if (result == 0 && b->artifact[0] && strcmp(b->artifact, ret_release->artifact) != 0)
		return error_set(err, ERR_CONFLICT,
				 "The release %.12s has the artifact %.12s, and not %.12s.",
				 ret_release->id, ret_release->artifact, b->artifact);
	return result;
}

/* --- where it goes */

struct wanted {
	struct control *c;
	const struct external_build *build;
	external_may may;
	void *may_context;
	const char *signed_only; /* by the server's own file */
	char *names;
	size_t used;
	struct error *err;
};

static int add_wanted(struct wanted *w, const char *environment)
{
	int result = w->may(w->may_context, w->build->app, environment, w->err);
	if (result < 0)
		return result;
	w->used += (size_t)snprintf(w->names + w->used, STORE_SENTENCE_SIZE - w->used, "%s%s",
				    w->used > 0 ? " " : "", environment);
	if (w->used >= STORE_SENTENCE_SIZE)
		return error_set(w->err, ERR_LIMIT, "It would go to more environments than fit.");
	return 0;
}

static int see_environment(void *context, const char *name, const struct resolved *resolved)
{
	struct wanted *w = context;
	const struct app_trigger *trigger = &resolved->environment.trigger;
	if (!trigger_matches(trigger, w->build->ref))
		return 0;
	if ((text_starts(w->build->ref, TAGS) && trigger->signed_only) ||
	    text_is_among(w->signed_only, name))
		return error_set(
			w->err, ERR_DENIED,
			"Only a signed tag brings a release to %s, and davit verifies none "
			"of a build that was made elsewhere: have it built here, or deploy "
			"the release by hand.",
			name);
	return add_wanted(w, name);
}

static int fill_wanted(struct wanted *w, const struct store_release *release)
{
	char copy[STORE_SENTENCE_SIZE], *rest = copy, *one;
	struct buf json;
	struct store_release again;
	int result = 0;
	if (w->build->triggered) {
		buf_init(&json, STORE_BLOB_MAX);
		result = store_release_get(w->c->parts.store, release->id, &again, &json, w->err);
		if (result == 0)
			result = release_config_each(buf_text(&json), json.size, see_environment, w,
						     w->err);
		buf_done(&json);
		return result;
	}
	text_copy(copy, sizeof copy, w->build->environments);
	while (result == 0 && (one = strsep(&rest, " ")))
		if (one[0])
			result = add_wanted(w, one);
	return result;
}

/* --- it is written down */

static void fill_row(struct control *c, const struct control_caller *caller,
		     const struct external_build *from, struct store_build *to)
{
	to->created_unix_ms = to->started_unix_ms = env_wall_ms(c->parts.env);
	to->committed_unix_s = from->committed_unix_s;
	text_copy(to->app, sizeof to->app, from->app);
	text_copy(to->repository, sizeof to->repository, from->repository);
	text_copy(to->commit, sizeof to->commit, from->commit);
	text_copy(to->ref, sizeof to->ref, from->ref);
	text_copy(to->author, sizeof to->author, from->author);
	text_copy(to->address, sizeof to->address, from->address);
	text_copy(to->subject, sizeof to->subject, from->subject);
	text_copy(to->by, sizeof to->by, caller->who);
	text_copy(to->why, sizeof to->why, from->failed ? from->why : "");
	text_copy(to->state, sizeof to->state, from->failed ? "failed" : "releasing");
	if (from->failed)
		to->ended_unix_ms = to->created_unix_ms;
}

static void put_stages(struct control *c, uint32_t number, const struct external_build *b,
		       const struct external_scans *scans)
{
	for (uint32_t i = 0; i < b->stage_count; i++) {
		const struct external_stage *from = &b->stages[i];
		struct store_build_stage row = {.build = number,
						.position = i,
						.attempt = 1,
						.took_ms = from->took_ms,
						.tests = from->tests,
						.failed = from->failed,
						.skipped = from->skipped};
		text_copy(row.name, sizeof row.name, from->name);
		text_copy(row.state, sizeof row.state, from->state);
		text_copy(row.why, sizeof row.why, from->why);
		external_scans_fill(c, scans, i, &row);
		store_put_build_stage(c->parts.store, &row);
	}
}

static void put_audit(struct control *c, const struct store_build *b, const char *run)
{
	struct store_audit_entry audit = {.at_unix_ms = b->created_unix_ms};
	text_copy(audit.who, sizeof audit.who, b->by);
	text_copy(audit.action, sizeof audit.action, "build.register");
	text_copy(audit.app, sizeof audit.app, b->app);
	text_copy(audit.reason, sizeof audit.reason, b->why);
	snprintf(audit.evidence, sizeof audit.evidence,
		 "build %u is %s elsewhere, commit %.12s%s%s%s%.12s", b->number, run, b->commit,
		 b->ref[0] ? " of " : "", b->ref, b->release[0] ? ", release " : "", b->release);
	store_add_audit(c->parts.store, &audit);
}

static int put(struct control *c, const struct external_build *b,
	       const struct external_scans *scans, const struct digest *content,
	       struct store_build *row, struct error *err)
{
	struct store_external external = {.content = *content};
	text_copy(external.app, sizeof external.app, b->app);
	text_copy(external.run, sizeof external.run, b->run);
	text_copy(external.url, sizeof external.url, b->url);
	control_begin(c, false);
	external.build = row->number = (uint32_t)store_add_one(c->parts.store, "build");
	store_put_build(c->parts.store, row);
	put_stages(c, row->number, b, scans);
	store_add_external(c->parts.store, &external);
	put_audit(c, row, b->run);
	return control_commit(c, err);
}

static int said_before(struct control *c, const struct external_build *b,
		       const struct digest *content, uint32_t *ret_number, struct error *err)
{
	struct store_external before;
	int found = store_external_find(c->parts.store, b->app, b->run, &before, err);
	if (found <= 0)
		return found;
	if (!digest_equal(&before.content, content))
		return error_set(err, ERR_CONFLICT,
				 "\"%.100s\" was registered as build %u, and something else was "
				 "said of it; a build that runs again has another name.",
				 b->run, before.build);
	*ret_number = before.build;
	return 1;
}

/* Nothing of it is written yet; its scans are judged. */
static int add(struct control *c, const struct control_caller *caller,
	       const struct external_build *b, const struct external_scans *scans,
	       const struct digest *content, struct wanted *wanted, struct store_build *row,
	       struct error *err)
{
	struct store_release release = {.id = ""};
	int result = b->failed ? 0 : find_release(c, b, &release, err);
	if (result == 0 && !b->failed)
		result = fill_wanted(wanted, &release);
	if (result < 0)
		return result;
	fill_row(c, caller, b, row);
	text_copy(row->release, sizeof row->release, release.id);
	return put(c, b, scans, content, row, err);
}

int control_register_build(struct control *c, const struct control_caller *caller,
			   const struct external_build *said, const struct digest *content,
			   external_may may, void *may_context, uint32_t *ret_number,
			   bool *ret_existed, struct error *err)
{
	char names[SERVER_NAMES_SIZE];
	const struct server *server =
		c->parts.server ? c->parts.server(c->parts.server_context) : NULL;
	int result = check(c, said, err);
	/* Before its scans are judged: what production has may be another release by now. */
	if (result == 0)
		result = said_before(c, said, content, ret_number, err);
	*ret_existed = result > 0;
	if (result != 0)
		return result < 0 ? result : 0;
	struct store_build *row = mem_zero(1, sizeof *row);
	struct external_build *b = mem_new(sizeof *b);
	struct external_scans *scans = NULL;
	struct wanted wanted = {.c = c,
				.build = b,
				.may = may,
				.may_context = may_context,
				.signed_only = server_signed(server, said->app, names),
				.names = row->wanted,
				.err = err};
	*b = *said;
	result = external_scans_judge(c, b, &scans, err);
	if (result == 0)
		result = add(c, caller, b, scans, content, &wanted, row, err);
	*ret_number = row->number;
	if (result == 0 && !b->failed)
		builds_go_out(c, row);
	external_scans_free(scans);
	free(b);
	free(row);
	return result;
}

int external_check_ours(struct control *c, uint32_t number, struct error *err)
{
	struct store_external external;
	int found = store_external_of_build(c->parts.store, number, &external, err);
	if (found > 0)
		return error_set(err, ERR_INVALID,
				 "Build %u was made elsewhere, as %.100s: have it run again there.",
				 number, external.run);
	return found;
}
