/* SPDX-License-Identifier: Apache-2.0
 * delivery - see delivery.h for the contract. */
#include "drivers/runtime/delivery.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "link/instance_record.h"
#include "os/file.h"
#include "os/memory_directory.h"
#include "os/process.h"

enum { VALUE_MAX = 64 * 1024, TARGET_SIZE = MEMORY_PATH_SIZE + RECORD_PLACE_SIZE };

static const char LINK[] = "secrets";

void delivery_open(struct delivery *d, int state_fd)
{
	*d = (struct delivery){.path = ""};
	memory_directory_name("davit", state_fd, d->name);
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
		code = memory_directory_make(d->name, d->path, err);
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
	char path[MEMORY_PATH_SIZE];
	struct error err;
	DIR *all = memory_directory_find(d->name, path) ? opendir(path) : NULL;
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
