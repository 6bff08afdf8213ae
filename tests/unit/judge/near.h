/* SPDX-License-Identifier: Apache-2.0
 * near - doubles that are to be equal up to an absolute error; says both where they are not. */
#ifndef UNIT_JUDGE_NEAR_H
#define UNIT_JUDGE_NEAR_H

#include <math.h>

#include "../cmocka_all.h"

static inline void assert_near_at(double is, double want, double error, int line)
{
	if (!(fabs(is - want) <= error))
		fail_msg("line %d: %.17g, not %.17g within %g", line, is, want, error);
}

#define assert_near(is, want, error) assert_near_at(is, want, error, __LINE__)

#endif
