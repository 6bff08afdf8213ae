/* SPDX-License-Identifier: Apache-2.0
 * api_order - a commit is ordered to be built. See routes.h.
 *
 * On the server's machine it is said where the commit is; from elsewhere only what it is called, and the server looks into its
 * own repository of the application: in another thread, for git may take its time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/builds.h"
#include "control/tokens.h"
#include "provider/sources.h"
#include "store/builds.h"

enum { PLACE_SIZE = 1100, REV_SIZE = 256, AT_ONCE_MAX = 2 };

struct order {
	struct order *next;
	struct api *api; /* NULL: the API ended while the commit was sought */
	struct http_request *request;
	struct control_caller caller;
	const struct sources_ops *sources;
	char app[STORE_NAME_SIZE], repository[PLACE_SIZE], commit[STORE_COMMIT_SIZE],
		ref[STORE_REF_SIZE], environments[STORE_SENTENCE_SIZE], rev[REV_SIZE];
	bool triggered, once;
	struct sources_commit found;
	int result;
	struct error err;
};

static void send_order(const struct order *o)
{
	const struct build_order order = {.app = o->app,
					  .repository = o->repository,
					  .commit = o->commit,
					  .ref = o->ref,
					  .target = o->triggered         ? BUILD_TARGET_TRIGGERED
						    : o->environments[0] ? BUILD_TARGET_NAMED
									 : BUILD_TARGET_NONE,
					  .environments = o->environments,
					  .once = o->once};
	struct error err;
	uint32_t number = 0;
	if (control_build(o->api->parts.control, &o->caller, &order, &number, &err) < 0)
		answer_error(o->request, &err, "davit builds");
	else
		answer_build(o->api, o->request, number, 201);
}

static void seek(void *context)
{
	struct order *o = context;
	o->result = o->sources->find(o->repository, o->rev, &o->found, &o->err);
}

static void sought(void *context)
{
	struct order *o = context;
	if (!o->api) {
		free(o);
		return;
	}
	struct order **at = &o->api->orders;
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	/* A token may have gone meanwhile. */
	if (o->result == 0)
		o->result = admission_still(o->api, o->caller.who, &o->err);
	if (o->result < 0) {
		answer_error(o->request, &o->err, "davit builds");
	} else {
		text_copy(o->commit, sizeof o->commit, o->found.commit);
		text_copy(o->ref, sizeof o->ref, o->found.ref);
		send_order(o);
	}
	free(o);
}

void release_orders(struct api *api)
{
	for (struct order *o = api->orders; o; o = o->next)
		o->api = NULL;
	api->orders = NULL;
}

/* --- who asks for what */

static int may_send(const struct order *o, const struct token_grant *grant, struct error *err)
{
	char copy[STORE_SENTENCE_SIZE], key[2 * CONTROL_KEY_SIZE], *rest = copy, *one;
	int result = 0;
	if (o->triggered) /* where that goes is said by the commit, which is not read yet */
		return error_set(err, ERR_DENIED,
				 "From elsewhere it is said where a commit goes: name the "
				 "\"environments\".");
	if (o->environments[0] && !(grant->scopes & TOKEN_DEPLOY))
		return error_set(err, ERR_DENIED,
				 "It would go out when it passes, and the token %s has not the "
				 "scope deploy.",
				 grant->name);
	text_copy(copy, sizeof copy, o->environments);
	while (result == 0 && (one = strsep(&rest, " "))) {
		if (!one[0])
			continue;
		result = admission_reaches(o->api, o->request, o->app, one, err);
		snprintf(key, sizeof key, "%s/%s", o->app, one);
		if (result == 0)
			result = admission_role_in(o->api, o->request, key, SERVER_DEPLOY, err);
	}
	return result;
}

/* Who comes over the network may have built what the repository has, and names it. */
static int may_order(const struct order *o, struct error *err)
{
	struct token_grant grant;
	int held = control_token_of(o->api->parts.control, http_who(o->request), &grant, err);
	if (held <= 0)
		return held;
	if (!o->rev[0])
		return error_set(err, ERR_DENIED,
				 "From elsewhere a commit is named by its branch, its tag or its "
				 "id: say it as \"rev\".");
	if (!token_touches(&grant, o->app))
		return admission_reaches(o->api, o->request, o->app, NULL, err);
	return may_send(o, &grant, err);
}

/* A large repository keeps a thread for a while, and others need those too. */
static int check_room(const struct api *api, struct error *err)
{
	unsigned count = 0;
	for (const struct order *o = api->orders; o; o = o->next)
		count++;
	return count < AT_ONCE_MAX ? 0
				   : error_set(err, ERR_RETRY,
					       "%d commits are being sought, as many as there may "
					       "be: try again in a few seconds.",
					       AT_ONCE_MAX);
}

static int check(struct order *o, struct error *err)
{
	if (o->rev[0] && (o->repository[0] || o->commit[0] || o->ref[0]))
		return error_set(err, ERR_INVALID,
				 "With \"rev\" the server says what the commit and its ref are: "
				 "leave \"repository\", \"commit\" and \"ref\" away.");
	int result = may_order(o, err);
	if (result == 0 && !o->repository[0])
		result = repository_of(o->api, o->app, o->repository, sizeof o->repository, err);
	if (result == 0 && o->rev[0])
		result = check_room(o->api, err);
	return result;
}

static bool take(struct http_request *request, const json_t *body, struct order *o)
{
	return body_text(request, body, "app", o->app, sizeof o->app) &&
	       body_text(request, body, "repository", o->repository, sizeof o->repository) &&
	       body_text(request, body, "commit", o->commit, sizeof o->commit) &&
	       body_text(request, body, "ref", o->ref, sizeof o->ref) &&
	       body_text(request, body, "rev", o->rev, sizeof o->rev) &&
	       body_text(request, body, "environments", o->environments, sizeof o->environments) &&
	       body_flag(request, body, "triggered", false, &o->triggered) &&
	       body_flag(request, body, "once", false, &o->once);
}

void post_build(struct api *api, struct http_request *request)
{
	static const char *const fields[] = {"app",       "repository",   "commit", "ref", "rev",
					     "triggered", "environments", "once",   NULL};
	struct error err;
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	struct order *o = mem_zero(1, sizeof *o);
	*o = (struct order){.api = api, .request = request, .caller = caller_of(request)};
	bool fine = take(request, body, o);
	json_decref(body);
	if (fine && check(o, &err) < 0) {
		answer_error(request, &err, "davit builds");
		fine = false;
	}
	if (fine && o->rev[0]) {
		o->sources = api->parts.sources->ops;
		o->next = api->orders;
		api->orders = o;
		http_later(request);
		loop_work(api->parts.loop, seek, sought, o);
		return;
	}
	if (fine)
		send_order(o);
	free(o);
}
