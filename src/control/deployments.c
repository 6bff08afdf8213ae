/* SPDX-License-Identifier: Apache-2.0
 * deployments - see deployments.h for the contract. */
#include "control/deployments.h"

#include <string.h>

#include "base/text.h"
#include "control/environment.h"
#include "store/audit.h"
#include "store/commits.h"
#include "store/rollouts.h"

static enum dora_kind kind_of(const struct store_rollout *row)
{
	if (strcmp(row->kind, "rollback") == 0)
		return DORA_ROLLBACK;
	if (strcmp(row->kind, "deploy") == 0 && strcmp(row->new_release, row->old_release) != 0)
		return DORA_NORMAL;
	return DORA_REDEPLOY;
}

static int add_rollout(void *context, const struct store_rollout *row)
{
	struct deployment_list *list = context;
	bool succeeded = strcmp(row->state_name, "succeeded") == 0,
	     reverted = strcmp(row->state_name, "reverted") == 0;
	if (row->started_unix_ms == 0 || (row->ended_unix_ms > 0 && !succeeded && !reverted))
		return 0;
	struct deployment_release *release = &list->releases[list->count];
	*release = (struct deployment_release){.fresh = ""};
	text_copy(release->fresh, sizeof release->fresh, row->new_release);
	text_copy(release->old, sizeof release->old, row->old_release);
	list->items[list->count++] =
		(struct dora_deployment){.id = row->number,
					 .kind = kind_of(row),
					 .succeeded = succeeded,
					 .restored = reverted,
					 .started_unix_ms = row->started_unix_ms,
					 .completed_unix_ms = row->ended_unix_ms};
	return list->count == DEPLOYMENTS_MAX;
}

/* Its place, or `count`: it is none of them. */
static uint32_t find(const struct deployment_list *list, uint32_t rollout)
{
	uint32_t low = 0, high = list->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (list->items[middle].id > rollout)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->items[low].id == rollout ? low : list->count;
}

/* Entries come newest first, so that the first share of a rollout is what stands in the end. */
static int add_share(void *context, const struct store_audit_entry *e)
{
	struct deployment_list *list = context;
	uint32_t bp;
	if (strcmp(e->action, "rollout.weight") != 0 || !text_parse_share(e->reason, &bp) ||
	    bp == 0)
		return 0;
	uint32_t at = find(list, e->rollout);
	if (at < list->count)
		list->items[at].exposed_unix_ms = e->at_unix_ms;
	return 0;
}

static int add_repair(void *context, uint32_t rollout, uint32_t about)
{
	struct deployment_list *list = context;
	uint32_t at = find(list, rollout);
	list->repairs_known = true;
	if (at < list->count && list->items[at].kind == DORA_NORMAL) {
		list->items[at].kind = DORA_HOTFIX;
		list->items[at].about = about;
	}
	return 0;
}

static int add_span(void *context, const struct store_span *span)
{
	struct deployment_list *list = context;
	uint32_t at = find(list, span->rollout);
	if (at < list->count && strcmp(span->state, "known") == 0) {
		list->releases[at].commits_known = true;
		list->releases[at].commits_cut = span->cut;
	}
	return 0;
}

static int add_commit(void *context, const struct store_delivery *d)
{
	struct deployment_list *list = context;
	text_copy(list->commit_ids[list->commit_count], DEPLOYMENT_ID_SIZE, d->id);
	list->commits[list->commit_count++] = (struct dora_commit){
		.deployment = d->rollout,
		.merge = d->merge,
		.made_unix_ms =
			d->committed_unix_s > 0 ? d->committed_unix_s * 1000 : d->pushed_unix_ms,
		.pushed_unix_ms = d->pushed_unix_ms};
	return list->commit_count == DEPLOYMENT_COMMITS_MAX;
}

static void find_cause(struct deployment_list *list, uint32_t rollback)
{
	for (uint32_t i = rollback + 1; i < list->count; i++)
		if ((list->items[i].kind == DORA_NORMAL || list->items[i].kind == DORA_HOTFIX) &&
		    list->items[i].succeeded &&
		    strcmp(list->releases[i].fresh, list->releases[rollback].old) == 0) {
			list->items[rollback].about = list->items[i].id;
			return;
		}
}

uint64_t control_now_unix_ms(const struct control *c)
{
	return env_wall_ms(c->parts.env);
}

int control_deployments(struct control *c, const char *app, const char *environment,
			struct deployment_list *ret_list, struct error *err)
{
	struct store_rollout_filter rollouts = {.app = app, .environment = environment};
	struct store_audit_filter audit = {.app = app, .environment = environment};
	ret_list->count = ret_list->commit_count = 0;
	ret_list->repairs_known = false;
	int result = store_rollouts(c->parts.store, &rollouts, add_rollout, ret_list, err);
	if (result >= 0)
		result = store_audit(c->parts.store, &audit, add_share, ret_list, err);
	if (result >= 0)
		result = store_repairs(c->parts.store, app, environment, add_repair, ret_list, err);
	if (result >= 0)
		result = store_spans(c->parts.store, app, environment, add_span, ret_list, err);
	if (result >= 0)
		result = store_deliveries(c->parts.store, app, environment, add_commit, ret_list,
					  err);
	if (result < 0)
		return result;
	for (uint32_t i = 0; i < ret_list->count; i++)
		if (ret_list->items[i].kind == DORA_ROLLBACK)
			find_cause(ret_list, i);
	return 0;
}
