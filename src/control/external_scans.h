/* SPDX-License-Identifier: Apache-2.0
 *
 * external_scans - what scans of a build that was made elsewhere found, held against what production has.
 *
 * WHAT  By the same rules as the findings of builds that are made here: what the same stage found in the last good release of
 *       production is not new (control/known.h), what the commit's waivers cover does not block, and what is new and as severe
 *       as the stage's `block_at` does.
 *
 * HOW   external_scans_judge() before anything of the build is written; external_scans_fill() in the transaction that writes
 *       its stages.
 * OWNS  external_scans_free() frees. The build is changed in place: a stage that is blocked has failed, and so has the build.
 * ERRORS INVALID, LIMIT a report, baseline or waivers cannot be read · CORRUPT what was kept cannot.
 */
#ifndef CONTROL_EXTERNAL_SCANS_H
#define CONTROL_EXTERNAL_SCANS_H

#include "control/external.h"

struct external_scans;

MUST_CHECK int external_scans_judge(struct control *c, struct external_build *build,
				    struct external_scans **ret_scans, struct error *err);
void external_scans_free(struct external_scans *scans); /* NULL is allowed */

/* What the stage at this index found, into its row; what is kept of it goes into the store. */
void external_scans_fill(struct control *c, const struct external_scans *scans, uint32_t index,
			 struct store_build_stage *row);

#endif
