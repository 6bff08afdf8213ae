/* SPDX-License-Identifier: Apache-2.0
 *
 * resolve - what config_load() and config_resolve() share: merging, and the strategies that need no
 *           definition.
 */
#ifndef CONFIG_RESOLVE_H
#define CONFIG_RESOLVE_H

#include "config/app.h"
#include "config/config.h"

/* The processes of the application in one environment, merged, `serves` decided, without defaults;
 * `environment` may be NULL: as the top of the file says. Returns their number. */
uint32_t resolve_processes(const struct app *app, const struct app_environment *environment,
			   struct app_process to[APP_PROCESSES_MAX]);

/* The process that requests go to when nobody says which; NULL when none serves. */
const struct app_process *resolve_main_process(const struct app_process *processes, uint32_t count);

/* `migrate` and `hooks` of one environment, merged, without defaults. */
void resolve_migrate(const struct app *app, const struct app_environment *environment,
		     struct app_migrate *to);
void resolve_hooks(const struct app *app, const struct app_environment *environment,
		   struct app_hooks *to);

const struct app_environment *resolve_environment(const struct app *app, const char *name);
const struct app_strategy *resolve_strategy(const struct app *app, const char *name);

/* recreate, rolling, blue-green, canary, shadow. */
bool resolve_is_builtin(const char *strategy);

#endif
