/* SPDX-License-Identifier: Apache-2.0
 *
 * view_drift - what people are shown of how an environment stands to what it follows in git. Part of view.h.
 */
#ifndef CONTROL_VIEW_DRIFT_H
#define CONTROL_VIEW_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "control/drift.h"

enum { VIEW_DRIFT_OF_SIZE = 257, VIEW_DRIFT_COMMIT_SIZE = 65, VIEW_DRIFT_SUBJECT_SIZE = 160 };

struct view_drift {
	enum drift_state state; /* NONE: nothing else here is filled */
	char of[VIEW_DRIFT_OF_SIZE];
	char live[VIEW_DRIFT_COMMIT_SIZE], tip[VIEW_DRIFT_COMMIT_SIZE]; /* "" = not known */
	bool counted;
	uint32_t behind, ahead;
	char subject[VIEW_DRIFT_SUBJECT_SIZE];
	char text[DRIFT_SENTENCE_SIZE];
};

#endif
