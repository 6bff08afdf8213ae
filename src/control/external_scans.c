/* SPDX-License-Identifier: Apache-2.0
 * external_scans - see external_scans.h for the contract. */
#include "control/external_scans.h"

#include <stdlib.h>

#include "base/text.h"
#include "control/environment.h"
#include "control/known.h"
#include "store/findings.h"

struct external_scans {
	struct one_scan {
		bool scanned;
		char since[STORE_TAG_SIZE]; /* what it was compared with; "": nothing */
		struct scan_verdict verdict;
	} items[EXTERNAL_STAGES_MAX];
};

static int judge_one(struct control *c, const struct external_build *b,
		     const struct external_stage *stage, struct one_scan *to, struct error *err)
{
	struct scan_job job = {.stage = stage->name,
			       .report_count = stage->report_count,
			       .reports = stage->reports,
			       .baseline = stage->baseline,
			       .waivers = b->waivers,
			       .block_at = stage->block_at,
			       .now_unix_ms = env_wall_ms(c->parts.env)};
	struct known known;
	struct buf bytes;
	bool kept = false;
	int result = 0;
	buf_init(&bytes, STORE_BLOB_MAX);
	if (stage->baseline)
		text_copy(to->since, sizeof to->since, stage->baseline_name);
	else
		result = known_of_stage(c, b->app, stage->name, &known, &kept, &bytes, err);
	if (result == 0 && kept) {
		text_copy(to->since, sizeof to->since, known.since);
		job.known = &bytes;
		job.since = known.since;
	}
	if (result == 0)
		result = c->parts.judge_scan(&job, &to->verdict, err);
	buf_done(&bytes);
	return result;
}

/* As what a stage of here is that is blocked. */
static void fail(struct external_build *b, struct external_stage *stage,
		 const struct scan_verdict *verdict)
{
	text_copy(stage->state, sizeof stage->state, "failed");
	text_copy(stage->why, sizeof stage->why, verdict->why);
	if (!b->failed)
		text_copy(b->why, sizeof b->why, "new findings are blocked");
	b->failed = true;
}

int external_scans_judge(struct control *c, struct external_build *b,
			 struct external_scans **ret_scans, struct error *err)
{
	struct external_scans *scans = mem_zero(1, sizeof *scans);
	int result = 0;
	*ret_scans = scans;
	for (uint32_t i = 0; result == 0 && i < b->stage_count; i++) {
		struct one_scan *one = &scans->items[i];
		struct external_stage *stage = &b->stages[i];
		if (stage->report_count == 0)
			continue;
		one->scanned = true;
		result = judge_one(c, b, stage, one, err);
		if (result == 0 && one->verdict.blocked)
			fail(b, stage, &one->verdict);
	}
	return result;
}

void external_scans_free(struct external_scans *scans)
{
	for (uint32_t i = 0; scans && i < EXTERNAL_STAGES_MAX; i++)
		buf_done(&scans->items[i].verdict.kept);
	free(scans);
}

void external_scans_fill(struct control *c, const struct external_scans *scans, uint32_t index,
			 struct store_build_stage *row)
{
	const struct one_scan *one = &scans->items[index];
	const struct scan_verdict *v = &one->verdict;
	if (!one->scanned)
		return;
	row->scanned = true;
	row->fresh = v->fresh;
	row->known = v->known;
	row->fixed = v->fixed;
	row->waived = v->waived;
	row->suppressed = v->suppressed;
	text_copy(row->since, sizeof row->since, one->since);
	if (!v->blocked)
		store_put_findings(c->parts.store, buf_text(&v->kept), v->kept.size, row->found);
}
