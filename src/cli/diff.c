/* SPDX-License-Identifier: Apache-2.0
 * diff - davit diff ENV..ENV: what differs between what is live in two environments: release, files, and the
 *        configuration key by key. Values that may be secrets are never shown, only that they differ. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { NAME_SIZE = 128, PATH_SIZE = 512, KEY_SIZE = 512, DEPTH_MAX = 16, TEXT_MAX = 4 << 20 };

static const char HIDDEN[] = "(not shown)";

struct side {
	char name[NAME_SIZE];
	json_t *status, *config; /* the server's answers; config NULL: nothing is live */
	const json_t *live;
	char artifact[72]; /* "" where the server does not list it any more */
};

/* --- two configurations */

static bool hides(const char *key)
{
	return strcmp(key, "env") == 0 || strcmp(key, "secrets") == 0 ||
	       strcmp(key, "headers") == 0;
}

static json_t *shown(const json_t *value, bool hidden)
{
	if (!value)
		return json_null();
	if (hidden)
		return json_string(HIDDEN);
	if (json_is_string(value))
		return json_string(json_string_value(value));
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
	json_t *string = json_string(text ? text : "");
	free(text);
	return string;
}

static void compare(const char *path, const json_t *a, const json_t *b, bool hidden, unsigned depth,
		    json_t *changes);

/* The keys of both, in order: JSON_SORT_KEYS is for texts alone. */
static void compare_objects(const char *path, const json_t *a, const json_t *b, bool hidden,
			    unsigned depth, json_t *changes)
{
	json_t *both = json_object();
	const char *key;
	json_t *value;
	json_object_update(both, (json_t *)a);
	json_object_update_missing(both, (json_t *)b);
	size_t count = json_object_size(both), i = 0;
	const char **keys = mem_zero(count + 1, sizeof *keys);
	json_object_foreach(both, key, value)
	{
		size_t at = i++;
		for (; at > 0 && strcmp(keys[at - 1], key) > 0; at--)
			keys[at] = keys[at - 1];
		keys[at] = key;
	}
	for (i = 0; i < count; i++) {
		char below[KEY_SIZE];
		snprintf(below, sizeof below, "%s%s%s", path, path[0] ? "." : "", keys[i]);
		compare(below, json_object_get(a, keys[i]), json_object_get(b, keys[i]),
			hidden || hides(keys[i]), depth + 1, changes);
	}
	free(keys);
	json_decref(both);
}

static void compare(const char *path, const json_t *a, const json_t *b, bool hidden, unsigned depth,
		    json_t *changes)
{
	bool objects = json_is_object(a) && json_is_object(b);
	if (json_equal(a, b))
		return;
	if (objects && depth < DEPTH_MAX)
		compare_objects(path, a, b, hidden, depth, changes);
	else
		json_array_append_new(changes, json_pack("{s:s,s:o,s:o,s:b}", "key", path, "left",
							 shown(a, hidden), "right",
							 shown(b, hidden), "hidden", hidden));
}

/* --- what the server says of each */

static const json_t *first_environment(const json_t *status)
{
	const json_t *app = json_array_get(json_object_get(status, "applications"), 0);
	return json_array_get(json_object_get(app, "environments"), 0);
}

static int take_side(struct cli *cli, struct side *side)
{
	char path[PATH_SIZE] = "/v1/status";
	client_query(path, sizeof path, "environment", side->name);
	int code = ask_get(cli, path, &side->status);
	if (code != CLI_OK)
		return code;
	side->live = json_object_get(first_environment(side->status), "live");
	if (!json_text_of(side->live, "release")[0])
		return CLI_OK;
	client_path("/v1/environments/", side->name, "/config", path, sizeof path);
	return ask_get(cli, path, &side->config);
}

static void find_artifact(const json_t *releases, struct side *side)
{
	const json_t *row;
	size_t i;
	json_array_foreach (json_object_get(releases, "releases"), i, row)
		if (strcmp(json_text_of(row, "release"), json_text_of(side->live, "release")) == 0)
			text_copy(side->artifact, sizeof side->artifact,
				  json_text_of(row, "artifact"));
}

/* "same", "different", or "unknown". */
static const char *files_of(const struct side sides[2])
{
	if (!sides[0].artifact[0] || !sides[1].artifact[0])
		return "unknown";
	return strcmp(sides[0].artifact, sides[1].artifact) == 0 ? "same" : "different";
}

/* --- what people see */

static void put_side(const struct cli *cli, const struct side *side, int width, struct buf *to)
{
	char when[32];
	screen_put(cli, to, TONE_PLAIN, "%-*s  ", width, side->name);
	if (!side->config) {
		buf_puts(to, "nothing is live\n");
		return;
	}
	screen_put_foreign(to, json_text_of(side->live, "tag"));
	screen_put(cli, to, TONE_FAINT, "  %.12s  live since %s",
		   json_text_of(side->live, "release"),
		   screen_time(json_number_of(side->live, "since_unix_ms"), when));
	if (json_text_of(side->live, "by")[0]) {
		buf_puts(to, ", by ");
		screen_put_foreign(to, json_text_of(side->live, "by"));
	}
	buf_puts(to, "\n");
}

static void put_value(const struct cli *cli, const char *sign, enum screen_tone tone,
		      const json_t *value, const char *of, struct buf *to)
{
	screen_put(cli, to, tone, "  %s ", sign);
	if (json_is_null(value))
		buf_puts(to, "(not there)");
	else
		screen_put_foreign(to, json_string_value(value));
	screen_put(cli, to, TONE_FAINT, "  %s\n", of);
}

static void print_diff(const struct cli *cli, const struct side sides[2], const json_t *changes)
{
	size_t a = strlen(sides[0].name), b = strlen(sides[1].name), i;
	const json_t *change;
	struct buf page;
	buf_init(&page, TEXT_MAX);
	for (i = 0; i < 2; i++)
		put_side(cli, &sides[i], (int)(a > b ? a : b), &page);
	if (sides[0].config && sides[1].config) {
		buf_printf(&page, "The files are %s.\n",
			   strcmp(files_of(sides), "same") == 0        ? "the same"
			   : strcmp(files_of(sides), "different") == 0 ? "not the same"
								       : "of releases that are "
									 "not listed any more");
		if (json_array_size(changes) == 0)
			buf_puts(&page, "No key of the configuration differs.\n");
	}
	json_array_foreach (changes, i, change) {
		screen_put_foreign(&page, json_text_of(change, "key"));
		buf_puts(&page, "\n");
		put_value(cli, "-", TONE_BAD, json_object_get(change, "left"), sides[0].name,
			  &page);
		put_value(cli, "+", TONE_GOOD, json_object_get(change, "right"), sides[1].name,
			  &page);
	}
	fputs(buf_text(&page), stdout);
	buf_done(&page);
}

static json_t *side_json(const struct side *side)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:s}", "environment", side->name, "release",
			 json_text_of(side->live, "release"), "tag",
			 json_text_of(side->live, "tag"), "artifact", side->artifact,
			 "since_unix_ms", (json_int_t)json_number_of(side->live, "since_unix_ms"),
			 "by", json_text_of(side->live, "by"));
}

/* "staging..prod", or one after the other. */
static int take_names(const struct cli *cli, struct side sides[2], struct error *err)
{
	const char *first = cli_arg(cli, 0), *second = cli_arg(cli, 1), *dots = strstr(first, "..");
	size_t length = second || !dots ? strlen(first) : (size_t)(dots - first);
	if (!second && dots)
		second = dots + 2;
	if (!second || !second[0] || length == 0)
		return error_set(err, ERR_INVALID,
				 "davit diff takes two environments, for example \"davit diff "
				 "staging..prod\".");
	if (length >= NAME_SIZE || strlen(second) >= NAME_SIZE)
		return error_set(err, ERR_INVALID, "A name of an environment is not that long.");
	memcpy(sides[0].name, first, length);
	text_copy(sides[1].name, NAME_SIZE, second);
	return 0;
}

int verb_diff(struct cli *cli)
{
	struct side sides[2] = {{.name = ""}, {.name = ""}};
	json_t *releases = NULL, *changes = json_array();
	struct error err;
	int code = take_names(cli, sides, &err) < 0 ? cli_fail(cli, &err, "davit diff --help")
						    : CLI_OK;
	for (size_t i = 0; i < 2 && code == CLI_OK; i++)
		code = take_side(cli, &sides[i]);
	if (code == CLI_OK)
		code = ask_get(cli, "/v1/releases", &releases);
	for (size_t i = 0; i < 2 && code == CLI_OK; i++)
		find_artifact(releases, &sides[i]);
	if (code == CLI_OK && sides[0].config && sides[1].config)
		compare("", json_object_get(sides[0].config, "config"),
			json_object_get(sides[1].config, "config"), false, 0, changes);
	if (code == CLI_OK && cli->json)
		ask_print(json_pack("{s:s,s:o,s:o,s:s,s:O}", "schema", "davit.v1/diff", "left",
				    side_json(&sides[0]), "right", side_json(&sides[1]), "files",
				    files_of(sides), "changes", changes));
	else if (code == CLI_OK)
		print_diff(cli, sides, changes);
	for (size_t i = 0; i < 2; i++) {
		json_decref(sides[i].status);
		json_decref(sides[i].config);
	}
	json_decref(releases);
	json_decref(changes);
	return code;
}
