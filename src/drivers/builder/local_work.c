/* SPDX-License-Identifier: Apache-2.0
 * local_work - see local_state.h for the contract. Everything here blocks, and works on trees that strangers wrote:
 * by os/graft.h alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "drivers/builder/cache.h"
#include "drivers/builder/local_state.h"
#include "os/archive.h"
#include "os/file.h"
#include "os/graft.h"
#include "wire/junit.h"

enum { FILES_MAX = 1000000, INSIDE_MAX = 256 << 20, NAME_SIZE = 64 };

static struct graft graft_for(uid_t user, bool links_inside)
{
	return (struct graft){.uid = user,
			      .gid = (gid_t)user,
			      .links_inside = links_inside,
			      .bytes_max = links_inside ? ARCHIVE_BYTES_MAX : LOCAL_WORK_BYTES,
			      .entries_max = links_inside ? ARCHIVE_ENTRIES_MAX : FILES_MAX};
}

/* --- of a run */

/* The program that begins in a sandbox is davit itself, where every user may read it. */
static int copy_davit(int run_fd, struct error *err)
{
	struct buf program;
	buf_init(&program, INSIDE_MAX);
	int code = file_read(AT_FDCWD, "/proc/self/exe", &program, err);
	if (code == 0)
		code = file_write(run_fd, "inside", program.data, program.size, 0755, err);
	buf_done(&program);
	return code;
}

int local_make(struct local *local, struct error *err)
{
	char scratch[SANDBOX_PATH_SIZE], source[SANDBOX_PATH_SIZE];
	snprintf(scratch, sizeof scratch, "%s/git", local->run);
	snprintf(source, sizeof source, "%s/source", local->run);
	int code = copy_davit(local->run_fd, err);
	if (code == 0)
		code = file_make_directories(local->run_fd, "stages", 0755, err);
	if (code == 0)
		code = file_make_directories(local->run_fd, "outputs", 0755, err);
	if (code == 0)
		code = checkout_copy(local->settings.checkout, scratch, source, err);
	if (code == 0)
		code = file_open_directory(local->run_fd, "source", &local->source_fd, err);
	return code;
}

/* --- before a stage */

static int make_own(int parent_fd, const char *name, uid_t user, int *ret_fd, struct error *err)
{
	if (mkdirat(parent_fd, name, 0755) != 0)
		return error_errno(err, errno, "The directory \"%s\" cannot be made", name);
	int code = file_open_directory(parent_fd, name, ret_fd, err);
	if (code == 0 && fchown(*ret_fd, user, (gid_t)user) != 0)
		code = error_errno(err, errno, "The directory \"%s\" cannot be given away", name);
	return code;
}

/* Programs ask who they are: the stage's user is called build. */
static int write_etc(int stage_fd, uid_t user, struct error *err)
{
	static const char group[] = "root:x:0:\nbuild:x:%u:\nnogroup:x:65534:\n";
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
				     "build:x:%u:%u:build:/home/build:/bin/sh\n"
				     "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
	static const char hosts[] = "127.0.0.1 localhost davit-build\n::1 localhost\n";
	unsigned id = user == (uid_t)-1 ? SANDBOX_USER_INSIDE : user;
	char text[sizeof passwd + 32];
	int code = file_make_directories(stage_fd, "etc", 0755, err);
	int length = snprintf(text, sizeof text, passwd, id, id);
	if (code == 0)
		code = file_write(stage_fd, "etc/passwd", text, (size_t)length, 0644, err);
	length = snprintf(text, sizeof text, group, id);
	if (code == 0)
		code = file_write(stage_fd, "etc/group", text, (size_t)length, 0644, err);
	if (code == 0)
		code = file_write(stage_fd, "etc/hosts", hosts, sizeof hosts - 1, 0644, err);
	return code;
}

static int make_stage(struct attempt *a, int *ret_work_fd, struct error *err)
{
	char name[NAME_SIZE];
	AUTO_CLOSE int tmp_fd = -1;
	AUTO_CLOSE int home_fd = -1;
	snprintf(name, sizeof name, "stages/%s", a->job->stage);
	int code = graft_remove(a->local->run_fd, name, err);
	if (code == 0)
		code = file_make_directories(a->local->run_fd, name, 0755, err);
	if (code == 0)
		code = file_open_directory(a->local->run_fd, name, &a->stage_fd, err);
	if (code == 0)
		code = write_etc(a->stage_fd, a->user, err);
	if (code == 0)
		code = make_own(a->stage_fd, "work", a->user, ret_work_fd, err);
	if (code == 0)
		code = make_own(a->stage_fd, "tmp", a->user, &tmp_fd, err);
	if (code == 0)
		code = make_own(a->stage_fd, "home", a->user, &home_fd, err);
	return code;
}

static int take_outputs(struct attempt *a, int work_fd, struct graft *graft, struct error *err)
{
	for (uint32_t i = 0; i < a->job->needs.count; i++) {
		char name[NAME_SIZE];
		snprintf(name, sizeof name, "outputs/%s", a->job->needs.items[i]);
		AUTO_CLOSE int fd =
			openat(a->local->run_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue; /* it has none, or was left out */
		int code = graft_copy(graft, fd, work_fd, ".", err);
		if (code < 0)
			return code;
	}
	return 0;
}

/* From the cache of its ref, else from the one that this may learn from; only its own is ever written. */
static int take_cache(struct attempt *a, int work_fd, struct graft *graft, struct error *err)
{
	const struct builder_local_settings *s = &a->local->settings;
	char other[DIGEST_HEX_SIZE];
	int code = cache_key(a->job, s->cache_ref ? s->cache_ref : "", a->local->source_fd, a->key,
			     err);
	if (code == 0)
		code = cache_restore(a->local->cache_fd, a->key, a->job, work_fd, graft,
				     &a->result.cached, err);
	if (code < 0 || a->result.cached || !s->cache_fallback)
		return code;
	code = cache_key(a->job, s->cache_fallback, a->local->source_fd, other, err);
	return code < 0 ? code
			: cache_restore(a->local->cache_fd, other, a->job, work_fd, graft,
					&a->result.cached, err);
}

static int prepare(struct attempt *a, struct error *err)
{
	struct graft graft = graft_for(a->user, false);
	AUTO_CLOSE int work_fd = -1;
	int code = make_stage(a, &work_fd, err);
	if (code == 0)
		code = graft_copy(&graft, a->local->source_fd, work_fd, ".", err);
	if (code == 0 && a->job->cache_paths.count > 0)
		code = take_cache(a, work_fd, &graft, err);
	return code < 0 ? code : take_outputs(a, work_fd, &graft, err);
}

void local_prepare(void *attempt)
{
	struct attempt *a = attempt;
	a->code = prepare(a, &a->err);
}

/* --- after it */

static int keep_outputs(struct attempt *a, int work_fd, struct error *err)
{
	struct graft graft = graft_for((uid_t)-1, true);
	char name[NAME_SIZE];
	AUTO_CLOSE int fd = -1;
	snprintf(name, sizeof name, "outputs/%s", a->job->stage);
	int code = graft_remove(a->local->run_fd, name, err);
	if (code == 0)
		code = file_make_directories(a->local->run_fd, name, 0755, err);
	if (code == 0)
		code = file_open_directory(a->local->run_fd, name, &fd, err);
	for (uint32_t i = 0; code == 0 && i < a->job->outputs.count; i++)
		code = graft_copy(&graft, work_fd, fd, a->job->outputs.items[i], err);
	return code < 0 ? error_prefix(err, "Its outputs cannot be kept") : 0;
}

static int write_part(void *context, const void *bytes, size_t size, struct error *err)
{
	const int *fd = context;
	const char *at = bytes;
	while (size > 0) {
		ssize_t n = write(*fd, at, size);
		if (n < 0)
			return error_errno(err, errno, "The archive cannot be written");
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

static int pack(struct attempt *a, int release_fd, struct error *err)
{
	AUTO_CLOSE int fd = openat(a->local->build_fd, "release.new",
				   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return error_errno(err, errno, "The archive cannot be written");
	int code = archive_pack(release_fd, write_part, &fd, err);
	if (code == 0 &&
	    renameat(a->local->build_fd, "release.new", a->local->build_fd, "release.tar") != 0)
		code = error_errno(err, errno, "The archive cannot be written");
	return code;
}

static int make_archive(struct attempt *a, int work_fd, struct error *err)
{
	struct graft graft = graft_for((uid_t)-1, true);
	AUTO_CLOSE int fd = -1;
	int code = graft_remove(a->local->run_fd, "release", err);
	if (code == 0)
		code = file_make_directories(a->local->run_fd, "release", 0755, err);
	if (code == 0)
		code = file_open_directory(a->local->run_fd, "release", &fd, err);
	for (uint32_t i = 0; code == 0 && i < a->job->archive.count; i++)
		code = graft_copy(&graft, work_fd, fd, a->job->archive.items[i], err);
	/* That of the commit, whatever the stages did to theirs. */
	if (code == 0)
		code = graft_copy(&graft, a->local->source_fd, fd, "davit.yaml", err);
	if (code == 0)
		code = pack(a, fd, err);
	a->result.archived = code == 0;
	return code < 0 ? error_prefix(err, "The archive cannot be made") : 0;
}

static int read_tests(struct attempt *a, int work_fd, struct error *err)
{
	struct junit *junit = mem_zero(1, sizeof *junit);
	struct builder_tests *tests = &a->result.tests;
	const char *why = NULL;
	struct buf text;
	int fd = -1;
	_Static_assert((int)JUNIT_FAILED_MAX == (int)BUILDER_TEST_NAMES_MAX &&
			       (int)JUNIT_NAME_SIZE == (int)BUILDER_TEST_NAME_SIZE,
		       "the names fit");
	buf_init(&text, JUNIT_BYTES_MAX);
	int code = graft_open(work_fd, a->job->junit, &fd, err);
	if (code == 0) {
		char path[40];
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		code = file_read(AT_FDCWD, path, &text, err);
		close(fd);
	}
	if (code == 0 && !junit_read(buf_text(&text), text.size, junit, &why))
		code = error_set(err, ERR_INVALID, "The file %s.", why);
	if (code == 0) {
		a->result.tested = true;
		tests->tests = junit->tests;
		tests->failed = junit->failed;
		tests->skipped = junit->skipped;
		tests->name_count = junit->name_count;
		memcpy(tests->names, junit->names, sizeof tests->names);
	}
	buf_done(&text);
	free(junit);
	return code < 0 ? error_prefix(err, "Its results in \"%s\" cannot be read", a->job->junit)
			: 0;
}

static int judge_scan(struct attempt *a, int work_fd, struct error *err)
{
	const struct builder_local_settings *s = &a->local->settings;
	char report[40], source[SANDBOX_PATH_SIZE], keep[SANDBOX_PATH_SIZE],
		known[SANDBOX_PATH_SIZE];
	int fd = -1;
	if (!s->judge)
		return error_set(err, ERR_UNSUPPORTED,
				 "Nothing here can read the report of a scan.");
	int code = graft_open(work_fd, a->job->sarif, &fd, err);
	if (code < 0)
		return error_prefix(err, "The report of its scan is not there");
	snprintf(report, sizeof report, "/proc/self/fd/%d", fd);
	snprintf(source, sizeof source, "%s/source", a->local->run);
	snprintf(keep, sizeof keep, "%s/findings/%s", s->directory, a->job->stage);
	snprintf(known, sizeof known, "%s/known/%s", s->directory, a->job->stage);
	const struct builder_scan scan = {
		.report = report,
		.source = source,
		.keep = keep,
		.known = s->since && faccessat(AT_FDCWD, known, F_OK, 0) == 0 ? known : NULL,
		.since = s->since,
		.unknown = s->unknown};
	code = s->judge(a->job, &scan, &a->result, err);
	close(fd);
	return code;
}

static int keep_cache(struct attempt *a, int work_fd, struct error *err)
{
	if (a->job->cache_paths.count == 0 || a->result.cached)
		return 0;
	return cache_save(a->local->cache_fd, a->key, a->job, work_fd,
			  a->local->settings.cache_bytes, err);
}

/* So that a later build, or this one after a crash, need not make it again. */
static int keep_all(struct attempt *a, struct error *err)
{
	const struct builder_tests *tests = &a->result.tests;
	struct kept_stage about = {
		.attempt = a->job->attempt, .took_ms = a->took_ms, .archived = a->result.archived};
	if (a->local->settings.number == 0)
		return 0;
	if (a->result.tested) {
		about.tests = tests->tests;
		about.failed = tests->failed;
		about.skipped = tests->skipped;
	}
	if (a->result.scanned) {
		const struct builder_findings *found = &a->result.findings;
		about.scanned = true;
		about.fresh = found->fresh;
		about.known = found->known;
		about.fixed = found->fixed;
		about.waived = found->waived;
		about.suppressed = found->suppressed;
		text_copy(about.since, sizeof about.since, found->since);
	}
	return kept_save(&a->local->kept, a->job->stage, &about, err);
}

/* What a failed one leaves behind is of no use but its results. */
static int collect(struct attempt *a, struct error *err)
{
	struct error ignored;
	AUTO_CLOSE int work_fd =
		openat(a->stage_fd, "work", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (work_fd < 0)
		return error_errno(err, errno, "The stage's directory is gone");
	int code = 0;
	if (a->job->junit)
		code = read_tests(a, work_fd, a->result.passed ? err : &ignored);
	if (!a->result.passed)
		return 0;
	if (code == 0 && a->result.tested && a->result.tests.failed > 0)
		return error_set(err, ERR_RETRY, "%u of %u tests failed.", a->result.tests.failed,
				 a->result.tests.tests);
	if (code == 0 && a->job->sarif)
		code = judge_scan(a, work_fd, err);
	if (code == 0)
		code = keep_outputs(a, work_fd, err);
	if (code == 0 && a->job->archive.count > 0)
		code = make_archive(a, work_fd, err);
	if (code == 0)
		code = keep_cache(a, work_fd, err);
	return code < 0 ? code : keep_all(a, err);
}

void local_collect(void *attempt)
{
	struct attempt *a = attempt;
	char name[NAME_SIZE];
	struct error err;
	snprintf(name, sizeof name, "stages/%s", a->job->stage);
	a->code = a->stage_fd >= 0 ? collect(a, &a->err) : 0;
	if (a->stage_fd >= 0)
		close(a->stage_fd);
	a->stage_fd = -1;
	if (graft_remove(a->local->run_fd, name, &err) < 0 && a->code == 0) {
		a->code = err.code;
		a->err = err;
	}
}

void local_measure(void *attempt)
{
	struct attempt *a = attempt;
	a->taken = graft_measure(a->stage_fd, a->local->settings.work_bytes);
}
