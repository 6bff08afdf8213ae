/* SPDX-License-Identifier: Apache-2.0
 * backup_verb - see backup_verb.h for the contract. */
#include "daemon/backup_verb.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/there.h"
#include "daemon/backup_file.h"
#include "daemon/state.h"
#include "os/archive.h"
#include "os/bundle.h"
#include "os/file.h"
#include "os/random.h"
#include "store/backup.h"
#include "store/releases.h"

enum { PATH_SIZE = 4096 + 128, PART_SIZE = 65536, STEP_PAGES = 1024 };

struct run {
	struct cli cli;
	const char *file;
	bool force, shown, progress;
	bool output;    /* the archive goes to standard output, and what is told to the other one */
	int there_code; /* how it ended at the far end */
	bool served;    /* by a server: the copy comes from it */
	struct state_directory *state;
	char work[64]; /* beneath the state: what is copied before it is packed */
	int work_fd, store_fd;
	struct backup_manifest manifest;
};

static void show(struct run *r, const char *what, uint64_t done, uint64_t all)
{
	if (!r->progress)
		return;
	fprintf(stderr, "\r%s %llu of %llu \033[K", what, (unsigned long long)done,
		(unsigned long long)all);
	r->shown = true;
}

/* --- a copy of the store */

static int copy_of_server(struct run *r, struct error *err)
{
	struct client *client;
	json_t *answer = NULL;
	char path[256], file[PATH_SIZE] = "";
	int code = client_open(&r->cli, &client, err);
	if (code < 0)
		return code;
	code = client_post(client, "/v1/backup", NULL, &answer, err);
	if (code == 0) {
		const char *id = json_string_value(json_object_get(answer, "id"));
		client_path("/v1/backup/", id ? id : "", "/step", path, sizeof path);
		json_decref(answer);
	}
	for (bool whole = false; code == 0 && !whole;) {
		code = client_post(client, path, NULL, &answer, err);
		if (code < 0)
			break;
		uint64_t all = (uint64_t)json_integer_value(json_object_get(answer, "pages")),
			 left = (uint64_t)json_integer_value(json_object_get(answer, "left_pages"));
		whole = json_is_true(json_object_get(answer, "whole"));
		show(r, "pages of the store:", all - (left < all ? left : all), all);
		json_decref(answer);
	}
	client_free(client);
	if (code < 0)
		return code;
	state_file(r->state, "spool/backup.db", file, sizeof file);
	if (renameat(AT_FDCWD, file, r->work_fd, BACKUP_STORE) != 0)
		return error_errno(err, errno, "The server's copy \"%s\" cannot be taken", file);
	return 0;
}

static const char *in_work(const struct run *r, const char *name, char to[PATH_SIZE])
{
	snprintf(to, PATH_SIZE, "%s/%s/%s", state_path(r->state), r->work, name);
	return to;
}

static int copy_of_file(struct run *r, struct error *err)
{
	struct store *store;
	struct store_backup *copy;
	char path[PATH_SIZE];
	uint32_t left, all;
	int code = store_open(state_file(r->state, "davit.db", path, sizeof path), &store, err);
	if (code < 0)
		return code;
	code = store_backup_begin(store, in_work(r, BACKUP_STORE, path), &copy, err);
	if (code == 0) {
		while ((code = store_backup_step(copy, STEP_PAGES, &left, &all, err)) > 0)
			show(r, "pages of the store:", all - left, all);
		store_backup_end(copy);
	}
	store_close(store);
	return code;
}

/* --- members */

struct measure {
	struct digester *digester;
	uint64_t size;
};

static int take_measure(void *context, const void *bytes, size_t size, struct error *err)
{
	struct measure *m = context;
	(void)err;
	digester_add(m->digester, bytes, size);
	m->size += size;
	return 0;
}

static int read_all(int fd, archive_sink sink, void *context, struct error *err)
{
	char part[PART_SIZE];
	off_t at = 0;
	ssize_t size;
	while ((size = pread(fd, part, sizeof part, at)) > 0 || (size < 0 && errno == EINTR)) {
		if (size < 0)
			continue;
		int code = sink(context, part, (size_t)size, err);
		if (code < 0)
			return code;
		at += size;
	}
	return size == 0 ? 0 : error_errno(err, errno, "The copy of the store cannot be read");
}

/* The bytes of a member, from where they are: the store's copy, an artifact, a copied folder. */
static int give_member(struct run *r, const char *name, archive_sink sink, void *context,
		       struct error *err)
{
	char path[BACKUP_NAME_SIZE];
	AUTO_CLOSE int fd = -1;
	if (strcmp(name, BACKUP_STORE) == 0)
		return read_all(r->store_fd, sink, context, err);
	text_copy(path, sizeof path, name);
	path[strlen(path) - strlen(".tar")] = '\0';
	int from = text_starts(name, "artifacts/") ? state_fd(r->state) : r->work_fd;
	int code = file_open_directory(from, path, &fd, err);
	return code < 0 ? code : archive_pack_all(fd, sink, context, err);
}

static int measure_member(struct run *r, const char *name, struct backup_member *ret_member,
			  struct error *err)
{
	struct measure m = {.digester = digester_new()};
	text_copy(ret_member->name, sizeof ret_member->name, name);
	int code = give_member(r, name, take_measure, &m, err);
	ret_member->digest = digester_finish(m.digester);
	ret_member->size = m.size;
	return code;
}

static int add_member(struct run *r, const char *name, struct error *err)
{
	struct backup_member member = {.name = ""};
	int code = measure_member(r, name, &member, err);
	if (code < 0)
		return code;
	if (!backup_manifest_add(&r->manifest, &member))
		return error_set(err, ERR_LIMIT,
				 "There are more than %d artifacts, which a backup cannot hold.",
				 BACKUP_MEMBERS_MAX);
	return 0;
}

struct listing {
	struct run *run;
	struct error *err;
};

/* Files of an old release may be gone already: then there is nothing to keep. */
static int add_artifact(void *context, const struct store_release *release)
{
	struct listing *l = context;
	struct run *r = l->run;
	char folder[BACKUP_NAME_SIZE], name[BACKUP_NAME_SIZE];
	snprintf(folder, sizeof folder, "artifacts/%.64s", release->artifact);
	snprintf(name, sizeof name, "artifacts/%.64s.tar", release->artifact);
	for (size_t i = 0; i < r->manifest.count; i++)
		if (strcmp(r->manifest.members[i].name, name) == 0)
			return 0;
	if (faccessat(state_fd(r->state), folder, F_OK, 0) != 0)
		return 0;
	show(r, "artifacts read:", r->manifest.count, r->manifest.count + 1);
	return add_member(r, name, l->err);
}

/* What the copy says of itself, and the files that belong to it. Its own bytes are read last, when nobody can write to
 * it any more. */
static int read_copy(struct run *r, struct error *err)
{
	static const struct backup_member itself = {.name = BACKUP_STORE};
	struct store *store;
	struct listing listing = {r, err};
	char path[PATH_SIZE];
	uint64_t broken;
	bool first = backup_manifest_add(&r->manifest, &itself);
	ASSERT(first);
	int code = store_open(in_work(r, BACKUP_STORE, path), &store, err);
	if (code < 0)
		return code;
	r->manifest.store_version = STORE_VERSION;
	code = store_audit_verify(store, NULL, &r->manifest.head, &broken, err);
	if (code == 0)
		code = store_releases(store, NULL, UINT32_MAX, add_artifact, &listing, err);
	store_close(store);
	if (code < 0)
		return code;
	r->store_fd = openat(r->work_fd, BACKUP_STORE, O_RDONLY | O_CLOEXEC);
	if (r->store_fd < 0)
		return error_errno(err, errno, "The copy of the store cannot be opened");
	return measure_member(r, BACKUP_STORE, &r->manifest.members[0], err);
}

static int add_folders(struct run *r, struct error *err)
{
	char name[BACKUP_NAME_SIZE];
	int code = 0;
	for (const char *const *folder = backup_folders; code == 0 && *folder; folder++) {
		if (faccessat(state_fd(r->state), *folder, F_OK, 0) != 0)
			continue;
		code = file_copy_tree(state_fd(r->state), *folder, r->work_fd, *folder, (uid_t)-1,
				      (gid_t)-1, err);
		snprintf(name, sizeof name, "%s.tar", *folder);
		if (code == 0)
			code = add_member(r, name, err);
	}
	return code;
}

/* --- the archive */

struct writing {
	struct bundle *bundle;
	uint64_t size;
};

static int write_part(void *context, const void *bytes, size_t size, struct error *err)
{
	struct writing *w = context;
	w->size += size;
	return bundle_write(w->bundle, bytes, size, err);
}

static int write_members(struct run *r, struct bundle *bundle, struct error *err)
{
	struct buf text;
	buf_init(&text, BACKUP_MANIFEST_MAX);
	backup_manifest_write(&r->manifest, &text);
	int code = bundle_member(bundle, BACKUP_MANIFEST, text.size, err);
	if (code == 0)
		code = bundle_write(bundle, buf_text(&text), text.size, err);
	buf_done(&text);
	for (size_t i = 0; code == 0 && i < r->manifest.count; i++) {
		const struct backup_member *member = &r->manifest.members[i];
		struct writing w = {.bundle = bundle};
		show(r, "parts written:", i + 1, r->manifest.count);
		code = bundle_member(bundle, member->name, member->size, err);
		if (code == 0)
			code = give_member(r, member->name, write_part, &w, err);
		if (code == 0 && w.size != member->size)
			code = error_set(err, ERR_CONFLICT,
					 "\"%s\" has changed while it was read; try again.",
					 member->name);
	}
	return code;
}

/* The file has no name yet; it gets one now. */
static int publish(struct run *r, int directory, const char *name, int fd, struct error *err)
{
	char self[64], temporary[64], random[17];
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (fsync(fd) != 0)
		return error_errno(err, errno, "\"%s\" cannot be brought to disk", r->file);
	if (!r->force) {
		if (linkat(AT_FDCWD, self, directory, name, AT_SYMLINK_FOLLOW) != 0)
			return error_errno(err, errno, "\"%s\" cannot be made", r->file);
	} else {
		snprintf(temporary, sizeof temporary, ".davit-backup-%s",
			 random_hex(random, sizeof random));
		if (linkat(AT_FDCWD, self, directory, temporary, AT_SYMLINK_FOLLOW) != 0)
			return error_errno(err, errno, "\"%s\" cannot be made", r->file);
		if (renameat(directory, temporary, directory, name) != 0) {
			int number = errno;
			unlinkat(directory, temporary, 0);
			return error_errno(err, number, "\"%s\" cannot be replaced", r->file);
		}
	}
	return fsync(directory) == 0
		       ? 0
		       : error_errno(err, errno, "\"%s\" cannot be brought to disk", r->file);
}

static int write_bundle(struct run *r, int fd, struct error *err)
{
	struct bundle *bundle;
	struct error last;
	int code = bundle_begin(fd, &bundle, err);
	if (code < 0)
		return code;
	code = write_members(r, bundle, err);
	int ended = bundle_end(bundle, &last);
	if (code == 0 && ended < 0) {
		*err = last;
		code = ended;
	}
	return code;
}

/* What writes the file's bytes: 0, or what went wrong. */
typedef int (*filling)(struct run *r, int fd, struct error *err);

static int write_file(struct run *r, filling fill, struct error *err)
{
	char parent[PATH_SIZE];
	const char *slash = strrchr(r->file, '/'), *name = slash ? slash + 1 : r->file;
	AUTO_CLOSE int directory = -1;
	snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - r->file) + 1 : 1,
		 slash ? r->file : ".");
	int code = file_open_directory(AT_FDCWD, parent, &directory, err);
	if (code < 0)
		return code;
	AUTO_CLOSE int fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "No file can be made in \"%s\"", parent);
	code = fill(r, fd, err);
	return code < 0 ? code : publish(r, directory, name, fd, err);
}

/* --- of a server elsewhere */

/* The far end has told what was wrong with it; a stream that ended early leaves no file. */
static int fill_from_there(struct run *r, int fd, struct error *err)
{
	static const char *const output[] = {"-"};
	const struct there how = {.args = output,
				  .arg_count = 1,
				  .silent = true,
				  .no_input = true,
				  .in = -1,
				  .out = fd};
	r->there_code = there_run(&r->cli, &how);
	return r->there_code == CLI_OK
		       ? 0
		       : error_set(err, ERR_UNAVAILABLE, "The backup did not come whole.");
}

static void tell_there(const struct run *r)
{
	struct stat about;
	long long bytes = stat(r->file, &about) == 0 ? (long long)about.st_size : 0;
	if (!r->cli.json) {
		printf("%s is that archive, %lld bytes.\n", r->file, bytes);
		return;
	}
	json_t *o = json_pack("{s:s,s:s,s:I}", "schema", "davit.v1/backup", "file", r->file,
			      "bytes", (json_int_t)bytes);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* --- the verb */

static int open_state(struct run *r, struct error *err)
{
	const char *path = client_state(&r->cli);
	char store[PATH_SIZE];
	snprintf(store, sizeof store, "%s/davit.db", path);
	if (access(store, F_OK) != 0)
		return error_set(err, ERR_NOT_FOUND,
				 "There is nothing to back up: the state directory %s has no "
				 "store. Name the right one with --state.",
				 path);
	int code = state_open(path, true, &r->state, err);
	r->served = code == ERR_CONFLICT;
	return r->served ? state_open(path, false, &r->state, err) : code;
}

static int check_name(struct run *r, struct error *err)
{
	r->file = cli_arg(&r->cli, 0);
	r->force = cli_option(&r->cli, "force") != NULL;
	r->output = strcmp(r->file, "-") == 0;
	if (r->output && isatty(STDOUT_FILENO))
		return error_set(err, ERR_INVALID,
				 "An archive is nothing for a terminal: write it to a file.");
	if (r->output)
		return 0;
	if (!r->force && faccessat(AT_FDCWD, r->file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, ERR_CONFLICT,
				 "\"%s\" is there already; choose another name, or replace it with "
				 "--force.",
				 r->file);
	return 0;
}

static int make_all(struct run *r, struct error *err)
{
	int code = check_name(r, err);
	if (code == 0)
		code = open_state(r, err);
	if (code < 0)
		return code;
	snprintf(r->work, sizeof r->work, "spool/backup-%d", (int)getpid());
	code = file_remove_tree(state_fd(r->state), r->work, err);
	if (code == 0)
		code = file_make_directories(state_fd(r->state), r->work, 0700, err);
	if (code == 0)
		code = file_open_directory(state_fd(r->state), r->work, &r->work_fd, err);
	r->manifest.created_unix_ms = (uint64_t)time(NULL) * 1000;
	if (code == 0)
		code = r->served ? copy_of_server(r, err) : copy_of_file(r, err);
	if (code == 0)
		code = read_copy(r, err);
	if (code == 0)
		code = add_folders(r, err);
	if (code < 0)
		return code;
	return r->output ? write_bundle(r, STDOUT_FILENO, err) : write_file(r, write_bundle, err);
}

static void clean(struct run *r)
{
	struct error ignored;
	if (r->work[0])
		(void)!file_remove_tree(state_fd(r->state), r->work, &ignored);
	if (r->store_fd >= 0)
		close(r->store_fd);
	if (r->work_fd >= 0)
		close(r->work_fd);
	state_close(r->state);
	if (r->shown)
		fputs("\r\033[K", stderr);
}

static void tell(const struct run *r)
{
	char hex[DIGEST_HEX_SIZE];
	uint64_t bytes = 0;
	size_t artifacts = 0;
	for (size_t i = 0; i < r->manifest.count; i++) {
		bytes += r->manifest.members[i].size;
		artifacts += text_starts(r->manifest.members[i].name, "artifacts/");
	}
	if (r->cli.json) {
		json_t *o =
			json_pack("{s:s,s:s,s:I,s:I,s:s,s:i,s:I}", "schema", "davit.v1/backup",
				  "file", r->file, "artifacts", (json_int_t)artifacts,
				  "audit_entries", (json_int_t)r->manifest.head.seq, "audit_head",
				  digest_format(&r->manifest.head.hash, hex), "store_version",
				  (int)r->manifest.store_version, "bytes", (json_int_t)bytes);
		FILE *to = r->output ? stderr : stdout;
		json_dumpf(o, to, JSON_COMPACT);
		putc('\n', to);
		json_decref(o);
		return;
	}
	fprintf(r->output ? stderr : stdout,
		"%s holds the store with %llu audit entries and the files of %zu releases.\n"
		"Keys are not in it; keep them elsewhere.\n",
		r->output ? "The archive" : r->file, (unsigned long long)r->manifest.head.seq,
		artifacts);
}

static int backup_there(struct run *r)
{
	struct error err;
	int result = check_name(r, &err);
	if (result == 0 && r->output)
		return there_run(&r->cli, &(struct there){.no_input = true, .in = -1, .out = -1});
	if (result == 0)
		result = write_file(r, fill_from_there, &err);
	if (result == 0)
		tell_there(r);
	return result == 0 ? CLI_OK : r->there_code ? r->there_code : cli_fail(&r->cli, &err, NULL);
}

int backup_verb(int argc, char **argv)
{
	struct run r = {.work_fd = -1, .store_fd = -1};
	struct error err;
	int code = cli_parse(argv[0], argc, argv, &r.cli);
	if (code != CLI_OK)
		return code;
	signal(SIGPIPE, SIG_IGN);
	umask(0077);
	r.progress = !r.cli.json && isatty(STDERR_FILENO);
	if (r.cli.host)
		return backup_there(&r);
	int result = make_all(&r, &err);
	clean(&r);
	if (result == 0)
		tell(&r);
	backup_manifest_done(&r.manifest);
	return result < 0 ? cli_fail(&r.cli, &err, NULL) : CLI_OK;
}
