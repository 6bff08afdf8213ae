/* SPDX-License-Identifier: Apache-2.0
 * coverage - which cells of the state table the seeds reached. A reachable cell that stays empty is a
 * failure of the simulator: it is too tame there. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

void coverage_add(const struct sim *s, const struct rollout_event *event,
		  const struct rollout_effects *fx)
{
	const struct job *job = &s->memory.active;

	if (job->there)
		totals.cell[job->r.status][event->kind]++;
	else
		totals.cell[ROLLOUT_NONE][event->kind]++; /* nothing rolls */
	totals.answer[fx->answer]++;
	for (uint32_t i = 0; i < fx->count; i++) {
		totals.effect[fx->items[i].kind]++;
		if (fx->items[i].kind == EFFECT_NOTIFY)
			totals.reason[fx->items[i].reason]++;
	}
	if (!job->there || !rollout_active(&job->r) || job->r.cursor >= job->plan.step_count)
		return;
	uint32_t row = job->plan.reverts ? ROW_BACK : job->rollback ? ROW_ROLLBACK : s->kind;
	totals.op[row][job->plan.steps[job->r.cursor].op]++;
}

/* States in which the simulated controller delivers events at all. */
static bool cell_reachable(uint32_t status, uint32_t event)
{
	bool standing = event == EVENT_TICK || event == EVENT_OBSERVATION || event == EVENT_BOOT ||
			event == EVENT_FREEZE || event == EVENT_UNFREEZE || event == EVENT_ABORT ||
			event == EVENT_PAUSE || event == EVENT_RESUME || event == EVENT_PROMOTE ||
			event == EVENT_MAINTENANCE || event == EVENT_LEASE_LOST ||
			event == EVENT_LEASE_WON;
	if (event == EVENT_COUNT)
		return false;
	switch ((enum rollout_status)status) {
	case ROLLOUT_NONE: return standing || event == EVENT_SUBMIT;
	case ROLLOUT_QUEUED:
		return event == EVENT_START || event == EVENT_NEWER || event == EVENT_ABORT;
	case ROLLOUT_GATED:
		return standing || event == EVENT_APPROVE || event == EVENT_REJECT ||
		       event == EVENT_DRIFT || event == EVENT_NEWER;
	case ROLLOUT_RUNNING:
		return event != EVENT_SUBMIT && event != EVENT_START && event != EVENT_DRIFT;
	case ROLLOUT_PAUSED:
	case ROLLOUT_REVERTING:
		return standing || event == EVENT_EVIDENCE || event == EVENT_NEWER ||
		       event == EVENT_APPROVE || event == EVENT_REJECT || event == EVENT_FETCHED ||
		       event == EVENT_HOOKED;
	case ROLLOUT_STUCK: return standing || event == EVENT_NEWER;
	case ROLLOUT_SUCCEEDED:
	case ROLLOUT_REVERTED:
	case ROLLOUT_REJECTED:
	case ROLLOUT_SUPERSEDED:
	case ROLLOUT_CANCELLED:
	case ROLLOUT_STATUS_COUNT: break;
	}
	return false;
}

static bool op_reachable(uint32_t row, uint32_t op)
{
	if (row == ROW_BACK)
		return op == PLAN_START || op == PLAN_READY || op == PLAN_ROUTE ||
		       op == PLAN_DRAIN || op == PLAN_STOP;
	if (row == ROW_ROLLBACK)
		return op != PLAN_HOLD && op != PLAN_GATE && op != PLAN_HOOK;
	return true;
}

uint32_t coverage_print(bool strict)
{
	static const char *const rows[] = {"blue-green", "canary", "rolling",  "recreate",
					   "shadow",     "mix",    "way back", "rollback"};
	uint32_t empty = 0, reachable = 0, reached = 0;

	printf("state × event (events delivered; . = cannot happen)\n%-13s", "");
	for (uint32_t e = 0; e < EVENT_COUNT; e++)
		printf(" %6.6s", rollout_event_name(e));
	for (uint32_t status = 0; status <= ROLLOUT_STUCK; status++) {
		printf("\n%-13s", rollout_status_name(status));
		for (uint32_t e = 0; e < EVENT_COUNT; e++) {
			bool can = cell_reachable(status, e);
			reachable += can;
			reached += can && totals.cell[status][e] > 0;
			if (can && totals.cell[status][e] == 0)
				empty++;
			if (totals.cell[status][e] == 0)
				printf(" %6s", can ? "EMPTY" : ".");
			else if (totals.cell[status][e] < 100000)
				printf(" %6llu", (unsigned long long)totals.cell[status][e]);
			else
				printf(" %5lluk",
				       (unsigned long long)totals.cell[status][e] / 1000);
		}
	}
	printf("\nstrategy × operation\n%-13s", "");
	for (uint32_t op = 0; op < PLAN_OP_COUNT; op++)
		printf(" %7s", plan_op_name(op));
	for (uint32_t row = 0; row < STRATEGY_KIND_COUNT + 3; row++) {
		printf("\n%-13s", rows[row]);
		for (uint32_t op = 0; op < PLAN_OP_COUNT; op++) {
			bool can = op_reachable(row, op);
			reachable += can;
			reached += can && totals.op[row][op] > 0;
			if (can && totals.op[row][op] == 0)
				empty++;
			if (totals.op[row][op] == 0)
				printf(" %7s", can ? "EMPTY" : ".");
			else
				printf(" %7llu", (unsigned long long)totals.op[row][op]);
		}
	}
	printf("\nreasons");
	for (uint32_t i = 1; i < REASON_COUNT; i++) {
		empty += totals.reason[i] == 0;
		reachable++;
		reached += totals.reason[i] > 0;
		printf(" %s=%llu", rollout_reason_name(i), (unsigned long long)totals.reason[i]);
	}
	printf("\ncoverage: %u of %u reachable cells\n", reached, reachable);
	return strict ? empty : 0;
}
