/* SPDX-License-Identifier: Apache-2.0
 * register_findings - see register_findings.h for the contract. */
#include "daemon/register_findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/http.h"
#include "base/text.h"
#include "cli/build_view.h"
#include "cli/config_file.h"
#include "cli/screen.h"
#include "config/yaml.h"
#include "scan/identity.h"
#include "scan/json_input.h"
#include "scan/sarif.h"
#include "scan/scan.h"

enum { NAME_SIZE = 48, SHOWN_SIZE = 120, ROOM_FOR_THE_REST = 64 << 10, PAGE_MAX = 64 << 10 };

static const char STAGE[] = "scan";

struct scanned {
	char name[NAME_SIZE];
	uint32_t count;
	const char *files[CLI_REPEATS_MAX];
};

struct reading {
	struct cli *cli;
	const struct checkout *checkout;
	struct app *app; /* of the commit's davit.yaml; NULL: it has none */
	bool asked;      /* --block-at */
	enum severity block_at;
	uint32_t count;
	struct scanned stages[REGISTER_FINDINGS_STAGES];
};

/* --- which reports, of which stages */

/* "deps=audit.sarif"; a file with "=" in its name is written as ./a=b.sarif. */
static const char *cut(const char *option, char name[NAME_SIZE])
{
	const char *equals = strchr(option, '=');
	size_t size = equals ? (size_t)(equals - option) : 0;
	text_copy(name, NAME_SIZE, STAGE);
	if (size == 0 || size >= NAME_SIZE)
		return option;
	char said[NAME_SIZE] = "";
	memcpy(said, option, size);
	if (!text_is_name(said))
		return option;
	text_copy(name, NAME_SIZE, said);
	return equals + 1;
}

static int sort_out(struct reading *r, struct error *err)
{
	for (uint32_t i = 0; i < r->cli->repeat_count; i++) {
		char name[NAME_SIZE];
		const char *file = cut(r->cli->repeats[i], name);
		uint32_t k = 0;
		while (k < r->count && strcmp(r->stages[k].name, name) != 0)
			k++;
		if (k == REGISTER_FINDINGS_STAGES)
			return error_set(err, ERR_LIMIT, "The reports are of more than %d stages.",
					 REGISTER_FINDINGS_STAGES);
		if (k == r->count)
			text_copy(r->stages[r->count++].name, NAME_SIZE, name);
		r->stages[k].files[r->stages[k].count++] = file;
	}
	return 0;
}

static int check_asked(struct reading *r, const json_t *stages, struct error *err)
{
	const char *block_at = cli_option(r->cli, "block-at");
	const json_t *other;
	size_t at;
	r->asked = block_at;
	if (block_at && !severity_parse(block_at, &r->block_at))
		return error_set(err, ERR_INVALID,
				 "\"%s\" is no severity; write low, medium, high or critical.",
				 block_at);
	/* A finding is known again by the lines around it. */
	if (strcmp(r->checkout->commit, r->checkout->head) != 0)
		return error_set(err, ERR_INVALID,
				 "The reports are about the files here, which are those of the "
				 "commit %.12s and not of %.12s; check that one out first.",
				 r->checkout->head, r->checkout->commit);
	for (uint32_t i = 0; i < r->count; i++)
		json_array_foreach (stages, at, other)
			if (strcmp(json_text_of(other, "stage"), r->stages[i].name) == 0)
				return error_set(
					err, ERR_INVALID,
					"The stage \"%s\" is that of --junit; write --sarif "
					"with another name, such as %s=%s.",
					r->stages[i].name, STAGE, r->stages[i].files[0]);
	return 0;
}

/* --- what the commit says of them */

/* False: it has no such file, and that is fine. */
static int read_of_commit(const struct reading *r, const char *name, size_t most, struct buf *to,
			  bool *ret_there, struct error *err)
{
	buf_init(to, most);
	int code = checkout_file(r->checkout, name, to, err);
	*ret_there = code == 0;
	return code == ERR_NOT_FOUND ? 0 : code;
}

/* An exit code. */
static int read_config(struct reading *r)
{
	struct buf text;
	struct error err;
	bool there;
	int code = read_of_commit(r, "davit.yaml", CONFIG_FILE_MAX, &text, &there, &err) < 0
			   ? cli_fail(r->cli, &err, NULL)
		   : there ? config_file_load(r->cli, &text, "davit.yaml", &r->app)
			   : CLI_OK;
	buf_done(&text);
	return code;
}

static struct app_stage find_stage(const struct reading *r, const char *name)
{
	struct app_stage stage = {.sarif = NULL};
	for (uint32_t i = 0; r->app && i < r->app->stage_count; i++) {
		config_stage(r->app, i, &stage);
		if (stage.sarif && strcmp(stage.name, name) == 0)
			return stage;
	}
	return (struct app_stage){.block_at = scan_policy_default.block_at};
}

/* --- what is sent */

/* Findings with their identities need no lines of the source. */
static void put_text(struct findings *list, json_t *to, const char *key, bool listed)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct finding *f = &list->items[i];
		if (f->kind == IDENTITY_CONTEXT || f->kind == IDENTITY_FINGERPRINT)
			((char *)(uintptr_t)f->snippet)[0] = '\0';
	}
	json_t *document = sarif_write(list);
	char *text = json_dumps(document, JSON_COMPACT);
	json_t *value = json_string(text ? text : "");
	json_object_set_new(to, key, listed ? json_pack("[o]", value) : value);
	free(text);
	json_decref(document);
}

static int put_reports(const struct reading *r, const struct scanned *s, json_t *to,
		       struct error *err)
{
	struct findings list;
	findings_init(&list);
	int code = scan_read(s->files, s->count, convert_sarif, r->checkout->top, &list, err);
	if (code == 0)
		put_text(&list, to, "sarif", true);
	findings_done(&list);
	return code;
}

/* The lines of a baseline are where they were then. */
static int put_baseline(const struct reading *r, const char *name, json_t *to, struct error *err)
{
	char shown[SHOWN_SIZE];
	struct findings list;
	struct buf text;
	findings_init(&list);
	buf_init(&text, SCAN_BYTES_MAX);
	int code = checkout_file(r->checkout, name, &text, err);
	if (code == 0) {
		const struct convert_input input = {
			.name = name, .text = buf_text(&text), .size = text.size};
		code = convert_sarif(&input, &list, err);
	}
	if (code == 0) {
		findings_identify(&list, NULL);
		put_text(&list, to, "baseline", false);
		text_copy(shown, sizeof shown, name);
		json_object_set_new(to, "baseline_name", json_string(shown));
	}
	buf_done(&text);
	findings_done(&list);
	return code;
}

static int put_stage(const struct reading *r, const struct scanned *s, json_t *stages,
		     struct error *err)
{
	const struct app_stage config = find_stage(r, s->name);
	enum severity block_at = r->asked ? r->block_at : (enum severity)config.block_at;
	json_t *stage = json_pack("{s:s,s:s,s:s}", "stage", s->name, "state", "passed", "block_at",
				  severity_name(block_at));
	json_array_append_new(stages, stage);
	int code = put_reports(r, s, stage, err);
	return code == 0 && config.baseline ? put_baseline(r, config.baseline, stage, err) : code;
}

static int put_waivers(const struct reading *r, json_t **ret_waivers, struct error *err)
{
	struct buf text;
	bool there;
	int code = read_of_commit(r, "waivers.yaml", YAML_BYTES_MAX, &text, &there, err);
	if (there && !(*ret_waivers = json_string(buf_text(&text))))
		code = error_set(err, ERR_INVALID, "The commit's waivers.yaml is not UTF-8.");
	buf_done(&text);
	return code;
}

static int check_size(const json_t *stages, struct error *err)
{
	size_t size = json_dumpb(stages, NULL, 0, JSON_COMPACT);
	if (size <= HTTP_LARGE_MAX - ROOM_FOR_THE_REST)
		return 0;
	return error_set(
		err, ERR_LIMIT,
		"What the scans found takes %zu KiB, and the server takes %d at a time; scan "
		"less, or turn rules off.",
		size >> 10, (HTTP_LARGE_MAX - ROOM_FOR_THE_REST) >> 10);
}

int register_findings_add(struct cli *cli, const struct checkout *checkout, json_t *stages,
			  json_t **ret_waivers)
{
	struct error err;
	struct reading *r = mem_zero(1, sizeof *r);
	*ret_waivers = NULL;
	r->cli = cli;
	r->checkout = checkout;
	int result = sort_out(r, &err);
	if (result == 0)
		result = check_asked(r, stages, &err);
	int code = result < 0 ? cli_fail(cli, &err, "davit register --help") : read_config(r);
	for (uint32_t i = 0; code == CLI_OK && result == 0 && i < r->count; i++)
		result = put_stage(r, &r->stages[i], stages, &err);
	if (code == CLI_OK && result == 0)
		result = put_waivers(r, ret_waivers, &err);
	if (code == CLI_OK && result == 0)
		result = check_size(stages, &err);
	if (code == CLI_OK && result < 0)
		code = cli_fail(cli, &err, NULL);
	config_free(r->app);
	free(r);
	return code;
}

void register_findings_print(const struct cli *cli, const json_t *build)
{
	struct buf page;
	const json_t *stage;
	size_t i;
	buf_init(&page, PAGE_MAX);
	json_array_foreach (json_object_get(build, "stages"), i, stage)
		if (json_object_get(stage, "findings"))
			build_put_stage(cli, &page, stage, build_width(build));
	build_print(&page);
}
