/* SPDX-License-Identifier: Apache-2.0
 * keys_migrate - see keys.h for the contract. What is done to data that releases share. */
#include "config/app.h"
#include "config/keys.h"

static const struct schema_key migrate_keys[] = {
	{"before", SCHEMA_SECTION, AT(app_migrate, before), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_command, .example = "bin/migrate expand",
	 .doc = "Runs once per rollout, before the first instance of the new release starts. The "
		"live release works on beside it and after it: add, never remove. When it "
		"fails, the rollout ends and nothing of the new release has started."},
	{"after", SCHEMA_SECTION, AT(app_migrate, after), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_command, .example = "bin/migrate contract",
	 .doc = "Runs once per rollout, when the new release is live and nothing of the old one "
		"runs any more: the point of no return. From then on `davit rollback` refuses "
		"to cross it without `--across-migration`. When it fails, the rollout waits "
		"for a person."},
	{"timeout", SCHEMA_DURATION, AT(app_migrate, timeout_ms), .fallback = "15m",
	 .min = SECOND(1), .max = DAY(7),
	 .doc = "How long each may take. Then it is ended, and has failed."},
	{"ask", SCHEMA_BOOL, AT(app_migrate, ask), .fallback = "true",
	 .doc = "Before the point of no return the rollout waits, with all requests on the new "
		"release and the old one kept at full strength, until somebody says yes "
		"(`davit approve`). `false`: nobody is asked; it is recorded all the same."},
};

const struct schema_section schema_migrate = {
	.title = "migrate",
	KEYS(migrate_keys),
	.doc = "Commands that change what releases share, a database above all. They run as an "
	       "instance of the new release would: its files, the user, variables and limits of "
	       "`web` (or of the first process), in a directory of their own. Neither runs on a "
	       "rollback or a restart. `DAVIT_KEY` is the same in every try of one rollout's "
	       "command: a command that may run twice must find that its work is done."};
