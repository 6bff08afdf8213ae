/* SPDX-License-Identifier: Apache-2.0
 * exits - the exit codes of the command line, in words: for the man page and docs/reference/exit-codes.md. */
#include "cli/command.h"

const struct cli_exit_meaning cli_exits[] = {
	{CLI_OK, "done", "What was asked for has happened. With --detach: it has begun."},
	{CLI_UNEXPECTED, "unexpected", "Something went wrong that the command could not know of."},
	{CLI_USAGE, "usage",
	 "The command line or davit.yaml is wrong. Nothing was sent and nothing was changed."},
	{CLI_NOT_FOUND, "not found", "There is no such environment, release, rollout or key."},
	{CLI_DENIED, "not allowed",
	 "This user may not, or the release is marked bad. Nothing was changed."},
	{CLI_CONFLICT, "conflict",
	 "What the command saw has moved, something else is under way, or the state does not allow "
	 "it. "
	 "Nothing was changed."},
	{CLI_UNREACHABLE, "unreachable", "No server answers. A rollout that was followed goes on."},
	{CLI_PIPELINE_FAILED, "pipeline failed",
	 "A stage of the pipeline failed. Nothing was deployed."},
	{CLI_ROLLED_BACK, "rolled back",
	 "The rollout failed and is back on the release before; the service is healthy. davit "
	 "judge: the "
	 "verdict is fail."},
	{CLI_DEGRADED, "degraded",
	 "The rollout failed and could not go back: the service is degraded. davit keeps trying."},
	{CLI_REJECTED, "rejected", "The rollout was refused before it began."},
	{CLI_BLOCKED, "blocked",
	 "A scan found what its policy does not let through (davit scan check)."},
	{CLI_CANCELLED, "cancelled",
	 "A person aborted the rollout, or a newer one took its place."},
	{CLI_STILL_RUNNING, "still running",
	 "The time given by --timeout is over, or the rollout is paused and nobody is at the "
	 "terminal. It goes "
	 "on. davit judge: neither a pass nor a fail."},
	{CLI_DETACHED, "detached",
	 "Ctrl-C ended the watching. The rollout goes on. davit build: every stage was stopped."},
	{0, NULL, NULL},
};
