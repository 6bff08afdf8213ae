/* SPDX-License-Identifier: Apache-2.0
 *
 * guide - a team's deployment guide, made of its davit.yaml, and where it is named of the server's own file.
 *
 * WHAT  Environments, workflow, strategies step by step, pipeline, checks, what is watched, approvals, production, tags, secrets, data,
 *       the way back in four steps, tooling. What davit.yaml does not say is left out. The same files give the same bytes.
 * OWNS  The resolved environments are borrowed: one for each of the app's, in its order.
 */
#ifndef CLI_GUIDE_H
#define CLI_GUIDE_H

#include "config/config.h"
#include "config/server.h"
#include "report/flow.h"
#include "report/writer.h"

struct guide {
	const struct app *app;
	struct resolved *environments[APP_ENVIRONMENTS_MAX];
	struct server *server; /* NULL: it was not named */
};

void guide_write(const struct guide *guide, struct writer *w);

/* guide_roles.c: who may what, and what no commit can lower; nothing without the server's file. */
void guide_write_roles(const struct guide *guide, struct writer *w);
MUST_CHECK int guide_server(const char *path, struct server **ret_server, struct error *err);

/* guide_production.c: what stands before production, which tags there are, who gets which secret (never its value). Each
 * writes nothing where davit.yaml has nothing of it. */
void guide_write_production(const struct guide *g, struct writer *w);
void guide_write_tags(const struct guide *g, struct writer *w);
void guide_write_secrets(const struct guide *g, struct writer *w);

/* guide_flow.c: from a commit to the last environment. */
void guide_flow(const struct guide *guide, struct flow *ret_flow);

#endif
