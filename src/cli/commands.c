/* SPDX-License-Identifier: Apache-2.0
 * commands - the table of verbs: the parser, help, man pages and completions are made from it. */
#include "cli/verbs.h"

#define REASON                                                  \
	{                                                       \
		"reason", 'm', "TEXT", "why, for the audit log" \
	}
#define DETACH                                                   \
	{                                                        \
		"detach", 'd', NULL, "do not follow the rollout" \
	}

const struct cli_command cli_commands[] = {
	{.name = "up",
	 .arguments = "",
	 .summary = "run the server in the foreground, state in ./.davit",
	 .details = "Controller, gateway and instances on this machine, with nothing beside it. "
		    "Ctrl-C ends requests "
		    "under way, then everything.",
	 .examples = "  davit up",
	 .options = {{"workers", 0, "N", "gateway workers (default: one a core)"},
		     {"access-log", 0, "FILE", "append a line per request to this file"},
		     {"verbose", 'v', NULL, "debug records as well"}}},
	{.name = "serve",
	 .arguments = "",
	 .summary = "run the server as a service, state in /var/lib/davit",
	 .details = "TERM ends the controller and leaves gateway and instances serving (use "
		    "KillMode=process); "
		    "the next start adopts them. Tells systemd when it is ready (NOTIFY_SOCKET).",
	 .examples = "  davit serve --state /var/lib/davit",
	 .options = {{"workers", 0, "N", "gateway workers (default: one a core)"},
		     {"access-log", 0, "FILE", "append a line per request to this file"},
		     {"verbose", 'v', NULL, "debug records as well"}}},
	{.name = "deploy",
	 .arguments = "ENV [VERSION|PATH]",
	 .summary = "put a release live, step by step",
	 .details = "PATH is a directory, an archive (tar, zip) or one file, and becomes a "
		    "release; VERSION is a "
		    "release that davit has: a tag, or the beginning of an id. Without either, "
		    "this directory.\n"
		    "The configuration is davit.yaml in PATH, else in this directory. The rollout "
		    "is followed until "
		    "it ends; the exit code says how: 0 live, 11 rolled back, 15 aborted, 20 still "
		    "under way.",
	 .examples = "  davit deploy prod .                  # this directory\n"
		     "  davit deploy prod build.tar.gz --as v1.4.2\n"
		     "  davit deploy prod v1.4.2             # a release that is there",
	 .args_min = 1,
	 .args_max = 2,
	 .options = {{"as", 0, "TAG", "name the release (default: the next patch version)"},
		     {"config", 'c', "FILE", "the configuration to use"},
		     {"strategy", 0, "NAME", "another strategy than the environment's"},
		     REASON,
		     DETACH,
		     {"timeout", 0, "DURATION", "wait no longer than this; the rollout goes on"},
		     {"allow-bad", 0, NULL, "also a release that is marked bad"}},
	 .run = verb_deploy},
	{.name = "status",
	 .arguments = "[ENV]",
	 .summary = "what is live where, since when, and what moves",
	 .details = "",
	 .examples = "  davit status\n  davit status prod -w",
	 .args_max = 1,
	 .options = {{"watch", 'w', NULL, "again and again"}},
	 .run = verb_status},
	{.name = "watch",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "follow a rollout to its end",
	 .details = "Leaves with the rollout's exit code. Ctrl-C detaches; the rollout goes on.",
	 .examples = "  davit watch prod",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_watch},
	{.name = "why",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "why a rollout is where it is, and on which evidence",
	 .details = "",
	 .examples = "  davit why prod\n  davit why 42 --json",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_why},
	{.name = "promote",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "let a rollout go on to its next step now",
	 .details = "",
	 .examples = "  davit promote prod -m 'checked by hand'",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON},
	 .run = verb_promote},
	{.name = "pause",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "hold a rollout where it is",
	 .details = "Traffic stays as it is; a bad release still goes back by itself.",
	 .examples = "  davit pause prod",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON},
	 .run = verb_pause},
	{.name = "resume",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "go on after a pause",
	 .details = "",
	 .examples = "  davit resume prod",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON},
	 .run = verb_resume},
	{.name = "abort",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "end a rollout and go back, at once",
	 .details = "",
	 .examples = "  davit abort prod -m 'wrong branch'",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON},
	 .run = verb_abort},
	{.name = "rollback",
	 .arguments = "ENV",
	 .summary = "back to the last good release, at once",
	 .details = "Never asks. Without --to: the release that was live before and is not marked "
		    "bad; while a "
		    "rollout is under way, that rollout is aborted.",
	 .examples =
		 "  davit rollback prod\n  davit rollback prod --to v1.4.0 -m 'orders are lost'",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"to", 0, "VERSION", "a tag, or the beginning of an id"}, REASON, DETACH},
	 .run = verb_rollback},
	{.name = "restart",
	 .arguments = "ENV",
	 .summary = "start every instance anew, batch by batch",
	 .details = "",
	 .examples = "  davit restart prod",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON, DETACH},
	 .run = verb_restart},
	{.name = "maintenance",
	 .arguments = "ENV",
	 .summary = "answer 503 to everybody, or stop doing so",
	 .details = "",
	 .examples = "  davit maintenance prod\n  davit maintenance prod --off",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"off", 0, NULL, "serve again"}, REASON},
	 .run = verb_maintenance},
	{.name = "gateway",
	 .arguments = "--table FILE",
	 .summary = "run the gateway alone, on a table of your own",
	 .details = "Serves the JSON table FILE (docs/reference/gateway-table.md) without a "
		    "controller. HUP reads it "
		    "again; a table with errors is refused and the last one kept.",
	 .examples = "  davit gateway --table table.json",
	 .options = {{"table", 0, "FILE", "the table"},
		     {"workers", 0, "N", "workers (default: one a core)"},
		     {"access-log", 0, "FILE", "append a line per request to this file"}}},
	{.name = "version",
	 .arguments = "",
	 .summary = "the version of this davit",
	 .details = "",
	 .examples = "  davit version --json",
	 .run = verb_version},
	{0},
};
