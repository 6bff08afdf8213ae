/* SPDX-License-Identifier: Apache-2.0
 * keys_secrets - see keys.h for the contract. What a process is given from the store of secrets. */
#include "base/text.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/value.h"

static const char *const forms[] = {
#define X(name, text) text,
	APP_SECRET_FORMS(X)
#undef X
		NULL};

static const char *const versions[] = {"latest", "pinned", NULL};

static const struct schema_key secret_keys[] = {
	{"from", SCHEMA_TEXT, AT(app_secret, from), .flags = SCHEMA_REQUIRED,
	 .valid = value_is_secret, .max = 100,
	 .shape = "\"davit:\" and a secret's name, such as \"davit:prod/db\" or \"davit:mail\"",
	 .example = "\"davit:prod/db\"",
	 .doc = "Which one: `davit secrets set prod/db` writes it. A name that begins with an "
		"environment's is for that environment alone; one without is for all environments "
		"of the application."},
	{"as", SCHEMA_CHOICE, AT(app_secret, as), .fallback = "env", .choices = forms,
	 .doc = "`env`: the variable has the value. `file`: the variable has the path of a file "
		"with the value, in memory, which only the process's user can read."},
	{"version", SCHEMA_CHOICE, AT(app_secret, version), .fallback = "latest",
	 .choices = versions,
	 .doc = "`latest`: what was set last when an instance is started, also after a rollback. "
		"`pinned`: a release keeps the value that it went out with first in this "
		"environment."},
};

const struct schema_section schema_secret = {.title = "secret",
					     KEYS(secret_keys),
					     .scalar_key = "from",
					     .doc = "Its name, or a mapping."};
