/* SPDX-License-Identifier: Apache-2.0
 * guard - see guard.h for the contract. */
#include "traffic/guard.h"

int guard_check(const struct guard_document *d, struct error *err)
{
	uint64_t sum = 0;
	if (d->count > SPLIT_RELEASE_MAX)
		return error_set(err, ERR_INVALID,
				 "A router document has %u releases; %d is the most.", d->count,
				 SPLIT_RELEASE_MAX);
	for (uint32_t i = 0; i < d->count; i++)
		sum += d->release[i].weight_bp;
	if (!d->parked && sum != SPLIT_FULL_BP)
		return error_set(err, ERR_INVALID,
				 "The weights of a router document sum to %llu, not to %d.",
				 (unsigned long long)sum, SPLIT_FULL_BP);
	if (d->live != GUARD_NONE && (d->live < 0 || (uint32_t)d->live >= d->count))
		return error_set(err, ERR_INVALID,
				 "The live release %d of a router document is "
				 "none of its %u releases.",
				 d->live, d->count);
	if (d->mirror_bp > SPLIT_FULL_BP)
		return error_set(err, ERR_INVALID, "A mirror share of %u is above %d.",
				 d->mirror_bp, SPLIT_FULL_BP);
	if (d->mirror == GUARD_NONE ? d->mirror_bp > 0
				    : d->mirror < 0 || (uint32_t)d->mirror >= d->count)
		return error_set(err, ERR_INVALID,
				 "A router document mirrors to release %d, which it does not have.",
				 d->mirror);
	if (d->mirror != GUARD_NONE && d->mirror == d->live)
		return error_set(err, ERR_INVALID,
				 "A router document mirrors the live release to itself.");
	return 0;
}

/* Weight of releases that are ready to carry it. */
static uint32_t carried(const struct guard_document *d)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < d->count; i++)
		if (d->release[i].ready > 0)
			sum += d->release[i].weight_bp;
	return sum;
}

/* Scale what is carried up to the whole. What integer division leaves goes to the largest. */
static void scale(const struct guard_document *d, uint32_t sum, struct split *ret_split)
{
	uint32_t given = 0, largest = 0;
	for (uint32_t i = 0; i < d->count; i++) {
		if (d->release[i].ready > 0)
			ret_split->weight_bp[i] = d->release[i].weight_bp * SPLIT_FULL_BP / sum;
		given += ret_split->weight_bp[i];
		if (ret_split->weight_bp[i] > ret_split->weight_bp[largest])
			largest = i;
	}
	ret_split->weight_bp[largest] += SPLIT_FULL_BP - given;
}

/* A release without weight of its own that can serve when no other can, or GUARD_NONE. */
static int32_t stand_in(const struct guard_document *d)
{
	if (d->live != GUARD_NONE && d->release[d->live].ready > 0)
		return d->live;
	for (int32_t i = (int32_t)d->count - 1; i >= 0; i--)
		if (d->release[i].ready > 0)
			return i;
	return GUARD_NONE;
}

enum guard_serving guard_apply(const struct guard_document *d, struct split *ret_split)
{
	*ret_split = (struct split){.count = d->count};
	if (d->parked)
		return GUARD_PARKED;
	uint32_t sum = carried(d);
	int32_t other = sum > 0 ? GUARD_NONE : stand_in(d);
	if (sum == SPLIT_FULL_BP || (sum == 0 && other == GUARD_NONE)) {
		for (uint32_t i = 0; i < d->count; i++)
			ret_split->weight_bp[i] = d->release[i].weight_bp;
		return sum > 0 ? GUARD_AS_WANTED : GUARD_NONE_READY;
	}
	if (sum > 0)
		scale(d, sum, ret_split);
	else
		ret_split->weight_bp[other] = SPLIT_FULL_BP;
	return GUARD_MOVED;
}
