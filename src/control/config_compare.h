/* SPDX-License-Identifier: Apache-2.0
 *
 * config_compare - in which keys the configurations of two releases differ, in one environment.
 *
 * WHAT  Both are the JSON that the store keeps of a release. The visit gets each key once, in order. Values of variables
 *       and the like are never copied: that they differ is told, and `hidden`.
 * OWNS  The change is the visit's until it returns.
 */
#ifndef CONTROL_CONFIG_COMPARE_H
#define CONTROL_CONFIG_COMPARE_H

#include <stdbool.h>

/* "" = not there. Of a hidden one `from` and `to` only say whether there is a value. */
struct config_change {
	char key[192];
	bool hidden;
	char from[160], to[160];
};

typedef void (*config_change_visit)(void *context, const struct config_change *change);

/* False: one of the two does not have this environment, and nothing was compared. */
bool config_compare(const char *before, const char *after, const char *environment,
		    config_change_visit visit, void *context);

#endif
