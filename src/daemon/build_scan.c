/* SPDX-License-Identifier: Apache-2.0
 * build_scan - see build_scan.h for the contract. */
#include "daemon/build_scan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "os/file.h"
#include "scan/json_input.h"
#include "scan/scan.h"

enum { PATH_SIZE = 4096, SHOWN_SIZE = 120, MS_PER_S = 1000 };

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

static int refuse(const struct scan_report *report, struct error *err)
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

static void count(const struct scan_report *report, struct builder_result *result)
{
	const uint32_t *total = report->counts.total;
	result->scanned = true;
	result->findings = (struct builder_findings){.fresh = total[FINDING_NEW],
						     .known = total[FINDING_EXISTING],
						     .waived = total[FINDING_WAIVED],
						     .suppressed = total[FINDING_SUPPRESSED]};
}

int build_scan_judge(const struct builder_job *job, const char *report_path, const char *source,
		     struct builder_result *result, struct error *err)
{
	char baseline[PATH_SIZE], waivers[PATH_SIZE];
	struct scan_report *report = NULL;
	struct scan_request request = {.files = &report_path,
				       .file_count = 1,
				       .source = source,
				       .policy = scan_policy_default,
				       .now_unix_ms = (uint64_t)time(NULL) * MS_PER_S};
	AUTO_CLOSE int fd = -1;
	request.policy.block_at = (enum severity)job->block_at;
	int code = file_open_directory(AT_FDCWD, source, &fd, err);
	if (code == 0 && job->baseline) {
		snprintf(baseline, sizeof baseline, "%s/%s", source, job->baseline);
		request.against = baseline;
		code = check_inside(fd, job->baseline, SCAN_BYTES_MAX, err);
		if (code < 0)
			error_prefix(err, "The baseline \"%s\" cannot be read", job->baseline);
	}
	snprintf(waivers, sizeof waivers, "%s/%s", source, waivers_file);
	if (code == 0 && faccessat(fd, waivers_file, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		request.waivers = waivers;
		code = check_inside(fd, waivers_file, SCAN_BYTES_MAX, err);
	}
	if (code == 0)
		code = scan_check(&request, &report, err);
	if (code < 0)
		return error_prefix(err, "The scan \"%s\" cannot be judged", job->sarif);
	count(report, result);
	if (report->blocked)
		code = refuse(report, err);
	scan_report_free(report);
	return code;
}

int build_scan_judge_check(const struct check *check, const char *report, const char *tree,
			   struct error *err)
{
	const struct builder_job job = {.sarif = check->sarif,
					.baseline = check->baseline[0] ? check->baseline : NULL,
					.block_at = check->block_at};
	struct builder_result result;
	return build_scan_judge(&job, report, tree, &result, err);
}
