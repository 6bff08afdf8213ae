/* SPDX-License-Identifier: Apache-2.0
 *
 * settings - a resolved configuration in the words of those who act on it.
 *
 * WHAT  config_strategy() says how a release of this environment goes out; control/ compiles it to a
 *       plan. Process p of the settings is process p of the resolved configuration: who numbers processes
 *       otherwise (an environment keeps one number per name over releases) moves them.
 * ERRORS ERR_INVALID with a sentence for a strategy that contradicts itself, for example a process with
 *       traffic that hands over stop-first in anything but `recreate`.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/app.h"
#include "strategy/strategy.h"

int config_strategy(const struct resolved *resolved, struct strategy_settings *ret_settings,
		    struct error *err) MUST_CHECK;

#endif
