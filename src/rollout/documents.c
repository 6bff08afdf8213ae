/* SPDX-License-Identifier: Apache-2.0
 * documents - see documents.h for the contract. */
#include "rollout/documents.h"

#include <string.h>

bool release_id_equal(const struct release_id *a, const struct release_id *b)
{
	return memcmp(a->bytes, b->bytes, RELEASE_ID_SIZE) == 0;
}

bool release_id_empty(const struct release_id *id)
{
	static const struct release_id empty;
	return release_id_equal(id, &empty);
}

int version_compare(struct version a, struct version b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return 0;
}
