/* SPDX-License-Identifier: Apache-2.0
 * external_scan - see external_scan.h for the contract. */
#include "daemon/external_scan.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "daemon/build_scan.h"
#include "scan/identity.h"
#include "scan/known.h"
#include "scan/scan.h"

enum { NAME_SIZE = 128 };

static int read_sarif(const char *name, const char *text, struct findings *to, struct error *err)
{
	const struct convert_input input = {.name = name, .text = text, .size = strlen(text)};
	return convert_sarif(&input, to, err);
}

static int read_reports(const struct scan_job *job, struct findings *to, struct error *err)
{
	char name[NAME_SIZE];
	int code = 0;
	for (uint32_t i = 0; i < job->report_count && code == 0; i++) {
		snprintf(name, sizeof name, "report %u of %s", i + 1, job->stage);
		code = read_sarif(name, job->reports[i], to, err);
	}
	if (code == 0)
		findings_identify(to, NULL);
	return code;
}

static int read_known(const struct scan_job *job, struct findings *to, struct error *err)
{
	if (known_read("known", buf_text(job->known), job->known->size, to, err) == 0)
		return 0;
	return error_set(err, ERR_CORRUPT,
			 "What this stage found in %s is no longer in the server's store as it was "
			 "kept; name a \"baseline\" in the stage, or bring another release to "
			 "production.",
			 job->since);
}

static int read_base(const struct scan_job *job, struct scan_report *report, struct error *err)
{
	int code = 0;
	report->has_base = job->baseline || job->known;
	if (job->baseline) {
		code = read_sarif("the baseline", job->baseline, &report->base, err);
		findings_identify(&report->base, NULL);
	} else if (job->known) {
		code = read_known(job, &report->base, err);
	}
	return code;
}

static void fill(const struct scan_report *report, struct scan_verdict *v)
{
	const uint32_t *total = report->counts.total;
	struct error why;
	v->fresh = total[FINDING_NEW];
	v->known = total[FINDING_EXISTING];
	v->fixed = total[FINDING_FIXED];
	v->waived = total[FINDING_WAIVED];
	v->suppressed = total[FINDING_SUPPRESSED];
	v->blocked = report->blocked && build_scan_refuse(report, &why) < 0;
	if (v->blocked)
		text_copy(v->why, sizeof v->why, why.text);
}

int external_scan_judge(const struct scan_job *job, struct scan_verdict *v, struct error *err)
{
	struct scan_report *report = mem_zero(1, sizeof *report);
	*v = (struct scan_verdict){.blocked = false};
	buf_init(&v->kept, KNOWN_BYTES_MAX);
	report->policy = scan_policy_default;
	report->policy.block_at = (enum severity)job->block_at;
	int code = read_reports(job, &report->now, err);
	if (code == 0)
		code = read_base(job, report, err);
	if (code == 0 && job->waivers)
		code = waivers_read("waivers.yaml", job->waivers, strlen(job->waivers),
				    &report->waivers, err);
	if (code == 0) {
		scan_conclude(report, job->now_unix_ms);
		fill(report, v);
		if (!v->blocked)
			code = known_write(&report->now, &v->kept, err);
	}
	scan_report_free(report);
	return code < 0 ? error_prefix(err, "The scan \"%s\" cannot be judged", job->stage) : 0;
}
