/* SPDX-License-Identifier: Apache-2.0
 * route_table - see route_table.h for the contract. */
#include "api/route_table.h"

#include <string.h>

#include "api/routes.h"
#include "control/tokens.h"

/* Whoever may do something may look at what it does; who sends counts or secrets needs to see nothing. */
#define SEES \
	(TOKEN_READ | TOKEN_RELEASE | TOKEN_BUILD | TOKEN_DEPLOY | TOKEN_ROLLBACK | TOKEN_APPROVE)

/* No token does that. */
enum { ON_THE_MACHINE = 0 };

/* clang-format off */
static const struct route routes[] = {
	{"GET", "v1/server", get_server, SEES, ABOUT_NOTHING, ROUTE_LOOKS},
	{"GET", "metrics", get_metrics, TOKEN_READ, ABOUT_ALL, ROUTE_LOOKS},
	{"GET", "v1/status", get_status, SEES, ABOUT_ASKED, ROUTE_LOOKS},
	{"POST", "v1/releases", post_release, TOKEN_RELEASE | TOKEN_DEPLOY, ABOUT_RELEASE, ROUTE_UPLOADS},
	{"GET", "v1/releases", get_releases, SEES, ABOUT_ASKED, ROUTE_LOOKS},
	{"POST", "v1/releases/*/bad", post_release_mark, TOKEN_DEPLOY | TOKEN_ROLLBACK, ABOUT_BODY, ROUTE_GOES_BACK},
	{"POST", "v1/releases/*/clear", post_release_mark, TOKEN_DEPLOY, ABOUT_BODY, ROUTE_CLEARS},
	{"POST", "v1/environments/*/deploy", post_deploy, TOKEN_DEPLOY, ABOUT_ENVIRONMENT, ROUTE_DEPLOYS},
	{"GET", "v1/environments/*/plan", get_plan, SEES, ABOUT_ENVIRONMENT, ROUTE_LOOKS},
	{"POST", "v1/environments/*/rollback", post_rollback, TOKEN_DEPLOY | TOKEN_ROLLBACK, ABOUT_ENVIRONMENT, ROUTE_GOES_BACK},
	{"POST", "v1/environments/*/restart", post_restart, TOKEN_DEPLOY, ABOUT_ENVIRONMENT, ROUTE_DEPLOYS},
	{"POST", "v1/environments/*/maintenance", post_maintenance, TOKEN_DEPLOY, ABOUT_ENVIRONMENT, ROUTE_DEPLOYS},
	{"POST", "v1/environments/*/preview", post_preview, TOKEN_DEPLOY, ABOUT_ENVIRONMENT, ROUTE_DEPLOYS},
	{"POST", "v1/environments/*/kpi", post_kpi, TOKEN_KPI, ABOUT_ENVIRONMENT, ROUTE_OWNS},
	{"GET", "v1/environments/*/config", get_config, SEES, ABOUT_ENVIRONMENT, ROUTE_LOOKS},
	{"POST", "v1/environments/*/exec", post_exec, ON_THE_MACHINE, ABOUT_ENVIRONMENT, ROUTE_OWNS},
	{"GET", "v1/environments/*/logs", get_logs, SEES, ABOUT_ENVIRONMENT, ROUTE_LOOKS},
	{"GET", "v1/rollouts", get_rollouts, SEES, ABOUT_ASKED, ROUTE_LOOKS},
	{"GET", "v1/rollouts/*", get_rollout, SEES, ABOUT_ROLLOUT, ROUTE_LOOKS},
	{"GET", "v1/rollouts/*/events", get_rollout_events, SEES, ABOUT_ROLLOUT, ROUTE_LOOKS},
	{"GET", "v1/rollouts/*/ticks", get_rollout_ticks, SEES, ABOUT_ROLLOUT, ROUTE_LOOKS},
	{"GET", "v1/rollouts/*/postmortem", get_rollout_postmortem, SEES, ABOUT_ROLLOUT, ROUTE_LOOKS},
	{"GET", "v1/rollouts/*/diffs", get_rollout_diffs, SEES, ABOUT_ROLLOUT, ROUTE_LOOKS},
	{"GET", "v1/dora", get_dora, SEES, ABOUT_ASKED, ROUTE_LOOKS},
	{"POST", "v1/builds", post_build, TOKEN_BUILD, ABOUT_BODY, ROUTE_OWNS},
	{"POST", "v1/external-builds", post_external_build, TOKEN_RELEASE, ABOUT_BODY, ROUTE_OWNS},
	{"GET", "v1/builds", get_builds, SEES, ABOUT_ASKED_APP, ROUTE_LOOKS},
	{"GET", "v1/builds/*", get_build, SEES, ABOUT_BUILD, ROUTE_LOOKS},
	{"GET", "v1/builds/*/log", get_build_search, SEES, ABOUT_BUILD, ROUTE_LOOKS},
	{"GET", "v1/builds/*/log/*", get_build_log, SEES, ABOUT_BUILD, ROUTE_LOOKS},
	{"GET", "v1/logs", get_log_search, SEES, ABOUT_ASKED_APP, ROUTE_LOOKS},
	{"POST", "v1/builds/*/cancel", post_build_command, TOKEN_BUILD, ABOUT_BUILD, ROUTE_OWNS},
	{"POST", "v1/builds/*/again", post_build_command, TOKEN_BUILD, ABOUT_BUILD, ROUTE_OWNS},
	{"POST", "v1/rollouts/*/promote", post_rollout_command, TOKEN_DEPLOY, ABOUT_ROLLOUT, ROUTE_DEPLOYS},
	{"POST", "v1/rollouts/*/pause", post_rollout_command, TOKEN_DEPLOY, ABOUT_ROLLOUT, ROUTE_DEPLOYS},
	{"POST", "v1/rollouts/*/resume", post_rollout_command, TOKEN_DEPLOY, ABOUT_ROLLOUT, ROUTE_DEPLOYS},
	{"POST", "v1/rollouts/*/abort", post_rollout_command, TOKEN_DEPLOY | TOKEN_ROLLBACK, ABOUT_ROLLOUT, ROUTE_GOES_BACK},
	{"POST", "v1/rollouts/*/approve", post_rollout_answer, TOKEN_APPROVE, ABOUT_ROLLOUT, ROUTE_ANSWERS},
	{"POST", "v1/rollouts/*/reject", post_rollout_answer, TOKEN_APPROVE, ABOUT_ROLLOUT, ROUTE_ANSWERS},
	{"POST", "v1/rollouts/*/emergency", post_rollout_answer, TOKEN_APPROVE, ABOUT_ROLLOUT, ROUTE_ANSWERS},
	{"POST", "v1/environments/*/freeze", post_freeze, TOKEN_DEPLOY, ABOUT_ENVIRONMENT, ROUTE_FREEZES},
	{"POST", "v1/environments/*/unfreeze", post_freeze, TOKEN_DEPLOY, ABOUT_ENVIRONMENT, ROUTE_FREEZES},
	{"POST", "v1/backup", post_backup, ON_THE_MACHINE, ABOUT_ALL, ROUTE_OWNS},
	{"POST", "v1/backup/*/step", post_backup_step, ON_THE_MACHINE, ABOUT_ALL, ROUTE_OWNS},
	{"GET", "v1/secrets", get_secrets, TOKEN_READ, ABOUT_ALL, ROUTE_LOOKS},
	{"POST", "v1/secrets", post_secret, TOKEN_SECRETS, ABOUT_ASKED_APP, ROUTE_OWNS},
	{"POST", "v1/secrets/remove", post_secret_remove, TOKEN_SECRETS, ABOUT_BODY, ROUTE_OWNS},
	{"GET", "v1/sources", get_sources, TOKEN_READ | TOKEN_BUILD, ABOUT_ALL, ROUTE_LOOKS},
	{"POST", "v1/sources/*/look", post_source_look, TOKEN_BUILD, ABOUT_APP, ROUTE_OWNS},
	{"GET", "v1/audit", get_audit, TOKEN_READ, ABOUT_ALL, ROUTE_LOOKS},
	{"GET", "v1/audit/verify", get_audit_verify, TOKEN_READ, ABOUT_ALL, ROUTE_LOOKS},
	{"GET", "v1/tokens", get_tokens, ON_THE_MACHINE, ABOUT_ALL, ROUTE_OWNS},
	{"POST", "v1/tokens", post_token, ON_THE_MACHINE, ABOUT_ALL, ROUTE_OWNS},
	{"POST", "v1/tokens/*/revoke", post_token_revoke, ON_THE_MACHINE, ABOUT_ALL, ROUTE_OWNS},
};
/* clang-format on */

static bool path_matches(const struct http_request *request, const char *path)
{
	size_t index = 0;
	for (const char *p = path;; index++) {
		size_t length = strcspn(p, "/");
		const char *segment = http_segment(request, index);
		if (!segment || (!(length == 1 && *p == '*') &&
				 (strlen(segment) != length || strncmp(segment, p, length) != 0)))
			return false;
		if (p[length] == '\0')
			return http_segment(request, index + 1) == NULL;
		p += length + 1;
	}
}

int route_find(const struct http_request *request, const struct route **ret_route,
	       struct error *err)
{
	bool known = false;
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (!path_matches(request, routes[i].path))
			continue;
		known = true;
		if (strcmp(routes[i].method, http_method(request)) == 0) {
			*ret_route = &routes[i];
			return 0;
		}
	}
	if (known)
		return error_set(err, ERR_INVALID, "This address does not take the method %s.",
				 http_method(request));
	return error_set(err, ERR_NOT_FOUND, "The API has no such address.");
}

bool route_takes_large(const struct http_request *request)
{
	const struct route *route;
	struct error ignored; /* it is refused soon enough */
	return route_find(request, &route, &ignored) == 0 && route->handle == post_external_build;
}
