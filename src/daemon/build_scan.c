/* SPDX-License-Identifier: Apache-2.0
 * build_scan - see build_scan.h for the contract. */
#include "daemon/build_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "os/file.h"
#include "scan/address.h"
#include "scan/json_input.h"
#include "scan/known.h"
#include "scan/scan.h"
#include "wire/mask.h"

enum { PATH_SIZE = 4096, SHOWN_SIZE = 120, MS_PER_S = 1000, NAMED_MAX = 10 };

static const char waivers_file[] = "waivers.yaml";

/* A file of the commit that is read by its name: no link may lead out of the tree. */
static int check_inside(int source_fd, const char *name, size_t most, struct error *err)
{
	struct buf text;
	buf_init(&text, most);
	int code = file_read_beneath(source_fd, name, &text, err);
	buf_done(&text);
	return code;
}

/* `from` as a part of a sentence. */
static void shorten(const char *from, char to[SHOWN_SIZE])
{
	char safe[4 * FINDING_NAME_SIZE];
	text_escape(from, strnlen(from, FINDING_NAME_SIZE), safe, sizeof safe);
	text_copy(to, SHOWN_SIZE, safe);
}

static const struct finding *find_worst(const struct scan_report *report)
{
	const struct finding *worst = NULL;
	for (uint32_t i = 0; i < report->now.count; i++) {
		const struct finding *f = &report->now.items[i];
		if (f->state == FINDING_NEW && (!worst || f->severity > worst->severity))
			worst = f;
	}
	return worst;
}

int build_scan_refuse(const struct scan_report *report, struct error *err)
{
	char tool[SHOWN_SIZE], rule[SHOWN_SIZE], path[SHOWN_SIZE], line[16] = "";
	const struct finding *worst = find_worst(report);
	if (!worst)
		return error_set(err, ERR_DENIED, "%s", report->sentence);
	shorten(worst->tool, tool);
	shorten(worst->rule, rule);
	shorten(worst->path[0] ? worst->path : "(no file)", path);
	if (worst->line > 0)
		snprintf(line, sizeof line, ":%u", worst->line);
	return error_set(err, ERR_DENIED, "%s The worst: %s/%s at %s%s (%s).", report->sentence,
			 tool, rule, path, line, severity_name(worst->severity));
}

/* --- what is said of it */

static void count(const struct scan_report *report, struct builder_result *result)
{
	const uint32_t *total = report->counts.total;
	struct builder_findings *f = &result->findings;
	result->scanned = true;
	f->fresh = total[FINDING_NEW];
	f->known = total[FINDING_EXISTING];
	f->fixed = total[FINDING_FIXED];
	f->waived = total[FINDING_WAIVED];
	f->suppressed = total[FINDING_SUPPRESSED];
}

static void put_finding(struct buf *to, const struct finding *f)
{
	char tool[SHOWN_SIZE], rule[SHOWN_SIZE], path[SHOWN_SIZE];
	shorten(f->tool, tool);
	shorten(f->rule, rule);
	shorten(f->path[0] ? f->path : "(no file)", path);
	buf_printf(to, "davit: %s, %s: %s/%s at %s", finding_state_name(f->state),
		   severity_name(f->severity), tool, rule, path);
	if (f->line > 0)
		buf_printf(to, ":%u", f->line);
	buf_puts(to, "\n");
}

/* The worst first. */
static void put_findings(struct buf *to, const struct findings *list, enum finding_state state)
{
	uint32_t count = 0;
	for (unsigned severity = SEVERITIES; severity-- > 0;)
		for (uint32_t i = 0; i < list->count; i++) {
			const struct finding *f = &list->items[i];
			if (f->state == state && f->severity == severity && count++ < NAMED_MAX)
				put_finding(to, f);
		}
	if (count > NAMED_MAX)
		buf_printf(to, "davit: %s: and %u more\n", finding_state_name(state),
			   count - NAMED_MAX);
}

static void put_note(const struct builder_job *job, const struct builder_scan *scan,
		     const struct scan_report *report, struct builder_findings *f)
{
	char base[SHOWN_SIZE] = "";
	struct buf note;
	buf_init(&note, sizeof f->note - 1);
	if (job->baseline)
		shorten(job->baseline, base);
	else if (scan->known)
		text_copy(base, sizeof base, scan->since);
	text_copy(f->since, sizeof f->since, base);
	if (base[0])
		buf_printf(&note, "davit: compared with %s: ", base);
	else if (scan->since)
		buf_printf(&note,
			   "davit: compared with nothing, for nothing is kept of what this stage "
			   "found in %s, so that every finding is new: ",
			   scan->since);
	else
		buf_printf(&note,
			   "davit: compared with nothing, for %s, so that every finding is new: ",
			   scan->unknown);
	buf_printf(&note, "%u new, %u existing, %u fixed, %u waived, %u suppressed\n", f->fresh,
		   f->known, f->fixed, f->waived, f->suppressed);
	put_findings(&note, &report->now, FINDING_NEW);
	put_findings(&note, &report->base, FINDING_FIXED);
	text_copy(f->note, sizeof f->note, buf_text(&note));
	buf_done(&note);
}

/* --- judged */

static int write_kept(const struct findings *list, const char *path, struct error *err)
{
	struct buf text;
	buf_init(&text, KNOWN_BYTES_MAX);
	int code = known_write(list, &text, err);
	if (code == 0)
		code = file_write(AT_FDCWD, path, buf_text(&text), text.size, 0600, err);
	buf_done(&text);
	return code;
}

/* What is compared with: a file of the commit that it names, else what the release in production had. */
static int find_base(const struct builder_job *job, const struct builder_scan *scan, int source_fd,
		     char baseline[PATH_SIZE], struct scan_request *request, struct error *err)
{
	if (!job->baseline) {
		request->known = scan->known;
		return 0;
	}
	snprintf(baseline, PATH_SIZE, "%s/%s", scan->source, job->baseline);
	request->against = baseline;
	int code = check_inside(source_fd, job->baseline, SCAN_BYTES_MAX, err);
	return code < 0 ? error_prefix(err, "The baseline \"%s\" cannot be read", job->baseline)
			: 0;
}

/* `report`, where it returns 0, is the caller's. `who` was scanned: "stage", "check". */
static int check(const struct builder_job *job, const struct builder_scan *scan, const char *who,
		 const struct scan_hide *hide, struct scan_report **ret_report, struct error *err)
{
	char baseline[PATH_SIZE], waivers[PATH_SIZE];
	struct scan_request request = {.files = &scan->report,
				       .file_count = 1,
				       .source = scan->source,
				       .hide = hide,
				       .policy = scan_policy_default,
				       .now_unix_ms = (uint64_t)time(NULL) * MS_PER_S};
	AUTO_CLOSE int fd = -1;
	request.policy.block_at = (enum severity)job->block_at;
	int code = file_open_directory(AT_FDCWD, scan->source, &fd, err);
	if (code == 0)
		code = find_base(job, scan, fd, baseline, &request, err);
	snprintf(waivers, sizeof waivers, "%s/%s", scan->source, waivers_file);
	if (code == 0 && faccessat(fd, waivers_file, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		request.waivers = waivers;
		code = check_inside(fd, waivers_file, SCAN_BYTES_MAX, err);
	}
	if (code == 0)
		code = scan_check(&request, ret_report, err);
	if (code < 0 && request.known && strcmp(err->where, request.known) == 0)
		return error_set(err, ERR_CORRUPT,
				 "What this %s found in %s is no longer in the server's store "
				 "as it was kept; name a \"baseline\" in the %s, or "
				 "bring another release to production.",
				 who, scan->since, who);
	return code < 0 ? error_prefix(err, "The scan \"%s\" cannot be judged", job->sarif) : 0;
}

int build_scan_judge(const struct builder_job *job, const struct builder_scan *scan,
		     struct builder_result *result, struct error *err)
{
	struct scan_report *report = NULL;
	int code = check(job, scan, "stage", NULL, &report, err);
	if (code < 0)
		return code;
	count(report, result);
	put_note(job, scan, report, &result->findings);
	if (report->blocked)
		code = build_scan_refuse(report, err);
	else if (scan->keep)
		code = write_kept(&report->now, scan->keep, err);
	scan_report_free(report);
	return code;
}

/* --- of what runs */

static void hide_text(void *context, char *text)
{
	const struct smoke_report *about = context;
	address_hide(text, about->address);
	if (about->mask)
		mask_text(about->mask, text);
}

/* The reader of JSON quotes where it stopped, which may be the first part of a secret. */
static void hide_error(const struct mask *mask, struct error *err)
{
	char *quoted = strstr(err->text, " near '");
	if (quoted)
		text_copy(quoted, 2, ".");
	mask_text(mask, err->text);
}

static void count_found(const struct smoke_report *about, const struct scan_report *report,
			struct check_found *f)
{
	const uint32_t *total = report->counts.total;
	const struct check_base *base = about->base;
	f->fresh = total[FINDING_NEW];
	f->known = total[FINDING_EXISTING];
	f->fixed = total[FINDING_FIXED];
	f->waived = total[FINDING_WAIVED];
	f->suppressed = total[FINDING_SUPPRESSED];
	text_copy(f->since, sizeof f->since,
		  about->check->baseline[0] ? about->check->baseline
		  : about->known            ? base->since
					    : "");
	int used = snprintf(f->note, sizeof f->note, "%u new, %u existing, %u fixed, %u waived",
			    f->fresh, f->known, f->fixed, f->waived);
	char *rest = f->note + used;
	size_t size = sizeof f->note - (size_t)used;
	if (f->since[0])
		snprintf(rest, size, " since %s", f->since);
	else if (base->since[0])
		snprintf(rest, size,
			 ", compared with nothing, for nothing is kept of what this check found in "
			 "%s",
			 base->since);
	else
		snprintf(rest, size, ", compared with nothing, for %s", base->unknown);
}

int build_scan_judge_check(const struct smoke_report *about, struct check_found *ret_found,
			   struct error *err)
{
	const struct check *of = about->check;
	const struct builder_job job = {.sarif = of->sarif,
					.baseline = of->baseline[0] ? of->baseline : NULL,
					.block_at = of->block_at};
	const struct builder_scan scan = {.report = about->path,
					  .source = about->tree,
					  .known = about->known,
					  .since = about->base->since};
	const struct scan_hide hide = {hide_text, (void *)about};
	struct scan_report *report = NULL;
	int code = check(&job, &scan, "check", &hide, &report, err);
	if (code == 0) {
		count_found(about, report, ret_found);
		code = report->blocked ? build_scan_refuse(report, err)
				       : known_write(&report->now, &ret_found->kept, err);
		scan_report_free(report);
	}
	if (code < 0 && about->mask)
		hide_error(about->mask, err);
	return code;
}
