/* SPDX-License-Identifier: Apache-2.0
 *
 * failpoint - named instants at which a test kills the process, between "decided" and "done".
 *
 * HOW   FAILPOINT("control.after-commit") costs one load and a branch that is never taken. Only the test
 *       binary (tests/system) installs a hook, from DAVIT_FAILPOINT=NAME[:N] (the Nth pass; default 1).
 *       The names stand in failpoint_names, so that a test can walk them all.
 */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

extern void (*failpoint_hook)(const char *name);

#define FAILPOINT(name)                                       \
	do {                                                  \
		if (__builtin_expect(failpoint_hook != 0, 0)) \
			failpoint_hook(name);                 \
	} while (0)

/* Every name used in src/, NULL-terminated; tests/unit/base checks it against the source. */
extern const char *const failpoint_names[];

/* Install the hook that honours DAVIT_FAILPOINT: kill -9 of this process at that point. */
void failpoint_from_environment(void);

#endif
