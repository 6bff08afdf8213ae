/* SPDX-License-Identifier: Apache-2.0
 *
 * verbs - the functions behind the rows of cli/commands.c, one file a verb (or a small family of them).
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli/client.h"
#include "cli/command.h"

int verb_abort(struct cli *cli);
int verb_approve(struct cli *cli);
int verb_audit(struct cli *cli);
int verb_builds(struct cli *cli);
int verb_completion(struct cli *cli);
int verb_config(struct cli *cli);
int verb_deploy(struct cli *cli);
int verb_diff(struct cli *cli);
int verb_docs(struct cli *cli);
int verb_dora(struct cli *cli);
int verb_doctor(struct cli *cli);
int verb_exec(struct cli *cli);
int verb_freeze(struct cli *cli);
int verb_secrets(struct cli *cli);
int verb_token(struct cli *cli);
int verb_webhook(struct cli *cli);
int verb_guide(struct cli *cli);
int verb_history(struct cli *cli);
int verb_init(struct cli *cli);
int verb_logs(struct cli *cli);
int verb_maintenance(struct cli *cli);
int verb_pause(struct cli *cli);
int verb_plan(struct cli *cli);
int verb_postmortem(struct cli *cli);
int verb_diffs(struct cli *cli);
int verb_preview(struct cli *cli);
int verb_promote(struct cli *cli);
int verb_reject(struct cli *cli);
int verb_releases(struct cli *cli);
int verb_restart(struct cli *cli);
int verb_resume(struct cli *cli);
int verb_rollback(struct cli *cli);
int verb_scan(struct cli *cli);
int verb_schema(struct cli *cli);
int verb_status(struct cli *cli);
int verb_unfreeze(struct cli *cli);
int verb_validate(struct cli *cli);
int verb_version(struct cli *cli);
int verb_watch(struct cli *cli);
int verb_why(struct cli *cli);

/* davit logs --grep: logs_grep.c */
int logs_grep(const struct cli *cli, struct client *client);

struct follow_options {
	uint64_t timeout_ms; /* bounds the wait, not the rollout; 0 = none */
	bool promote;        /* promote every step as it comes */
};

/* Follow a rollout (a number or an environment) to its end, as `davit watch` does; returns the exit code. */
int follow_rollout(struct cli *cli, struct client *client, const char *rollout,
		   const struct follow_options *options);

/* Promote the step at which the rollout waits, if it does and was not promoted yet. */
void promote_step(const struct cli *cli, const json_t *rollout);

/* The end of a rollout in words: what happened, the numbers, what serves now, what to type next. */
void print_outcome(const struct cli *cli, const json_t *rollout);

#endif
