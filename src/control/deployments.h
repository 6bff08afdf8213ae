/* SPDX-License-Identifier: Apache-2.0
 *
 * deployments - the rollouts of one environment as the deployments that report/dora.h counts.
 *
 * WHAT  A rollout that deploys is a normal deployment; one of the release that is live already, and a restart, is a
 *       redeploy; a rollback is about the newest deployment before it that brought what it left. What was refused,
 *       cancelled or superseded before it began is none. One that was said to be a repair is a
 *       hotfix of what it repairs. A commit counts with the first
 *       deployment that brought it for good; it was pushed when that one's release was ordered to be built, at the
 *       latest.
 * LIMITS The newest DEPLOYMENTS_MAX, and the newest DEPLOYMENT_COMMITS_MAX commits of them.
 * OWNS  The list is the caller's, large, and has no pointers.
 */
#ifndef CONTROL_DEPLOYMENTS_H
#define CONTROL_DEPLOYMENTS_H

#include "control/control.h"
#include "report/dora.h"

enum {
	DEPLOYMENTS_MAX = 4096,
	DEPLOYMENT_COMMITS_MAX = DORA_TIMES_MAX + 1,
	DEPLOYMENT_ID_SIZE = 65
};

struct deployment_list {
	uint32_t count;
	struct dora_deployment items[DEPLOYMENTS_MAX]; /* newest first */
	struct deployment_release {
		char fresh[DIGEST_HEX_SIZE], old[DIGEST_HEX_SIZE];
		bool commits_known, commits_cut; /* what lies between the two */
	} releases[DEPLOYMENTS_MAX];
	bool repairs_known; /* one was said to be a repair, so that the others are none */
	uint32_t commit_count;
	struct dora_commit commits[DEPLOYMENT_COMMITS_MAX]; /* of one deployment together */
	char commit_ids[DEPLOYMENT_COMMITS_MAX][DEPLOYMENT_ID_SIZE];
};

/* Now, by the clock that the records were made with: where a window ends. */
uint64_t control_now_unix_ms(const struct control *c);

MUST_CHECK int control_deployments(struct control *c, const char *app, const char *environment,
				   struct deployment_list *ret_list, struct error *err);

#endif
