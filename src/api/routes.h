/* SPDX-License-Identifier: Apache-2.0
 *
 * routes - what the files of api/ share: the API object, answers, and the handlers of the route table.
 */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include <jansson.h>

#include "api/api.h"
#include "api/http.h"
#include "base/log_limit.h"
#include "control/control.h"

struct api {
	struct api_parts parts;
	struct http_server *http;
	struct network *network; /* the same for the holders of tokens */
	struct env_timer network_timer;
	struct log_limit refusals[2]; /* of the network: of strangers, and of holders of tokens */
	char group[64];               /* that the socket is shared with; "": none */
	char spool[1100];
	uint64_t started_unix_ms;
	struct check *checks;        /* signatures that are being checked; api_gates.c's */
	struct order *orders;        /* commits that are being sought; api_order.c's */
	struct import *imports;      /* archives that are being unpacked; api_releases.c's */
	struct search_job *searches; /* in logs, under way; api_log_search.c's */
	struct backup
		*backup; /* the copy of the store that is being taken, or NULL; api_backup.c's */
};

/* Answer with a value (released), or with an error under the HTTP status that its code has. */
void answer_json(struct http_request *request, unsigned status, json_t *object);
void answer_error(struct http_request *request, const struct error *err, const char *next);
unsigned status_of_error(enum err code);

/* Every stream is asked again for more. */
void api_wake(struct api *api);
/* Whose token is gone, or has ended, follows no longer. */
void api_cut_gone(struct api *api);

/* The peer's name, or token, and the request id of its header. */
struct control_caller caller_of(const struct http_request *request);

/* The body as an object; an empty body is an empty object. `fields` (ended by NULL) are those it may have. NULL:
 * answered with an error already. */
json_t *body_of(struct http_request *request, const char *const *fields);
/* A text field: "" when missing. False: there is one and it is no text, too long, or not printable; answered
 * already. So in the next two. */
bool body_text(struct http_request *request, const json_t *body, const char *key, char *to,
	       size_t size);

bool body_flag(struct http_request *request, const json_t *body, const char *key, bool needed,
	       bool *ret_flag);
bool parameter_number(struct http_request *request, const char *name, uint64_t least, uint64_t most,
		      uint64_t otherwise, uint64_t *ret_number);

/* The git repository that this server has of an application. ERR_NOT_FOUND. */
MUST_CHECK int repository_of(struct api *api, const char *app, char *to, size_t size,
			     struct error *err);
/* The build with its stages, what went out, and what was told of it. */
void answer_build(struct api *api, struct http_request *request, uint32_t number, unsigned status);

/* The last lines of the log of the instance that the view suspects. */
struct view_rollout;
void add_log_tail(struct api *api, struct view_rollout *view);

/* Environments that are deployed to at times, of one application and environment or (NULL) of all: appended to `list`;
 * and each to its own. */
MUST_CHECK int add_schedules(struct api *api, const char *app, const char *environment,
			     json_t *list, struct error *err);
MUST_CHECK int add_schedules_to_status(struct api *api, json_t *applications, struct error *err);

/* Who may what, by the server's own file: to each environment. */
void add_roles_to_status(struct api *api, json_t *applications);

/* ERR_NOT_FOUND: the build has ended, this stage (NULL: any) wrote something, and the directory of its logs is gone. */
struct store_build;
MUST_CHECK int build_logs_gone(struct api *api, const struct store_build *build, const char *stage,
			       const char *directory, struct error *err);

/* Imports under way end without the API. */
void release_imports(struct api *api);
void release_checks(struct api *api);
void release_orders(struct api *api);
void release_searches(struct api *api);
void release_backup(struct api *api); /* before the store is closed */

/* Handlers, by file: api_releases.c, api_rollouts.c, api_ticks.c, api_logs.c, api_postmortem.c, api_preview.c, api_dora.c, api_tokens.c, api.c */
void post_release(struct api *api, struct http_request *request);
void get_releases(struct api *api, struct http_request *request);
void post_release_mark(struct api *api, struct http_request *request);
void get_rollouts(struct api *api, struct http_request *request);
void get_rollout(struct api *api, struct http_request *request);
void get_rollout_events(struct api *api, struct http_request *request);
void get_rollout_ticks(struct api *api, struct http_request *request);
void post_rollout_command(struct api *api, struct http_request *request);
void get_logs(struct api *api, struct http_request *request);
void post_rollout_answer(struct api *api, struct http_request *request);
void post_freeze(struct api *api, struct http_request *request);
void get_rollout_postmortem(struct api *api, struct http_request *request);
void get_rollout_diffs(struct api *api, struct http_request *request);
void get_dora(struct api *api, struct http_request *request);
void post_build(struct api *api, struct http_request *request);
void post_external_build(struct api *api, struct http_request *request);
void get_builds(struct api *api, struct http_request *request);
void get_build(struct api *api, struct http_request *request);
void get_build_log(struct api *api, struct http_request *request);
void get_build_search(struct api *api, struct http_request *request); /* ?grep=… of one build */
void get_log_search(struct api *api,
		    struct http_request *request); /* of all, or of an application's */
void get_instance_search(struct api *api, struct http_request *request); /* of an environment */
void post_build_command(struct api *api, struct http_request *request);
void get_secrets(struct api *api, struct http_request *request);
void post_secret(struct api *api, struct http_request *request);
void post_secret_remove(struct api *api, struct http_request *request);
void get_metrics(struct api *api, struct http_request *request);
void get_sources(struct api *api, struct http_request *request);
void post_source_look(struct api *api, struct http_request *request);
void post_kpi(struct api *api, struct http_request *request);
void post_backup(struct api *api, struct http_request *request);
void post_backup_step(struct api *api, struct http_request *request);
void get_server(struct api *api, struct http_request *request);
void get_status(struct api *api, struct http_request *request);
void post_deploy(struct api *api, struct http_request *request);
void get_plan(struct api *api, struct http_request *request);
void post_rollback(struct api *api, struct http_request *request);
void post_restart(struct api *api, struct http_request *request);
void post_maintenance(struct api *api, struct http_request *request);
void post_preview(struct api *api, struct http_request *request);
void get_config(struct api *api, struct http_request *request);
void post_exec(struct api *api, struct http_request *request);
void get_audit(struct api *api, struct http_request *request);
void get_audit_verify(struct api *api, struct http_request *request);
void get_tokens(struct api *api, struct http_request *request);
void post_token(struct api *api, struct http_request *request);
void post_token_revoke(struct api *api, struct http_request *request);

#endif
