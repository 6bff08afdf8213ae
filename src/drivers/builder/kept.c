/* SPDX-License-Identifier: Apache-2.0
 * kept - see kept.h for the contract. */
#include "drivers/builder/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/archive.h"
#include "os/file.h"
#include "os/graft.h"

enum {
	ABOUT_MAX = 1024,
	NAME_SIZE = 160,
	PART_SIZE = 64 * 1024,
	NUMBERS_MAX = 1024,
	NUMBERS = 11, /* of a stage */
	FIELDS = 4 + NUMBERS,
	NAMES_MAX = 4096
};

static const char HEAD[] = "davit kept 2\n";

/* --- the file that says a stage passed */

static void write_about(const struct kept *k, const struct kept_stage *s, char to[ABOUT_MAX])
{
	char of[DIGEST_HEX_SIZE], outputs[DIGEST_HEX_SIZE], archive[DIGEST_HEX_SIZE],
		found[DIGEST_HEX_SIZE];
	snprintf(to, ABOUT_MAX, "%s%s %s %s %s %u %u %llu %u %u %u %u %u %u %u %u %s\n", HEAD,
		 digest_format(&k->of, of), digest_format(&s->outputs, outputs),
		 s->archived ? digest_format(&s->archive, archive) : "-",
		 s->scanned ? digest_format(&s->found, found) : "-", s->number, s->attempt,
		 (unsigned long long)s->took_ms, s->tests, s->failed, s->skipped, s->fresh,
		 s->known, s->fixed, s->waived, s->suppressed, s->since);
}

static bool take_numbers(char *const *field, struct kept_stage *s)
{
	uint32_t *const to[NUMBERS] = {&s->number, &s->attempt, NULL,          &s->tests,
				       &s->failed, &s->skipped, &s->fresh,     &s->known,
				       &s->fixed,  &s->waived,  &s->suppressed};
	for (size_t i = 0; i < NUMBERS; i++) {
		uint64_t value;
		if (!text_parse_u64(field[i], to[i] ? UINT32_MAX : INT64_MAX, &value))
			return false;
		if (to[i])
			*to[i] = (uint32_t)value;
		else
			s->took_ms = value;
	}
	return true;
}

/* "-": there is none. */
static bool take_digest(const char *field, bool *ret_is, struct digest *ret_digest)
{
	*ret_is = strcmp(field, "-") != 0;
	return !*ret_is || digest_parse(field, ret_digest);
}

static bool read_about(const struct kept *k, const char *name, struct digest *ret_of,
		       struct kept_stage *s)
{
	char *field[FIELDS], *rest;
	struct error ignored;
	struct buf text;
	size_t count = 0;
	buf_init(&text, ABOUT_MAX);
	*s = (struct kept_stage){.number = 0};
	bool fine = file_read(k->fd, name, &text, &ignored) == 0 &&
		    text_starts(buf_text(&text), HEAD) && text.data[text.size - 1] == '\n';
	if (fine) {
		text.data[text.size - 1] = '\0';
		rest = text.data + sizeof HEAD - 1;
		while (count < FIELDS && (field[count] = strsep(&rest, " ")))
			count++;
		fine = rest && text_copy(s->since, sizeof s->since, rest) &&
		       digest_parse(field[0], ret_of) && digest_parse(field[1], &s->outputs) &&
		       take_digest(field[2], &s->archived, &s->archive) &&
		       take_digest(field[3], &s->scanned, &s->found) &&
		       take_numbers(field + FIELDS - NUMBERS, s);
	}
	buf_done(&text);
	return fine;
}

static void name_outputs(const char *stage, const struct kept_stage *s, char to[NAME_SIZE])
{
	char hex[DIGEST_HEX_SIZE];
	snprintf(to, NAME_SIZE, "outputs/%s-%s", stage, digest_format(&s->outputs, hex));
}

static void name_archive(const struct kept_stage *s, char to[NAME_SIZE])
{
	char hex[DIGEST_HEX_SIZE];
	snprintf(to, NAME_SIZE, "outputs/%s.tar", digest_format(&s->archive, hex));
}

/* Of build `number`. */
static void name_found(const char *stage, uint32_t number, char to[NAME_SIZE])
{
	snprintf(to, NAME_SIZE, "builds/%u/%s.findings", number, stage);
}

static bool digest_file(int dir_fd, const char *name, struct digest *ret_digest)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char part[PART_SIZE];
	ssize_t size;
	if (fd < 0)
		return false;
	struct digester *d = digester_new();
	while ((size = read(fd, part, sizeof part)) > 0)
		digester_add(d, part, (size_t)size);
	*ret_digest = digester_finish(d);
	return size == 0;
}

static bool digest_tree(int dir_fd, const char *name, struct digest *ret_digest)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct archive_tree tree;
	struct error ignored;
	if (fd < 0 || archive_tree_digest(fd, &tree, &ignored) < 0)
		return false;
	*ret_digest = tree.digest;
	return true;
}

/* --- open */

int kept_open(struct kept *k, int build_fd, uint32_t number, const char *commit, const char *ref,
	      struct error *err)
{
	char own[NAME_SIZE];
	struct digester *d = digester_new();
	digester_add(d, commit, strlen(commit) + 1);
	digester_add(d, ref, strlen(ref) + 1);
	*k = (struct kept){
		.build_fd = build_fd, .fd = -1, .number = number, .of = digester_finish(d)};
	snprintf(own, sizeof own, "builds/%u", number);
	int code = file_make_directories(build_fd, "kept", 0700, err);
	if (code == 0)
		code = file_open_directory(build_fd, "kept", &k->fd, err);
	if (code == 0)
		code = file_make_directories(k->fd, "outputs", 0700, err);
	return code < 0 ? code : file_make_directories(k->fd, own, 0700, err);
}

void kept_close(struct kept *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

/* --- before a run */

bool kept_find(const struct kept *k, uint32_t number, const char *stage, struct kept_stage *s)
{
	char name[NAME_SIZE];
	struct digest of, found;
	snprintf(name, sizeof name, "builds/%u/%s", number, stage);
	if (number == 0 || !read_about(k, name, &of, s) || !digest_equal(&of, &k->of))
		return false;
	name_outputs(stage, s, name);
	if (!digest_tree(k->fd, name, &found) || !digest_equal(&found, &s->outputs))
		return false;
	name_found(stage, number, name);
	if (s->scanned && (!digest_file(k->fd, name, &found) || !digest_equal(&found, &s->found)))
		return false;
	name_archive(s, name);
	return !s->archived ||
	       (digest_file(k->fd, name, &found) && digest_equal(&found, &s->archive));
}

/* A second name for a file, in the place of what is called so. */
static int put_link(int from_fd, const char *from, int to_fd, const char *to, struct error *err)
{
	if ((unlinkat(to_fd, to, 0) != 0 && errno != ENOENT) ||
	    linkat(from_fd, from, to_fd, to, 0) != 0)
		return error_errno(err, errno, "\"%s\" cannot be linked", to);
	return 0;
}

static int show_outputs(const struct kept *k, const char *stage, const char *name,
			struct error *err)
{
	char target[NAME_SIZE + 16], place[NAME_SIZE];
	snprintf(target, sizeof target, "../../kept/%s", name);
	snprintf(place, sizeof place, "run/outputs/%s", stage);
	if (symlinkat(target, k->build_fd, place) != 0)
		return error_errno(err, errno, "The outputs of %s cannot be linked", stage);
	return 0;
}

/* What its scan found becomes this build's, and is where the builder's user looks for it. */
static int take_found(const struct kept *k, const char *stage, const struct kept_stage *s,
		      struct error *err)
{
	char name[NAME_SIZE], own[NAME_SIZE], place[NAME_SIZE];
	name_found(stage, s->number, name);
	name_found(stage, k->number, own);
	snprintf(place, sizeof place, "findings/%s", stage);
	int code = put_link(k->fd, name, k->build_fd, place, err);
	return code < 0 || s->number == k->number ? code : put_link(k->fd, name, k->fd, own, err);
}

int kept_take(const struct kept *k, const char *stage, const struct kept_stage *s,
	      struct error *err)
{
	char name[NAME_SIZE], own[NAME_SIZE], log[NAME_SIZE], text[ABOUT_MAX];
	struct error ignored;
	name_outputs(stage, s, name);
	int code = show_outputs(k, stage, name, err);
	name_archive(s, name);
	if (code == 0 && s->archived)
		code = put_link(k->fd, name, k->build_fd, "release.tar", err);
	if (code == 0 && s->scanned)
		code = take_found(k, stage, s, err);
	/* A log may be missing: it is no reason to run the stage again. */
	snprintf(name, sizeof name, "builds/%u/%s.log", s->number, stage);
	snprintf(own, sizeof own, "builds/%u/%s.log", k->number, stage);
	snprintf(log, sizeof log, "logs/%s.log", stage);
	if (s->number != k->number)
		(void)!put_link(k->fd, name, k->fd, own, &ignored);
	(void)!put_link(k->fd, own, k->build_fd, log, &ignored);
	snprintf(own, sizeof own, "builds/%u/%s", k->number, stage);
	write_about(k, s, text);
	return code < 0 ? code : file_write(k->fd, own, text, strlen(text), 0600, err);
}

int kept_drop(const struct kept *k, const char *stage, struct error *err)
{
	char name[NAME_SIZE];
	snprintf(name, sizeof name, "builds/%u/%s", k->number, stage);
	if (unlinkat(k->fd, name, 0) != 0 && errno != ENOENT)
		return error_errno(err, errno, "What was kept of %s cannot be removed", stage);
	snprintf(name, sizeof name, "run/outputs/%s", stage);
	return graft_remove(k->build_fd, name, err);
}

/* --- after a stage */

static bool save_found(const struct kept *k, const char *stage, struct kept_stage *s)
{
	char place[NAME_SIZE], own[NAME_SIZE];
	struct error ignored;
	snprintf(place, sizeof place, "findings/%s", stage);
	name_found(stage, k->number, own);
	return digest_file(k->build_fd, place, &s->found) &&
	       put_link(k->build_fd, place, k->fd, own, &ignored) == 0;
}

int kept_save(const struct kept *k, const char *stage, struct kept_stage *s, struct error *err)
{
	char place[NAME_SIZE], name[NAME_SIZE], own[NAME_SIZE], log[NAME_SIZE], text[ABOUT_MAX];
	struct error ignored;
	s->number = k->number;
	snprintf(place, sizeof place, "run/outputs/%s", stage);
	if (!digest_tree(k->build_fd, place, &s->outputs))
		return 0;
	name_outputs(stage, s, name);
	if (graft_remove(k->fd, name, &ignored) < 0 ||
	    renameat(k->build_fd, place, k->fd, name) != 0)
		return 0;
	int code = show_outputs(k, stage, name, err);
	if (code < 0) {
		if (renameat(k->fd, name, k->build_fd, place) == 0)
			code = 0;
		return code;
	}
	if (s->archived) {
		if (!digest_file(k->build_fd, "release.tar", &s->archive))
			return 0;
		name_archive(s, name);
		if (put_link(k->build_fd, "release.tar", k->fd, name, &ignored) < 0)
			return 0;
	}
	if (s->scanned && !save_found(k, stage, s))
		return 0;
	snprintf(log, sizeof log, "logs/%s.log", stage);
	snprintf(own, sizeof own, "builds/%u/%s.log", k->number, stage);
	(void)!put_link(k->build_fd, log, k->fd, own, &ignored);
	snprintf(own, sizeof own, "builds/%u/%s", k->number, stage);
	write_about(k, s, text);
	(void)!file_write(k->fd, own, text, strlen(text), 0600, &ignored);
	return 0;
}

/* --- room */

struct names {
	uint32_t count;
	char items[NAMES_MAX][NAME_SIZE];
};

/* Those of a directory, without the ones that begin with a dot. */
static void list(int dir_fd, const char *path, struct names *names)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	names->count = 0;
	for (struct dirent *entry; dir && names->count < NAMES_MAX && (entry = readdir(dir));)
		if (entry->d_name[0] != '.' &&
		    text_copy(names->items[names->count], NAME_SIZE, entry->d_name))
			names->count++;
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static uint32_t list_builds(const struct kept *k, struct names *names, uint32_t *numbers)
{
	uint32_t count = 0;
	list(k->fd, "builds", names);
	for (uint32_t i = 0; i < names->count && count < NUMBERS_MAX; i++) {
		uint64_t number;
		if (text_parse_u64(names->items[i], UINT32_MAX, &number))
			numbers[count++] = (uint32_t)number;
	}
	return count;
}

/* False: there is none. */
static bool remove_oldest(const struct kept *k, uint32_t *numbers, uint32_t *count)
{
	char name[NAME_SIZE];
	struct error ignored; /* another try follows with the next build */
	uint32_t oldest = 0;
	if (*count == 0)
		return false;
	for (uint32_t i = 1; i < *count; i++)
		oldest = numbers[i] < numbers[oldest] ? i : oldest;
	snprintf(name, sizeof name, "builds/%u", numbers[oldest]);
	(void)!graft_remove(k->fd, name, &ignored);
	numbers[oldest] = numbers[--*count];
	return true;
}

/* What builds still speak of. */
static void find_wanted(const struct kept *k, const uint32_t *numbers, uint32_t count,
			struct names *stages, struct names *wanted)
{
	wanted->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		char path[NAME_SIZE];
		snprintf(path, sizeof path, "builds/%u", numbers[i]);
		list(k->fd, path, stages);
		for (uint32_t n = 0; n < stages->count && wanted->count + 2 <= NAMES_MAX; n++) {
			struct kept_stage s;
			struct digest of;
			snprintf(path, sizeof path, "builds/%u/%.100s", numbers[i],
				 stages->items[n]);
			if (!read_about(k, path, &of, &s))
				continue;
			name_outputs(stages->items[n], &s, wanted->items[wanted->count++]);
			if (s.archived)
				name_archive(&s, wanted->items[wanted->count++]);
		}
	}
}

static uint64_t measure(const struct kept *k, const char *name)
{
	AUTO_CLOSE int fd = openat(k->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat about;
	if (fd < 0 || fstat(fd, &about) != 0)
		return 0;
	return S_ISDIR(about.st_mode) ? graft_measure(fd, UINT64_MAX)
				      : (uint64_t)about.st_blocks * 512;
}

/* Removes what is not wanted; what the rest takes. */
static uint64_t sweep(const struct kept *k, const struct names *wanted, struct names *there)
{
	uint64_t sum = 0;
	list(k->fd, "outputs", there);
	for (uint32_t i = 0; i < there->count; i++) {
		char name[NAME_SIZE + 16];
		struct error ignored;
		bool used = false;
		snprintf(name, sizeof name, "outputs/%s", there->items[i]);
		for (uint32_t w = 0; w < wanted->count && !used; w++)
			used = strcmp(wanted->items[w], name) == 0;
		if (used)
			sum += measure(k, name);
		else
			(void)!graft_remove(k->fd, name, &ignored);
	}
	return sum;
}

void kept_bound(const struct kept *k, uint32_t builds_max, uint64_t bytes_max)
{
	struct names *names = mem_zero(1, sizeof *names), *wanted = mem_zero(1, sizeof *wanted);
	uint32_t *numbers = mem_zero(NUMBERS_MAX, sizeof *numbers);
	uint32_t count = list_builds(k, names, numbers);
	uint64_t sum;
	while (count > builds_max && remove_oldest(k, numbers, &count))
		;
	do {
		find_wanted(k, numbers, count, names, wanted);
		sum = sweep(k, wanted, names);
	} while (sum > bytes_max && remove_oldest(k, numbers, &count));
	free(names);
	free(wanted);
	free(numbers);
}
