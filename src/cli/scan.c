/* SPDX-License-Identifier: Apache-2.0
 * scan - davit scan check FILE...: may this go on, by what scanners found? davit scan convert FILE...: reports as
 *        SARIF. Both without a server. */
#include "scan/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "scan/sarif.h"

enum {
	TEXT_MAX = 256 << 20,
	CELL_MAX = 16 * 1024,
	COLUMN_MAX = 40,
	ROWS_MAX = 50,
	MS_PER_S = 1000,
};

static const char default_waivers[] = "waivers.yaml";
static const char next_help[] = "davit scan --help";

/* What cannot be read was no scan: wrong input, whatever the reason. */
static int fail(const struct cli *cli, struct error *err)
{
	if (err->code == ERR_NOT_FOUND || err->code == ERR_LIMIT || err->code == ERR_DENIED)
		err->code = ERR_INVALID;
	return cli_fail(cli, err, next_help);
}

/* --- the table */

/* Foreign text as a column: so wide that the longest fits, within reason. */
static void put_column(struct buf *to, struct buf *cell, unsigned width)
{
	unsigned columns = screen_columns(buf_text(cell), cell->size);
	buf_puts(to, buf_text(cell));
	buf_printf(to, "%*s  ", columns < width ? (int)(width - columns) : 0, "");
	buf_clear(cell);
}

static void rule_cell(const struct finding *f, struct buf *cell)
{
	screen_put_foreign(cell, f->tool);
	buf_puts(cell, "/");
	screen_put_foreign(cell, f->rule);
}

static void place_cell(const struct finding *f, struct buf *cell)
{
	screen_put_foreign(cell, f->path[0] ? f->path : "(no file)");
	if (f->line > 0)
		buf_printf(cell, ":%u", f->line);
}

static void put_finding(const struct cli *cli, const struct finding *f, const unsigned widths[2],
			struct buf *to)
{
	const char *severity = severity_name(f->severity);
	struct buf cell;
	buf_init(&cell, CELL_MAX);
	screen_put(cli, to, TONE_PLAIN, "%-10s ", finding_state_name(f->state));
	screen_put(cli, to, screen_tone(severity), "%s %-8s", screen_glyph(cli, severity),
		   severity);
	buf_puts(to, "  ");
	rule_cell(f, &cell);
	put_column(to, &cell, widths[0]);
	place_cell(f, &cell);
	put_column(to, &cell, widths[1]);
	/* The first line says what it is; scanners write pages below it. */
	char *line = mem_copy_text(f->message);
	line[strcspn(line, "\r\n")] = '\0';
	screen_put_foreign(to, line);
	free(line);
	buf_puts(to, "\n");
	buf_done(&cell);
}

/* The rows of the table, the worst first; returns how many there are, also of those that were not taken. */
static uint32_t take_rows(const struct findings *list, bool fixed, bool all,
			  const struct finding **rows, uint32_t count)
{
	for (unsigned s = SEVERITIES; s-- > 0;)
		for (uint32_t i = 0; i < list->count; i++) {
			const struct finding *f = &list->items[i];
			bool wanted = all ? (f->state == FINDING_FIXED) == fixed
					  : f->state == FINDING_NEW;
			if (f->severity == s && wanted)
				rows[count++] = f;
		}
	return count;
}

static void put_rows(const struct cli *cli, const struct finding *const *rows, uint32_t count,
		     struct buf *to)
{
	unsigned widths[2] = {0, 0};
	struct buf cell;
	buf_init(&cell, CELL_MAX);
	for (uint32_t i = 0; i < 2 * count; i++) {
		unsigned *width = &widths[i % 2];
		i % 2 == 0 ? rule_cell(rows[i / 2], &cell) : place_cell(rows[i / 2], &cell);
		unsigned columns = screen_columns(buf_text(&cell), cell.size);
		if (columns > *width)
			*width = columns < COLUMN_MAX ? columns : COLUMN_MAX;
		buf_clear(&cell);
	}
	buf_done(&cell);
	for (uint32_t i = 0; i < count; i++)
		put_finding(cli, rows[i], widths, to);
}

static void put_table(const struct cli *cli, const struct scan_report *report, bool all,
		      struct buf *to)
{
	const struct finding **rows =
		mem_zero(report->now.count + report->base.count + 1, sizeof(struct finding *));
	uint32_t count = take_rows(&report->now, false, all, rows, 0);
	if (all)
		count = take_rows(&report->base, true, true, rows, count);
	uint32_t shown = all || count < ROWS_MAX ? count : ROWS_MAX;
	put_rows(cli, rows, shown, to);
	if (shown < count)
		buf_printf(to, "and %u more; --all shows them.\n", count - shown);
	free(rows);
}

static void put_counts(const struct scan_report *report, struct buf *to)
{
	static const char *const words[FINDING_STATES] = {"new", "existing", "fixed",
							  "suppressed in the source", "waived"};
	for (unsigned state = 0; state < FINDING_STATES; state++)
		buf_printf(to, "%s%u %s", state > 0 ? ", " : "", report->counts.total[state],
			   words[state]);
	buf_puts(to,
		 report->has_base ? ".\n" : "; there is no baseline, so nothing is known yet.\n");
}

static void put_waivers(const struct scan_report *report, const char *file, struct buf *to)
{
	for (uint32_t i = 0; i < report->waivers.count; i++) {
		const struct waiver *w = &report->waivers.items[i];
		if (!w->expired && w->used > 0)
			continue;
		screen_put_foreign(to, file);
		buf_printf(to, ":%u: the waiver of ", w->line);
		screen_put_foreign(to, w->rule);
		if (w->expired)
			buf_printf(to,
				   " expired on %s and counts no more (%u findings); its owner is ",
				   w->until, w->used);
		else
			buf_puts(to, " covers nothing and can go; its owner is ");
		screen_put_foreign(to, w->owner);
		buf_puts(to, ".\n");
	}
}

static const struct finding *first_blocked(const struct scan_report *report)
{
	const struct finding *worst = NULL;
	for (uint32_t i = 0; i < report->now.count; i++) {
		const struct finding *f = &report->now.items[i];
		if (f->state == FINDING_NEW && f->severity >= report->policy.block_at &&
		    (!worst || f->severity > worst->severity))
			worst = f;
	}
	return worst;
}

static const char *next_of(const struct scan_report *report)
{
	return report->blocked     ? "davit scan check FILE... --all"
	       : !report->has_base ? "davit scan convert --from sarif FILE... > baseline.sarif"
				   : "davit deploy ENV";
}

static void put_verdict(const struct cli *cli, const struct scan_report *report, struct buf *to)
{
	const char *verdict = report->blocked ? "blocked" : "pass";
	const struct finding *f = report->blocked ? first_blocked(report) : NULL;
	screen_put(cli, to, screen_tone(verdict), "%s %s", screen_glyph(cli, verdict), verdict);
	buf_printf(to, ": %s\n", report->sentence);
	if (f) {
		buf_puts(to, "Mend it, or have it waived in waivers.yaml:\n  - { rule: \"");
		screen_put_foreign(to, f->rule);
		buf_puts(to, "\", path: \"");
		screen_put_foreign(to, f->path);
		buf_puts(to, "\", reason: WHY, owner: WHO, until: YYYY-MM-DD }\n");
	}
	buf_printf(to, "Next: %s\n", next_of(report));
}

static void print_report(const struct cli *cli, const struct scan_report *report,
			 const char *waivers)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	put_table(cli, report, cli_option(cli, "all") != NULL, &text);
	put_counts(report, &text);
	put_waivers(report, waivers, &text);
	put_verdict(cli, report, &text);
	fputs(buf_text(&text), stdout);
	buf_done(&text);
}

/* --- check */

static int take_policy(const struct cli *cli, struct scan_policy *policy, struct error *err)
{
	const char *block_at = cli_option(cli, "block-at"), *caps = cli_option(cli, "at-most");
	*policy = scan_policy_default;
	if (block_at && strcmp(block_at, "none") == 0)
		policy->blocks = false;
	else if (block_at && !severity_parse(block_at, &policy->block_at))
		return error_set(
			err, ERR_INVALID,
			"--block-at takes low, medium, high, critical or none, not \"%s\".",
			block_at);
	return caps ? scan_caps_parse(caps, policy, err) : 0;
}

static const char *source_of(const struct cli *cli)
{
	const char *source = cli_option(cli, "source");
	return source ? source : ".";
}

static int check(struct cli *cli)
{
	struct scan_report *report;
	struct error err;
	const char *waivers = cli_option(cli, "waivers");
	if (!waivers && access(default_waivers, F_OK) == 0)
		waivers = default_waivers;
	struct scan_request request = {.files = cli->args + 1,
				       .file_count = cli->arg_count - 1,
				       .against = cli_option(cli, "against"),
				       .waivers = waivers,
				       .source = source_of(cli),
				       .now_unix_ms = (uint64_t)time(NULL) * MS_PER_S};
	if (take_policy(cli, &request.policy, &err) < 0 || scan_check(&request, &report, &err) < 0)
		return fail(cli, &err);
	int code = report->blocked ? CLI_BLOCKED : CLI_OK;
	if (cli->json) {
		json_t *o = scan_report_json(report);
		json_object_set_new(o, "exit_code", json_integer(code));
		json_object_set_new(o, "next", json_string(next_of(report)));
		ask_print(o);
	} else {
		print_report(cli, report, waivers ? waivers : default_waivers);
	}
	scan_report_free(report);
	return code;
}

/* --- convert */

static int convert(struct cli *cli)
{
	struct findings list;
	convert_read *read;
	struct error err;
	const char *from = cli_option(cli, "from");
	if (!from) {
		error_set(&err, ERR_INVALID,
			  "davit scan convert needs --from, the tool that made the report.");
		return fail(cli, &err);
	}
	if (convert_format_find(from, &read, &err) < 0)
		return fail(cli, &err);
	findings_init(&list);
	int status =
		scan_read(cli->args + 1, cli->arg_count - 1, read, source_of(cli), &list, &err);
	if (status == 0) {
		json_t *document = sarif_write(&list);
		json_dumpf(document, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(document);
	}
	findings_done(&list);
	return status < 0 ? fail(cli, &err) : CLI_OK;
}

int verb_scan(struct cli *cli)
{
	const char *what = cli_arg(cli, 0);
	struct error err;
	if (strcmp(what, "check") == 0)
		return check(cli);
	if (strcmp(what, "convert") == 0)
		return convert(cli);
	error_set(&err, ERR_INVALID, "davit scan knows check and convert, not \"%s\".", what);
	return cli_fail(cli, &err, next_help);
}
