/* SPDX-License-Identifier: Apache-2.0
 *
 * view_exec - where and as what a one-off command of a live release is to run. See view.h for the rules of all views.
 */
#ifndef CONTROL_VIEW_EXEC_H
#define CONTROL_VIEW_EXEC_H

#include "control/control.h"

/* What a one-off command of the live release needs. */
struct view_exec {
	char directory[512];
	char user[64];
	uint32_t variable_count;
	char variables[96][1024];
	/* What an instance of the process was given: files in the directory `secrets` of that instance's. */
	char instance[96];
	uint32_t secret_count;
	struct {
		char name[128];
		bool file; /* the variable has the path */
	} secrets[32];
};
MUST_CHECK int control_exec(struct control *c, const struct control_caller *caller,
			    const char *environment, const char *process, const char *command,
			    struct view_exec *ret_view, struct error *err);

#endif
