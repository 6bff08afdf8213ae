/* SPDX-License-Identifier: Apache-2.0
 * api_gates - people answer for a rollout that waits; environments are frozen. See routes.h.
 *
 * A signature is checked in another thread: ssh-keygen does it, and a rollout does not wait for that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "api/json.h"
#include "api/routes.h"
#include "base/text.h"
#include "config/approval.h"
#include "control/view.h"
#include "os/ssh_signature.h"

static const char *const verdicts[] = {"approve", "reject", "emergency"};

struct check {
	struct check *next;
	struct api *api; /* NULL: the API ended while the signature was checked */
	struct http_request *request;
	struct control_caller caller;
	struct control_answer answer;
	char rollout[CONTROL_KEY_SIZE];
	struct buf text;
	char *signature;
	char identity[SSH_IDENTITY_SIZE];
	int result;
	struct error err;
};

static void answer_now(struct api *api, struct http_request *request, const char *rollout,
		       const struct control_caller *caller, const struct control_answer *answer)
{
	struct error err;
	if (control_answer(api->parts.control, caller, rollout, answer, &err) < 0)
		answer_error(request, &err, NULL);
	else
		get_rollout(api, request);
}

static void check_run(void *context)
{
	struct check *check = context;
	check->result = ssh_signature_check(APPROVAL_NAMESPACE, buf_text(&check->text),
					    check->signature, check->identity, &check->err);
}

static void check_free(struct check *check)
{
	buf_done(&check->text);
	free(check->signature);
	free(check);
}

static void check_done(void *context)
{
	struct check *check = context;
	struct api *api = check->api;
	if (!api) {
		check_free(check);
		return;
	}
	for (struct check **p = &api->checks; *p; p = &(*p)->next)
		if (*p == check) {
			*p = check->next;
			break;
		}
	if (check->result < 0) {
		answer_error(check->request, &check->err, NULL);
	} else {
		text_copy(check->caller.who, sizeof check->caller.who, check->identity);
		answer_now(api, check->request, check->rollout, &check->caller, &check->answer);
	}
	check_free(check);
}

void release_checks(struct api *api)
{
	for (struct check *check = api->checks; check; check = check->next)
		check->api = NULL;
	api->checks = NULL;
}

/* The text that must have been signed, from what the server knows of the rollout. */
static int signed_text(struct api *api, const char *rollout, const struct control_answer *answer,
		       struct buf *to, struct error *err)
{
	struct view_rollout *view = mem_new(sizeof *view);
	char key[CONTROL_KEY_SIZE];
	int result = control_view_rollout(api->parts.control, rollout, view, err);
	if (result == 0) {
		snprintf(key, sizeof key, "%s/%s", view->app, view->environment);
		struct approval approval = {.environment = key,
					    .rollout = view->number,
					    .hash = answer->hash,
					    .verdict = verdicts[answer->verdict],
					    .reason = answer->reason};
		approval_text(&approval, to);
	}
	free(view);
	return result;
}

static void check_signature(struct api *api, struct http_request *request,
			    const struct control_answer *answer, const char *signature)
{
	struct check *check = mem_zero(1, sizeof *check);
	*check = (struct check){.api = api,
				.request = request,
				.caller = caller_of(request),
				.answer = *answer,
				.signature = mem_copy_text(signature)};
	text_copy(check->rollout, sizeof check->rollout, http_segment(request, 2));
	buf_init(&check->text, APPROVAL_TEXT_MAX);
	if (signed_text(api, check->rollout, answer, &check->text, &check->err) < 0) {
		answer_error(request, &check->err, "davit history");
		check_free(check);
		return;
	}
	check->next = api->checks;
	api->checks = check;
	http_later(request);
	loop_work(api->parts.loop, check_run, check_done, check);
}

/* Several lines, so not a text like the others. NULL: there is none; `ret_fine` false: answered already. */
static const char *signature_of(struct http_request *request, const json_t *body, bool *ret_fine)
{
	const json_t *signature = json_object_get(body, "signature");
	struct error err;
	*ret_fine = !signature || (json_is_string(signature) &&
				   json_string_length(signature) <= APPROVAL_SIGNATURE_MAX);
	if (*ret_fine)
		return json_string_value(signature);
	error_set(&err, ERR_INVALID, "\"signature\" is a text of at most %d bytes.",
		  APPROVAL_SIGNATURE_MAX);
	answer_error(request, &err, NULL);
	return NULL;
}

void post_rollout_answer(struct api *api, struct http_request *request)
{
	struct control_answer answer = {.hash = "", .guest = admission_is_guest(request)};
	static const char *const fields[] = {"hash", "reason", "signature", NULL};
	struct control_caller caller = caller_of(request);
	uint32_t verdict = 0;
	bool fine;
	while (strcmp(verdicts[verdict], http_segment(request, 3)) != 0)
		verdict++;
	answer.verdict = (enum control_answer_verdict)verdict;
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	fine = body_text(request, body, "hash", answer.hash, sizeof answer.hash) &&
	       body_text(request, body, "reason", answer.reason, sizeof answer.reason);
	const char *signature = fine ? signature_of(request, body, &fine) : NULL;
	if (fine && signature)
		check_signature(api, request, &answer, signature);
	else if (fine)
		answer_now(api, request, http_segment(request, 2), &caller, &answer);
	json_decref(body);
}

void post_freeze(struct api *api, struct http_request *request)
{
	static const char *const fields[] = {"until_unix_ms", "reason", NULL};
	struct control_caller caller = caller_of(request);
	bool on = strcmp(http_segment(request, 3), "freeze") == 0;
	char reason[CONTROL_REASON_SIZE];
	struct error err;
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	const json_t *until = json_object_get(body, "until_unix_ms");
	bool whole = !until || (json_is_integer(until) && json_integer_value(until) > 0);
	json_int_t until_ms = json_integer_value(until);
	bool fine = body_text(request, body, "reason", reason, sizeof reason);
	json_decref(body);
	if (!fine)
		return;
	if (!whole) {
		error_set(&err, ERR_INVALID, "\"until_unix_ms\" is a time in milliseconds.");
		answer_error(request, &err, NULL);
		return;
	}
	if (control_freeze(api->parts.control, &caller, http_segment(request, 2), on,
			   (uint64_t)until_ms, reason, &err) < 0) {
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/freeze"));
	json_object_set_new(o, "on", json_boolean(on));
	answer_json(request, 200, o);
}
