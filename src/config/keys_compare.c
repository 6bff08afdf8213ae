/* SPDX-License-Identifier: Apache-2.0
 * keys_compare - see keys.h for the contract. How a shadow's answers are compared. */
#include "base/text.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/value.h"

enum {
	FIELDS_MAX = 8,
	PATHS_MAX = 16
}; /* as link/shadow_pair.h and control/answer_diff.h have them */

#define PATH_SHAPE                                                                            \
	"a path in JSON such as $.items[].price, of up to 110 characters; [] stands for all " \
	"places of a list"

static const struct schema_key compare_keys[] = {
	{"noise", SCHEMA_SHARE, AT(app_compare, noise_bp), .fallback = "10%", .max = SHARE_FULL_BP,
	 .doc = "Of the copied requests that are looked into, the share that is sent to the live "
		"release once more. Where its own two answers differ, as in a time stamp, the new "
		"release may differ as often. `0%`: nothing is known of noise, and everything that "
		"differs is shown."},
	{"headers", SCHEMA_TEXTS, AT(app_compare, headers), .max = FIELDS_MAX,
	 .valid = value_is_field, .shape = "the name of a field in lower case, such as etag",
	 .example = "[content-type, location]",
	 .doc = "Fields of the answers that are compared. Not written: content-type and location. "
		"Of "
		"fields such as set-cookie only that they differ is told."},
	{"ignore", SCHEMA_TEXTS, AT(app_compare, ignore), .max = PATHS_MAX,
	 .valid = value_is_diff_path, .shape = PATH_SHAPE, .example = "[$.generated_at]",
	 .doc = "Paths in JSON answers that may differ, with all below them."},
	{"hide", SCHEMA_TEXTS, AT(app_compare, hide), .max = PATHS_MAX, .valid = value_is_diff_path,
	 .shape = PATH_SHAPE, .example = "[$.customer]",
	 .doc = "Paths in JSON answers whose values are never shown or kept, with all below them. "
		"So "
		"are members that are named like secrets (password, token, session, ...), and "
		"values of the release's own `secrets`."},
};

const struct schema_section schema_compare = {
	.title = "compare", KEYS(compare_keys), .doc = "What of two answers has to be the same."};
