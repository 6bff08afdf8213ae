/* SPDX-License-Identifier: Apache-2.0
 * keys_infrastructure - see keys.h for the contract. What is changed before a release goes out. */
#include "config/app.h"
#include "config/keys.h"

static const struct schema_key infrastructure_keys[] = {
	{"plan", SCHEMA_SECTION, AT(app_infrastructure, plan), .flags = SCHEMA_REQUIRED,
	 .section = &schema_command, .example = "bin/infra plan",
	 .doc = "Runs before anybody is asked and before anything of the release starts. It "
		"changes "
		"nothing, and writes what it would change to the file `$DAVIT_PLAN`. Exit code 0: "
		"there is nothing to do. 2: there are changes, and the file has them. Anything "
		"else: "
		"it failed, and the rollout ends."},
	{"apply", SCHEMA_SECTION, AT(app_infrastructure, apply), .flags = SCHEMA_REQUIRED,
	 .section = &schema_command, .example = "bin/infra apply",
	 .doc = "Runs after the answer and before the first instance of the release, only where "
		"there "
		"are changes. `$DAVIT_PLAN` is the same file, which nobody could change meanwhile. "
		"When it fails, the rollout ends."},
	{"approve_changes", SCHEMA_BOOL, AT(app_infrastructure, approve_changes),
	 .fallback = "true",
	 .doc = "Where there are changes, somebody has to say yes to them; who stands in "
		"`approve`, or "
		"it is one person who may command the server. `false`: they are asked only as "
		"`approve` says."},
	{"timeout", SCHEMA_DURATION, AT(app_infrastructure, timeout_ms), .fallback = "30m",
	 .min = SECOND(1), .max = DAY(1),
	 .doc = "How long each may take. Then it is ended, and has failed."},
};

const struct schema_section schema_infrastructure = {
	.title = "infrastructure",
	KEYS(infrastructure_keys),
	.doc = "What a release wants of the infrastructure, as a pair of commands of its own: one "
	       "says "
	       "what would change, the other changes just that. An answer to `approve` is bound to "
	       "the "
	       "file as well as to the release. They run as those of `migrate` do. Neither runs on "
	       "a "
	       "rollback or a restart."};
