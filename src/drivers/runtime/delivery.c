/* SPDX-License-Identifier: Apache-2.0
 * delivery - see delivery.h for the contract. */
#include "drivers/runtime/delivery.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "link/instance_record.h"
#include "os/file.h"
#include "os/process.h"

enum { VALUE_MAX = 64 * 1024, TARGET_SIZE = DELIVERY_PATH_SIZE + RECORD_PLACE_SIZE };

static const char LINK[] = "secrets";

void delivery_open(struct delivery *d, int state_fd)
{
	struct stat about = {0};
	*d = (struct delivery){.path = ""};
	fstat(state_fd, &about);
	snprintf(d->name, sizeof d->name, "davit-%u-%llx-%llx", (unsigned)geteuid(),
		 (unsigned long long)about.st_dev, (unsigned long long)about.st_ino);
}

static bool in_memory(const char *directory)
{
	struct statfs about;
	return directory && directory[0] == '/' && statfs(directory, &about) == 0 &&
	       (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC) &&
	       access(directory, W_OK) == 0;
}

static const char *find_memory(void)
{
	const char *own = getenv("XDG_RUNTIME_DIR");
	if (geteuid() == 0 && in_memory("/run"))
		return "/run";
	if (geteuid() != 0 && in_memory(own) && strlen(own) < DELIVERY_PATH_SIZE / 2)
		return own;
	return in_memory("/dev/shm") ? "/dev/shm" : NULL;
}

/* /dev/shm is everybody's: what is there under our name must be ours, and closed to others. */
static int check_own(const char *path, struct error *err)
{
	struct stat about;
	if (lstat(path, &about) != 0)
		return error_errno(err, errno, "The directory of secrets, %s, cannot be read",
				   path);
	if (!S_ISDIR(about.st_mode) || about.st_uid != geteuid() || (about.st_mode & 022))
		return error_set(err, ERR_DENIED,
				 "%s is to hold secrets, and somebody else may write there; remove "
				 "it.",
				 path);
	return 0;
}

static int find_directory(struct delivery *d, struct error *err)
{
	char path[DELIVERY_PATH_SIZE];
	const char *memory = find_memory();
	if (!memory)
		return error_set(err, ERR_UNSUPPORTED,
				 "Secrets are kept in memory alone, and neither /run nor /dev/shm "
				 "is a tmpfs that davit may write to; mount one at /dev/shm.");
	snprintf(path, sizeof path, "%s/%s", memory, d->name);
	/* Others pass through, and see nothing: an instance may have a user of its own. */
	if (mkdir(path, 0711) != 0 && errno != EEXIST)
		return error_errno(err, errno, "The directory of secrets, %s, cannot be made",
				   path);
	int code = check_own(path, err);
	if (code == 0 && chmod(path, 0711) != 0)
		code = error_errno(err, errno, "%s cannot be opened to instances", path);
	if (code == 0)
		memcpy(d->path, path, sizeof path);
	return code;
}

static void place_of(int instance_fd, const char *id, char to[RECORD_PLACE_SIZE])
{
	struct stat about = {0};
	fstat(instance_fd, &about);
	instance_record_place(id, about.st_dev, about.st_ino, to);
}

static int link_to(int instance_fd, const char *target, struct error *err)
{
	char now[TARGET_SIZE];
	ssize_t size = readlinkat(instance_fd, LINK, now, sizeof now - 1);
	if (size > 0 && (size_t)size == strlen(target) && memcmp(now, target, (size_t)size) == 0)
		return 0;
	unlinkat(instance_fd, LINK, 0);
	if (symlinkat(target, instance_fd, LINK) != 0)
		return error_errno(err, errno, "The link to the instance's secrets cannot be made");
	return 0;
}

static int write_one(int fd, const struct instance_spec *spec, const struct instance_secret *secret,
		     const struct process_user *user, const struct runtime *runtime,
		     struct error *err)
{
	int code = 0;
	if (faccessat(fd, secret->name, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
		struct buf value;
		buf_init(&value, VALUE_MAX);
		value.secret = true;
		code = runtime->secret(runtime->secret_context, spec, secret, &value, err);
		if (code == 0)
			code = file_write(fd, secret->name, buf_text(&value), value.size, 0400,
					  err);
		buf_done(&value);
	}
	if (code == 0 && user && fchownat(fd, secret->name, user->uid, user->gid, 0) != 0)
		code = error_errno(err, errno, "The secret %s cannot be given to its user",
				   secret->name);
	return code;
}

int delivery_make(struct delivery *d, int instance_fd, const struct instance_spec *spec,
		  const struct runtime *runtime, struct error *err)
{
	char place[RECORD_PLACE_SIZE], target[TARGET_SIZE];
	struct process_user user;
	AUTO_CLOSE int fd = -1;
	if (spec->secret_count == 0)
		return 0;
	if (!runtime->secret)
		return error_set(err, ERR_UNSUPPORTED, "There is no store of secrets here.");
	int code = spec->user ? process_user_find(spec->user, &user, err) : 0;
	if (code == 0)
		code = find_directory(d, err);
	if (code < 0)
		return code;
	place_of(instance_fd, spec->id, place);
	snprintf(target, sizeof target, "%s/%s", d->path, place);
	if (mkdir(target, 0700) != 0 && errno != EEXIST)
		return error_errno(err, errno,
				   "The directory of an instance's secrets cannot be made");
	code = link_to(instance_fd, target, err);
	if (code == 0)
		code = file_open_directory(AT_FDCWD, target, &fd, err);
	for (size_t i = 0; i < spec->secret_count && code == 0; i++)
		code = write_one(fd, spec, &spec->secrets[i], spec->user ? &user : NULL, runtime,
				 err);
	if (code == 0 && spec->user && fchown(fd, user.uid, user.gid) != 0)
		code = error_errno(err, errno,
				   "Secrets cannot be given to the user of an instance");
	return code;
}

void delivery_remove(int instance_fd)
{
	char target[TARGET_SIZE];
	struct error err;
	ssize_t size = readlinkat(instance_fd, LINK, target, sizeof target - 1);
	if (size <= 0)
		return;
	target[size] = '\0';
	const char *name = strrchr(target, '/');
	if (!name || !text_starts(name, "/davit-"))
		return;
	if (file_remove_tree(AT_FDCWD, target, &err) == 0)
		unlinkat(instance_fd, LINK, 0);
	else
		log_event(LOG_WARNING, "runtime.secrets", "error=\"%s\"", err.text);
}

void delivery_sweep(struct delivery *d, bool (*known)(void *context, const char *place),
		    void *context)
{
	char path[DELIVERY_PATH_SIZE];
	struct error err;
	const char *memory = find_memory();
	snprintf(path, sizeof path, "%s/%s", memory ? memory : "", d->name);
	DIR *all = memory && check_own(path, &err) == 0 ? opendir(path) : NULL;
	for (struct dirent *entry; all && (entry = readdir(all));)
		if (text_starts(entry->d_name, "davit-") && !known(context, entry->d_name) &&
		    file_remove_tree(dirfd(all), entry->d_name, &err) < 0)
			log_event(LOG_WARNING, "runtime.secrets", "error=\"%s\"", err.text);
	if (all)
		closedir(all);
	memcpy(d->path, path, sizeof path);
}

void delivery_close(struct delivery *d)
{
	if (d->path[0])
		rmdir(d->path); /* not while an instance runs on */
}
