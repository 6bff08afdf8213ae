/* SPDX-License-Identifier: Apache-2.0
 * smoke_scan - the scans of smoke.c: the report that a command has left is read and judged beside the loop. */
#include "drivers/check/smoke_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "os/file.h"
#include "os/memfd.h"

/* A report that is being read beside the loop. The run may be gone when it is done. */
struct reading {
	struct smoke *smoke;
	uint64_t run;
	struct check check;
	char tree[sizeof((struct check_request *)0)->directory];
	char place[PLACE_SIZE];
	char address[sizeof((struct check_request *)0)->address];
	struct command *command; /* that has ended: for what it was given */
	struct check_base base;
	int known_fd; /* of its findings; -1: none */
	struct check_found found;
	int code;
	struct error err;
};

/* davit may read more than the user of the scan, who could have left another one's file there. */
static bool is_its_own(int place_fd, int fd)
{
	struct stat place, file;
	return fstat(place_fd, &place) == 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
	       (place.st_uid == geteuid() || file.st_uid == place.st_uid);
}

/* Beside the loop. */
static void read_report(void *context)
{
	struct reading *r = context;
	char path[PATH_SIZE], known[PATH_SIZE];
	AUTO_CLOSE int place_fd = openat(r->smoke->checks_fd, r->place,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int fd = place_fd < 0 ? -1
					 : openat(place_fd, r->check.sarif,
						  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !is_its_own(place_fd, fd)) {
		r->code = error_set(&r->err, ERR_NOT_FOUND, "The report of its scan is not there.");
		return;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	snprintf(known, sizeof known, "/proc/self/fd/%d", r->known_fd);
	const struct smoke_report report = {.check = &r->check,
					    .path = path,
					    .tree = r->tree,
					    .address = r->address,
					    .mask = command_mask(r->command),
					    .base = &r->base,
					    .known = r->known_fd >= 0 ? known : NULL};
	r->code = r->smoke->judge(&report, &r->found, &r->err);
}

static void reading_free(struct reading *r)
{
	if (r->known_fd >= 0)
		close(r->known_fd);
	command_free(r->command);
	buf_done(&r->base.findings);
	buf_done(&r->found.kept);
	free(r);
}

static void scan_passed(struct run *run, const struct reading *r)
{
	size_t used = strlen(run->notes);
	snprintf(run->notes + used, sizeof run->notes - used, "; %s: %s", r->check.name,
		 r->found.note);
	run->listener->found(run->context, &r->check, &r->found);
	smoke_advance(run);
}

static void scan_failed(struct run *run, const struct reading *r)
{
	char sentence[SENTENCE_MAX], shown[SHOWN_MAX];
	const char *note = r->found.note;
	text_copy(shown, sizeof shown, r->check.command);
	snprintf(sentence, sizeof sentence, "The scan \"%s\" fails: %s%s%s%s", shown, r->err.text,
		 note[0] ? " (" : "", note, note[0] ? ")" : "");
	smoke_finish(run, false, sentence);
}

static void report_read(void *context)
{
	struct reading *r = context;
	struct smoke *smoke = r->smoke;
	struct run *run = smoke_find(smoke, r->run);
	smoke_remove(smoke, r->place);
	if (run && r->code == 0)
		scan_passed(run, r);
	else if (run)
		scan_failed(run, r);
	reading_free(r);
	smoke_job_ended(smoke);
}

/* What it is compared with, as something that can be opened. */
static int find_base(struct run *run, struct reading *r)
{
	if (r->check.baseline[0])
		return 0;
	int code = run->listener->base(run->context, &r->check, &r->base, &r->err);
	if (code == 0 && r->base.there)
		code = memfd_seal("davit-known", buf_text(&r->base.findings), r->base.findings.size,
				  &r->known_fd, &r->err);
	return code;
}

/* Its directory and its command are the reading's from here on. */
void smoke_judge_scan(struct run *run)
{
	struct reading *r = mem_zero(1, sizeof *r);
	r->smoke = run->smoke;
	r->run = run->number;
	r->check = run->request.checks[run->at];
	text_copy(r->tree, sizeof r->tree, run->request.directory);
	text_copy(r->address, sizeof r->address, run->request.address);
	text_copy(r->place, sizeof r->place, run->place);
	buf_init(&r->base.findings, CHECK_FINDINGS_MAX);
	buf_init(&r->found.kept, CHECK_FINDINGS_MAX);
	r->known_fd = -1;
	r->command = run->command;
	run->command = NULL;
	if (find_base(run, r) < 0) { /* its directory goes with the run */
		scan_failed(run, r);
		reading_free(r);
		return;
	}
	run->place[0] = '\0';
	smoke_job_begins(run->smoke);
	loop_work(run->smoke->loop, read_report, report_read, r);
}
