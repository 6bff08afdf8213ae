/* SPDX-License-Identifier: Apache-2.0
 * approval - see approval.h for the contract. */
#include "config/approval.h"

void approval_text(const struct approval *a, struct buf *to)
{
	buf_printf(to,
		   "davit answer 1\nenvironment %s\nrollout %u\nhash %s\nverdict %s\nreason %s\n",
		   a->environment, a->rollout, a->hash, a->verdict, a->reason);
}
