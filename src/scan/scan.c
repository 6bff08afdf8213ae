/* SPDX-License-Identifier: Apache-2.0
 * scan - see scan.h for the contract. */
#include "scan/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/yaml.h"
#include "os/file.h"
#include "scan/identity.h"
#include "scan/json_input.h"
#include "scan/known.h"

static int read_one(const char *file, convert_read *read, const char *root,
		    const struct scan_hide *hide, struct findings *list, struct error *err)
{
	struct buf text;
	bool piped = strcmp(file, "-") == 0;
	buf_init(&text, SCAN_BYTES_MAX);
	int status = file_read(AT_FDCWD, piped ? "/dev/stdin" : file, &text, err);
	if (status < 0) {
		error_prefix(err, "The report of the scan is not there");
	} else {
		const struct convert_input input = {.name = piped ? "standard input" : file,
						    .root = root,
						    .hide = hide,
						    .text = buf_text(&text),
						    .size = text.size};
		status = read(&input, list, err);
	}
	buf_done(&text);
	return status;
}

/* The list owns its texts. */
static void hide_all(const struct scan_hide *hide, struct findings *list)
{
	for (uint32_t i = 0; i < list->tool_count; i++) {
		hide->text(hide->context, list->tools[i].name);
		hide->text(hide->context, list->tools[i].version);
	}
	for (uint32_t i = 0; i < list->count; i++) {
		const struct finding *f = &list->items[i];
		const char *const texts[] = {f->rule, f->path,        f->message,
					     f->url,  f->fingerprint, f->snippet};
		for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
			hide->text(hide->context, (char *)texts[k]);
	}
}

static int read_all(const char *const *files, uint32_t count, convert_read *read,
		    const char *source, const struct scan_hide *hide, struct findings *list,
		    struct error *err)
{
	struct source *tree = NULL;
	int status = 0;
	if (count > SCAN_FILES_MAX)
		return error_set(err, ERR_LIMIT, "That is more than %d reports.", SCAN_FILES_MAX);
	if (source)
		status = source_open(source, &tree, err);
	for (uint32_t i = 0; i < count && status == 0; i++)
		status = read_one(files[i], read, tree ? source_root(tree) : NULL, hide, list, err);
	if (status == 0 && hide)
		hide_all(hide, list);
	if (status == 0)
		findings_identify(list, tree);
	source_free(tree);
	return status;
}

int scan_read(const char *const *files, uint32_t count, convert_read *read, const char *source,
	      struct findings *list, struct error *err)
{
	return read_all(files, count, read, source, NULL, list, err);
}

static int take_known(const char *file, struct findings *to, struct error *err)
{
	struct buf text;
	buf_init(&text, KNOWN_BYTES_MAX);
	int status = file_read(AT_FDCWD, file, &text, err);
	if (status == 0)
		status = known_read(file, buf_text(&text), text.size, to, err);
	buf_done(&text);
	return status;
}

static int take_waivers(const char *file, struct waivers *to, struct error *err)
{
	struct buf text;
	buf_init(&text, YAML_BYTES_MAX);
	int status = file_read(AT_FDCWD, file, &text, err);
	if (status == 0)
		status = waivers_read(file, buf_text(&text), text.size, to, err);
	buf_done(&text);
	return status;
}

void scan_conclude(struct scan_report *report, uint64_t now_unix_ms)
{
	findings_compare(&report->now, report->has_base ? &report->base : NULL);
	waivers_apply(&report->waivers, now_unix_ms, &report->now);
	findings_count(&report->now, &report->base, &report->counts);
	report->blocked = scan_judge(&report->counts, &report->policy, report->sentence);
}

int scan_check(const struct scan_request *request, struct scan_report **ret_report,
	       struct error *err)
{
	struct scan_report *report = mem_zero(1, sizeof *report);
	report->policy = request->policy;
	report->has_base = request->against || request->known;
	int status = read_all(request->files, request->file_count, convert_sarif, request->source,
			      request->hide, &report->now, err);
	/* The tree is the one of now; the baseline's lines are where they were then. */
	if (status == 0 && request->against)
		status = scan_read(&request->against, 1, convert_sarif, NULL, &report->base, err);
	else if (status == 0 && request->known)
		status = take_known(request->known, &report->base, err);
	if (status == 0 && request->waivers)
		status = take_waivers(request->waivers, &report->waivers, err);
	if (status < 0) {
		scan_report_free(report);
		return status;
	}
	scan_conclude(report, request->now_unix_ms);
	*ret_report = report;
	return 0;
}

void scan_report_free(struct scan_report *report)
{
	if (!report)
		return;
	findings_done(&report->now);
	findings_done(&report->base);
	waivers_done(&report->waivers);
	free(report);
}
