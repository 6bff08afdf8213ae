/* SPDX-License-Identifier: Apache-2.0
 *
 * postmortems - the interface to where drafts of post-mortems lie: one text a rollout, from then on the people's.
 *
 * HOW   put() writes the whole text or nothing, and never over one that is there; has() says whether one is. Both
 *       may be called beside the loop.
 * ERRORS As files have them.
 */
#ifndef PROVIDER_POSTMORTEMS_H
#define PROVIDER_POSTMORTEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct postmortems;

struct postmortems_ops {
	bool (*has)(const struct postmortems *postmortems, uint32_t rollout);
	int (*put)(const struct postmortems *postmortems, uint32_t rollout, const char *text,
		   size_t size, struct error *err);
};

struct postmortems {
	const struct postmortems_ops *ops;
};

#endif
