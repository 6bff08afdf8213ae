/* SPDX-License-Identifier: Apache-2.0
 * webhook_listener - see webhook_listener.h for the contract. */
#include "daemon/webhook_listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/http.h"
#include "api/network.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "base/text.h"
#include "config/server.h"
#include "control/deliveries.h"
#include "daemon/source_look.h"
#include "daemon/sources.h"
#include "daemon/webhook.h"
#include "os/secret_file.h"

enum { SHOWN_SIZE = 80 };

struct webhook_listener {
	struct loop *loop;
	struct control *control;
	struct sources *sources;
	struct network *network;
	struct log_limit refusals;
};

/* --- answers */

/* Strangers must not fill the log. */
static void log_refusal(struct webhook_listener *l, const char *app, const char *why)
{
	if (!log_limit_take(&l->refusals, env_now_ms(loop_env(l->loop)), LISTENER_LOGGED,
			    "webhook.refused"))
		return;
	log_event(LOG_WARNING, "webhook.refused", "app=\"%s\" why=\"%s\"", app, why);
}

static void answer(struct http_request *request, unsigned status, const char *text)
{
	char shown[SOURCE_NOTE_SIZE];
	struct buf json;
	buf_init(&json, 2 * SOURCE_NOTE_SIZE);
	buf_printf(&json, "{\"schema\":\"davit.v1/%s\",\"message\":\"%s\"}",
		   status < 300 ? "hook" : "error",
		   text_escape(text, strlen(text), shown, sizeof shown));
	http_answer(request, status, buf_take(&json));
}

static void refuse(struct webhook_listener *l, struct http_request *request, const char *app,
		   unsigned status, const char *why)
{
	log_refusal(l, app, why);
	sources_refused(l->sources, app, why);
	/* Who has no secret learns nothing of what is wrong. */
	answer(request, status, status == 401 ? "The request is not signed with our secret." : why);
}

/* --- one request */

static const char *header(const void *context, const char *name)
{
	return http_header(context, name);
}

/* With one of the secrets, of which there are two while they change. */
static int check(const struct server_source *source, const struct webhook *hook, struct error *err)
{
	int code = ERR_DENIED;
	for (uint32_t i = 0; i < source->webhook.secret_files.count && code < 0; i++) {
		const char *path = source->webhook.secret_files.items[i];
		struct buf secret;
		buf_init(&secret, WEBHOOK_SECRET_MAX);
		secret.secret = true;
		code = secret_file_read(path, &secret, err);
		if (code == 0 && secret.size < WEBHOOK_SECRET_MIN)
			code = error_set(err, ERR_INVALID,
					 "The secret in %s is shorter than %d characters.", path,
					 WEBHOOK_SECRET_MIN);
		if (code < 0)
			code = ERR_UNAVAILABLE;
		else
			code = webhook_check(hook, &secret, err);
		buf_done(&secret);
		if (code == ERR_UNAVAILABLE)
			break;
	}
	return code;
}

static int take(struct webhook_listener *l, const struct server_source *source,
		const struct webhook *hook, struct webhook_event *ret_event, struct error *err)
{
	struct digest digest = digest_of(hook->body->data, hook->body->size);
	struct control_caller caller = {.who = "webhook"};
	int code = check(source, hook, err);
	if (code == 0)
		code = webhook_read(hook, source->git, ret_event, err);
	if (code == 0 && ret_event->look)
		code = control_take_delivery(l->control, &caller, source->name, &digest,
					     ret_event->ref, err);
	return code;
}

static unsigned status_of(int code)
{
	return code == ERR_DENIED        ? 401
	       : code == ERR_CONFLICT    ? 409
	       : code == ERR_INVALID     ? 400
	       : code == ERR_UNSUPPORTED ? 415
					 : 503;
}

static void take_hook(struct webhook_listener *l, struct http_request *request, const char *app)
{
	const struct server_source *source = sources_find(l->sources, app);
	char shown[SHOWN_SIZE];
	struct webhook_event event;
	struct error err;
	if (!source || source->webhook.set == 0) {
		refuse(l, request, text_escape(app, strlen(app), shown, sizeof shown), 404,
		       "There is no webhook of this name.");
		return;
	}
	const struct webhook hook = {.from = source->webhook.from,
				     .header = header,
				     .context = request,
				     .body = http_body(request)};
	int code = take(l, source, &hook, &event, &err);
	if (code < 0) {
		refuse(l, request, source->name, status_of(code), err.text);
	} else if (!event.look) {
		answer(request, 200, "This is taken, and nothing follows from it.");
	} else {
		log_event(LOG_INFO, "webhook.taken", "app=%s ref=\"%s\"", source->name, event.ref);
		sources_hooked(l->sources, source->name);
		answer(request, 202, "The repository is looked at now.");
	}
}

static void on_request(void *context, struct http_request *request)
{
	struct webhook_listener *l = context;
	const char *first = http_segment(request, 0), *app = http_segment(request, 1);
	if (!first || strcmp(first, "hooks") != 0 || !app || http_segment(request, 2))
		refuse(l, request, "", 404, "Webhooks come to /hooks/APP.");
	else if (strcmp(http_method(request), "POST") != 0)
		refuse(l, request, "", 405, "A webhook is a POST.");
	else
		take_hook(l, request, app);
}

/* The body went past the limit: nothing of it was looked at. */
static void on_too_large(void *context)
{
	log_refusal(context, "", "The request is larger than davit takes.");
}

/* --- where */

void webhook_listener_keep(struct webhook_listener *l, const struct server_listen *wanted)
{
	network_keep(l->network, wanted);
}

const char *webhook_listener_address(const struct webhook_listener *l)
{
	return network_address(l->network);
}

struct webhook_listener *webhook_listener_new(struct loop *loop, struct control *control,
					      struct sources *sources)
{
	struct webhook_listener *l = mem_zero(1, sizeof *l);
	l->loop = loop;
	l->control = control;
	l->sources = sources;
	const struct http_options options = {
		.open = true, .handle = on_request, .too_large = on_too_large, .context = l};
	l->network = network_new(loop, "webhook.listens", &options);
	return l;
}

void webhook_listener_free(struct webhook_listener *l)
{
	if (!l)
		return;
	network_free(l->network);
	free(l);
}
