/* SPDX-License-Identifier: Apache-2.0
 *
 * repeat - see repeat.h for the contract.
 */
#include "traffic/repeat.h"

/* The entry of the release, else the oldest. */
static struct repeat_failure *entry_of(struct repeat *repeat, uint32_t release)
{
	struct repeat_failure *oldest = &repeat->last[0];
	for (uint32_t i = 0; i < REPEAT_RELEASES; i++) {
		struct repeat_failure *f = &repeat->last[i];
		if (f->at_ms && f->release == release)
			return f;
		if (f->at_ms < oldest->at_ms)
			oldest = f;
	}
	return oldest;
}

bool repeat_failed(struct repeat *repeat, uint32_t release, uint64_t request, uint64_t now_ms)
{
	struct repeat_failure *f = entry_of(repeat, release);
	if (f->at_ms && f->release == release && f->request == request &&
	    now_ms - f->at_ms < REPEAT_MS)
		return true;
	*f = (struct repeat_failure){.request = request, .at_ms = now_ms, .release = release};
	return false;
}

void repeat_answered(struct repeat *repeat, uint32_t release, uint64_t request)
{
	for (uint32_t i = 0; i < REPEAT_RELEASES; i++) {
		struct repeat_failure *f = &repeat->last[i];
		if (f->release == release && f->request == request)
			f->at_ms = 0;
	}
}
