/* SPDX-License-Identifier: Apache-2.0
 * keys_gates - see keys.h for the contract. What stands between a release and an environment. */
#include "base/text.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/window.h"

static const char *const on_reject[] = {"keep", "rollback", NULL};

static const struct schema_key approve_keys[] = {
	{"by", SCHEMA_TEXTS, AT(app_approve, by), .max = 16, .valid = text_is_name,
	 .shape = "names of groups in the server's own file, such as [release-managers]",
	 .example = "[release-managers]",
	 .doc = "The groups whose members may answer; who is in them stands in the server's own "
		"file, where no commit reaches. Left out: whoever may command the server."},
	{"count", SCHEMA_NUMBER, AT(app_approve, count), .fallback = "1", .min = 1, .max = 10,
	 .doc = "How many persons have to say yes."},
	{"not_author", SCHEMA_BOOL, AT(app_approve, not_author), .fallback = "true",
	 .doc = "Whoever made the release, asked for it here, or wrote one of the commits that it "
		"brings, does not count."},
	{"expires", SCHEMA_DURATION, AT(app_approve, expires_ms), .fallback = "24h",
	 .min = MINUTE(1), .max = DAY(30),
	 .doc = "Without enough answers by then the release does not go out."},
	{"on_reject", SCHEMA_CHOICE, AT(app_approve, on_reject), .fallback = "keep",
	 .choices = on_reject,
	 .doc = "`rollback`: a no also takes `from` back to the release that is live here."},
};

const struct schema_section schema_approve = {
	.title = "approve",
	KEYS(approve_keys),
	.list_key = "by",
	.doc = "A release waits until enough people have seen what goes out and said yes "
	       "(`davit approve`). A yes holds for exactly these bytes, this configuration and "
	       "this plan."};

static const struct schema_key windows_keys[] = {
	{"days", SCHEMA_TEXT, AT(app_windows, days), .max = 32, .valid = window_days_valid,
	 .shape = "days such as mon-thu or mon,wed,fri", .example = "mon-thu",
	 .doc = "Left out: every day."},
	{"hours", SCHEMA_TEXT, AT(app_windows, hours), .max = 11, .valid = window_hours_valid,
	 .shape = "hours such as \"09:00-16:00\"", .example = "\"09:00-16:00\"",
	 .doc = "Left out: all day. An end before the begin is on the next day."},
	{"zone", SCHEMA_TEXT, AT(app_windows, zone), .max = 63, .valid = window_zone_valid,
	 .shape = "a time zone's name such as Europe/Berlin", .fallback = "UTC",
	 .doc = "Whose clock counts. Summer time is followed."},
};

const struct schema_section schema_windows = {
	.title = "windows",
	KEYS(windows_keys),
	.doc = "A rollout begins only in these hours. One that is under way when they end gives "
	       "the release no more requests until they begin again."};
