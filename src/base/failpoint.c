/* SPDX-License-Identifier: Apache-2.0
 * failpoint - see failpoint.h for the contract. */
#include "base/failpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

void (*failpoint_hook)(const char *name);

const char *const failpoint_names[] = {
	"control.before-commit",   "control.after-commit",
	"control.between-effects", "control.after-effects",
	"gateway.after-prepare",   "gateway.before-commit",
	"gateway.after-commit",    "gateway.after-persist",
	"keeper.before-start",     "keeper.after-record",
	"keeper.after-start",      "keeper.after-spec",
	"runtime.after-spec",      "runtime.after-spawn",
	"artifact.before-publish", "artifact.after-publish",
	"restore.before-commit",   "restore.after-commit",
	"restore.between-moves",   "restore.after-moves",
	"history.after-tag",       "sources.after-order",
	"schedules.after-order",   "host.after-deployment",
	"tag_push.after-push",     NULL,
};

static char armed[64];
static uint64_t passes_left;

static void kill_at(const char *name)
{
	if (strcmp(name, armed) == 0 && --passes_left == 0)
		kill(getpid(), SIGKILL);
}

void failpoint_from_environment(void)
{
	const char *value = getenv("DAVIT_FAILPOINT");
	if (!value || !text_copy(armed, sizeof armed, value))
		return;
	passes_left = 1;
	char *colon = strchr(armed, ':');
	if (colon) {
		*colon = '\0';
		if (!text_parse_u64(colon + 1, 1000000, &passes_left) || passes_left == 0)
			return;
	}
	failpoint_hook = kill_at;
}
