/* SPDX-License-Identifier: Apache-2.0
 *
 * check - what one key alone cannot say wrong: names that must exist, things that exclude each other.
 *
 * HOW   Called once the tables have read the file without an error; adds to the reader's errors.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/app.h"
#include "config/reader.h"
#include "config/yaml.h"

/* Stages that need what is not there, or each other; from check_app(). */
void check_pipeline(struct reader *r, const struct yaml_node *root, const struct app *app);

void check_app(struct reader *r, const struct yaml_node *root, const struct app *app);

/* check_gates.c: what stands between a release and its environments. */
void check_gates(struct reader *r, const struct yaml_node *root, const struct app *app);

/* check_secrets.c: what the processes of one environment are given. */
void check_secrets(struct reader *r, const struct yaml_node *node,
		   const struct app_environment *environment, const struct app_process *processes,
		   uint32_t count);

/* The same of the commands of checks that run in it; and, before it is resolved, whether they fit. */
void check_given(struct reader *r, const struct yaml_node *node, const struct resolved *resolved,
		 bool written_here);
void check_given_size(struct reader *r, const struct yaml_node *node, const struct app *app,
		      const struct app_environment *environment);

/* check_cohort.c: whether the strategy has steps for it. */
void check_cohort(struct reader *r, const struct yaml_node *node, const struct resolved *resolved);

/* check_tls.c: one environment's, and what two of them want of one address. */
bool check_has_tls(const struct app_environment *environment);
void check_tls(struct reader *r, const struct yaml_node *node,
	       const struct app_environment *environment);
/* check_tcp.c: what needs HTTP where whole connections are passed on. The second: of the environment as it is put together. */
void check_tcp(struct reader *r, const struct yaml_node *node,
	       const struct app_environment *environment);
void check_tcp_resolved(struct reader *r, const struct yaml_node *node,
			const struct resolved *resolved);

/* check_headers.c: the header rules of one environment. */
void check_headers(struct reader *r, const struct yaml_node *node,
		   const struct app_environment *environment);

void check_redirects(struct reader *r, const struct yaml_node *all, const struct app *app);

#endif
