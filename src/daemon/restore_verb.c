/* SPDX-License-Identifier: Apache-2.0
 * restore_verb - see restore_verb.h for the contract. */
#include "daemon/restore_verb.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/there.h"
#include "daemon/backup_file.h"
#include "daemon/restoring.h"
#include "daemon/state.h"
#include "drivers/artifact/local.h"
#include "os/archive.h"
#include "os/file.h"
#include "store/store.h"

enum { PATH_SIZE = 4096 + 128, PART_SIZE = 65536 };

/* Members of a backup, not files of a release: a store that repeats itself packs well. */
static const struct archive_limits limits = {
	.bytes = UINT64_C(1) << 42,
	.ratio_free_bytes = UINT64_C(1) << 30,
	.ratio = 2000,
	.entries = BACKUP_MEMBERS_MAX + 8,
};

struct run {
	struct cli cli;
	const char *file;
	struct state_directory *state;
	int members_fd, new_fd;
	struct backup_manifest manifest;
	char old[128]; /* beneath the state */
};

#define MEMBERS "restoring/members"

static int read_manifest(struct run *r, struct error *err)
{
	struct buf text;
	buf_init(&text, BACKUP_MANIFEST_MAX);
	int code = file_read_beneath(r->members_fd, BACKUP_MANIFEST, &text, err);
	if (code == ERR_NOT_FOUND)
		code = error_set(err, ERR_INVALID,
				 "\"%s\" is no archive of \"davit backup\": it has no manifest.",
				 r->file);
	if (code == 0)
		code = backup_manifest_read(buf_text(&text), text.size, &r->manifest, err);
	buf_done(&text);
	if (code == 0 && r->manifest.store_version > STORE_VERSION)
		code = error_set(
			err, ERR_UNSUPPORTED,
			"The backup is of a newer davit (store version %u, this one knows %d): "
			"restore it with that one.",
			r->manifest.store_version, STORE_VERSION);
	return code;
}

static int open_member(struct run *r, const struct backup_member *member, int *ret_fd,
		       struct error *err)
{
	*ret_fd = openat(r->members_fd, member->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd >= 0
		       ? 0
		       : error_set(err, ERR_CORRUPT,
				   "\"%s\" is damaged: \"%s\" is missing in it. Restore another "
				   "backup.",
				   r->file, member->name);
}

static int check_member(struct run *r, const struct backup_member *member, struct error *err)
{
	char part[PART_SIZE];
	AUTO_CLOSE int fd = -1;
	uint64_t total = 0;
	ssize_t size;
	int code = open_member(r, member, &fd, err);
	if (code < 0)
		return code;
	struct digester *digester = digester_new();
	while ((size = read(fd, part, sizeof part)) > 0 || (size < 0 && errno == EINTR))
		if (size > 0) {
			digester_add(digester, part, (size_t)size);
			total += (uint64_t)size;
		}
	int number = errno;
	struct digest digest = digester_finish(digester);
	if (size < 0)
		return error_errno(err, number, "\"%s\" cannot be read", member->name);
	if (total == member->size && digest_equal(&digest, &member->digest))
		return 0;
	return error_set(err, ERR_CORRUPT,
			 "\"%s\" is damaged: \"%s\" is not what was backed up. Restore another "
			 "backup.",
			 r->file, member->name);
}

static int check_store(struct run *r, struct error *err)
{
	struct store *store;
	struct store_audit_head head;
	char path[PATH_SIZE];
	uint64_t broken;
	if (renameat(r->members_fd, BACKUP_STORE, r->new_fd, BACKUP_STORE) != 0)
		return error_errno(err, errno, "The store of the backup cannot be moved");
	state_file(r->state, "restoring/new/" BACKUP_STORE, path, sizeof path);
	int code = store_open(path, &store, err);
	if (code < 0)
		return code;
	code = store_check(store, err);
	if (code == 0)
		code = store_audit_verify(store, &r->manifest.head, &head, &broken, err);
	if (code == 0 && head.seq != r->manifest.head.seq)
		code = error_set(err, ERR_CORRUPT,
				 "The audit log of the backup has %llu entries, and should have "
				 "%llu.",
				 (unsigned long long)head.seq,
				 (unsigned long long)r->manifest.head.seq);
	store_close(store);
	return code;
}

/* Unpacked and checked by the artifact store like every release that is uploaded. */
static int take_artifact(struct run *r, struct artifact_store *artifacts,
			 const struct backup_member *member, const struct digest *wanted,
			 struct error *err)
{
	struct artifact_info info;
	AUTO_CLOSE int fd = -1;
	int code = open_member(r, member, &fd, err);
	if (code == 0)
		code = artifacts->ops->import(artifacts, fd, NULL, &info, err);
	if (code == 0 && !digest_equal(&info.digest, wanted))
		code = error_set(err, ERR_CORRUPT,
				 "\"%s\" is damaged: \"%s\" holds other files than it says. "
				 "Restore another backup.",
				 r->file, member->name);
	return code;
}

static int take_folder(struct run *r, const struct backup_member *member, struct error *err)
{
	char folder[BACKUP_NAME_SIZE];
	AUTO_CLOSE int from = -1;
	AUTO_CLOSE int to = -1;
	text_copy(folder, sizeof folder, member->name);
	folder[strlen(folder) - strlen(".tar")] = '\0';
	int code = open_member(r, member, &from, err);
	if (code == 0)
		code = file_open_directory(r->new_fd, folder, &to, err);
	/* An empty folder is an archive without entries, which is none to archive_unpack(). */
	return code < 0 || member->size <= 1024 ? code : archive_unpack(from, to, &limits, err);
}

static int take_members(struct run *r, struct error *err)
{
	struct artifact_store *artifacts;
	char path[PATH_SIZE];
	int code = artifact_local_new(state_file(r->state, "artifacts", path, sizeof path),
				      &artifacts, err);
	if (code < 0)
		return code;
	for (size_t i = 0; code == 0 && i < r->manifest.count; i++) {
		const struct backup_member *member = &r->manifest.members[i];
		struct digest artifact;
		bool is_artifact;
		bool known = backup_name_is_known(member->name, &is_artifact, &artifact);
		ASSERT(known);
		if (is_artifact)
			code = take_artifact(r, artifacts, member, &artifact, err);
		else if (strcmp(member->name, BACKUP_STORE) != 0)
			code = take_folder(r, member, err);
	}
	artifact_local_free(artifacts);
	return code;
}

static int check_all(struct run *r, struct error *err)
{
	int code = read_manifest(r, err);
	for (size_t i = 0; code == 0 && i < r->manifest.count; i++)
		code = check_member(r, &r->manifest.members[i], err);
	for (const char *const *folder = backup_folders; code == 0 && *folder; folder++)
		code = file_make_directories(r->new_fd, *folder, 0700, err);
	if (code == 0)
		code = check_store(r, err);
	return code == 0 ? take_members(r, err) : code;
}

static int open_state(struct run *r, struct error *err)
{
	const char *path = client_state(&r->cli);
	int code = state_open(path, true, &r->state, err);
	if (code == ERR_CONFLICT)
		return error_set(err, ERR_CONFLICT,
				 "A davit runs on the state directory %s: stop it, then restore. "
				 "Instances may go on running.",
				 path);
	if (code < 0)
		return code;
	if (!cli_option(&r->cli, "force") &&
	    faccessat(state_fd(r->state), "davit.db", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, ERR_CONFLICT,
				 "The state directory %s has a store already; with --force it is "
				 "moved aside.",
				 state_path(r->state));
	return 0;
}

/* What comes over a pipe is read twice as well: it goes into a file without a name. */
static int keep_input(struct run *r, int fd, struct error *err)
{
	char part[PART_SIZE];
	ssize_t size;
	while ((size = read(STDIN_FILENO, part, sizeof part)) > 0 || (size < 0 && errno == EINTR))
		for (ssize_t at = 0, n; at < size; at += n)
			if ((n = write(fd, part + at, (size_t)(size - at))) < 0)
				return error_errno(err, errno,
						   "The backup cannot be kept in \"%s\"",
						   state_path(r->state));
	if (size < 0)
		return error_errno(err, errno, "The backup cannot be read");
	return lseek(fd, 0, SEEK_SET) == 0 ? 0 : error_errno(err, errno, "The backup is lost");
}

static int open_backup(struct run *r, int *ret_fd, struct error *err)
{
	bool input = strcmp(r->file, "-") == 0;
	*ret_fd = input ? openat(state_fd(r->state), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
			: open(r->file, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return error_errno(err, errno, "\"%s\" cannot be opened", r->file);
	return input ? keep_input(r, *ret_fd, err) : 0;
}

static int restore(struct run *r, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	r->file = cli_arg(&r->cli, 0);
	if (strcmp(r->file, "-") != 0 && access(r->file, R_OK) != 0)
		return error_errno(err, errno, "\"%s\" cannot be opened", r->file);
	int code = open_state(r, err);
	if (code == 0)
		code = open_backup(r, &fd, err);
	if (code == 0)
		code = restoring_begin(state_fd(r->state), &r->new_fd, err);
	if (code == 0)
		code = file_make_directories(state_fd(r->state), MEMBERS, 0700, err);
	if (code == 0)
		code = file_open_directory(state_fd(r->state), MEMBERS, &r->members_fd, err);
	if (code == 0)
		code = archive_unpack(fd, r->members_fd, &limits, err);
	if (code == 0)
		code = check_all(r, err);
	if (code == 0)
		code = file_remove_tree(state_fd(r->state), MEMBERS, err);
	if (code == 0)
		return restoring_commit(state_fd(r->state), r->old, sizeof r->old, err);
	struct error ignored;
	if (r->new_fd >= 0)
		(void)!file_remove_tree(state_fd(r->state), "restoring", &ignored);
	return code;
}

static void tell(const struct run *r)
{
	char old[PATH_SIZE] = "";
	size_t artifacts = 0;
	for (size_t i = 0; i < r->manifest.count; i++)
		artifacts += text_starts(r->manifest.members[i].name, "artifacts/");
	if (r->old[0])
		state_file(r->state, r->old, old, sizeof old);
	if (r->cli.json) {
		json_t *o = json_pack("{s:s,s:s,s:I,s:I,s:I,s:s}", "schema", "davit.v1/restore",
				      "state", state_path(r->state), "created_unix_ms",
				      (json_int_t)r->manifest.created_unix_ms, "artifacts",
				      (json_int_t)artifacts, "audit_entries",
				      (json_int_t)r->manifest.head.seq, "old", old);
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
		return;
	}
	printf("%s has the store of the backup, with %llu audit entries and the files of %zu "
	       "releases.\n",
	       state_path(r->state), (unsigned long long)r->manifest.head.seq, artifacts);
	if (old[0])
		printf("What was there lies in %s.\n", old);
}

/* A file of this machine, on the server's. */
static int restore_there(const struct cli *cli)
{
	static const char *const input[] = {"-"};
	const char *file = cli_arg(cli, 0);
	struct error err;
	if (strcmp(file, "-") == 0)
		return there_run(cli, &(struct there){.in = -1, .out = -1});
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		error_errno(&err, errno, "\"%s\" cannot be opened", file);
		return cli_fail(cli, &err, NULL);
	}
	return there_run(cli, &(struct there){.args = input, .arg_count = 1, .in = fd, .out = -1});
}

int restore_verb(int argc, char **argv)
{
	struct run r = {.members_fd = -1, .new_fd = -1};
	struct error err;
	int code = cli_parse(argv[0], argc, argv, &r.cli);
	if (code != CLI_OK)
		return code;
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	if (r.cli.host)
		return restore_there(&r.cli);
	int result = restore(&r, &err);
	if (result == 0)
		tell(&r);
	if (r.members_fd >= 0)
		close(r.members_fd);
	if (r.new_fd >= 0)
		close(r.new_fd);
	state_close(r.state);
	backup_manifest_done(&r.manifest);
	return result < 0 ? cli_fail(&r.cli, &err, NULL) : CLI_OK;
}
