/* SPDX-License-Identifier: Apache-2.0
 * place - see place.h for the contract. */
#include "keeper/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link/instance_record.h"
#include "os/file.h"
#include "os/lock.h"
#include "os/random.h"
#include "os/tcp.h"

static const char making[] = "release.new";

/* Open the persistent directory, made when missing and then given to the instance's user. */
static int make_persistent(int instance_fd, const char *path, uid_t uid, gid_t gid,
			   struct error *err)
{
	AUTO_CLOSE int fd = -1;
	struct error missing;
	if (file_open_directory(instance_fd, path, &fd, &missing) == 0)
		return 0;
	int code = file_make_directories(instance_fd, path, 0755, err);
	if (code == 0)
		code = file_open_directory(instance_fd, path, &fd, err);
	if (code == 0 && fchown(fd, uid, gid) != 0)
		code = error_errno(err, errno, "\"%s\" cannot be given to its user", path);
	return code;
}

/* Put the link in place of `path` beneath the new release; whatever the artifact has there goes. */
static int link_persistent(int instance_fd, const char *path, const char *target, struct error *err)
{
	struct buf where, up;
	buf_init(&where, PATH_MAX);
	buf_init(&up, PATH_MAX);
	buf_printf(&where, "%s/%s", making, path);
	buf_puts(&up,
		 "../"); /* out of release; the target is relative to the instance's directory */
	for (const char *at = path; (at = strchr(at, '/')); at++)
		buf_puts(&up, "../");
	buf_puts(&up, target);
	char *slash = strrchr(where.data, '/');
	*slash = '\0';
	int code = file_make_directories(instance_fd, where.data, 0755, err);
	*slash = '/';
	if (code == 0)
		code = file_remove_tree(instance_fd, where.data, err);
	if (code == 0 && symlinkat(up.data, instance_fd, where.data) != 0)
		code = error_errno(err, errno, "The link \"%s\" cannot be made", path);
	buf_done(&where);
	buf_done(&up);
	return code;
}

static int add_persistent(int instance_fd, const struct instance_spec *spec, const char *given,
			  uid_t uid, gid_t gid, struct error *err)
{
	struct buf path, target;
	buf_init(&path, PATH_MAX);
	buf_init(&target, PATH_MAX);
	buf_puts(&path, given);
	while (path.data[path.size - 1] == '/') /* "storage/" is "storage" */
		path.data[--path.size] = '\0';
	buf_printf(&target, "../../persist/%s/%s/%s", spec->app, spec->environment, path.data);
	int code = path.overflowed || target.overflowed
			   ? error_set(err, ERR_LIMIT, "A persistent path is too long.")
			   : make_persistent(instance_fd, target.data, uid, gid, err);
	if (code == 0)
		code = link_persistent(instance_fd, path.data, target.data, err);
	buf_done(&path);
	buf_done(&target);
	return code;
}

int place_make(int instance_fd, const struct instance_spec *spec, uid_t uid, gid_t gid,
	       struct error *err)
{
	if (faccessat(instance_fd, "release", F_OK, 0) == 0)
		return 0;
	char artifact[128];
	snprintf(artifact, sizeof artifact, "../../artifacts/%s", spec->artifact);
	int code = file_remove_tree(instance_fd, making, err); /* of a keeper that was killed */
	if (code == 0)
		code = file_copy_tree(instance_fd, artifact, instance_fd, making, uid, gid, err);
	for (size_t i = 0; code == 0 && spec->persist[i]; i++)
		code = add_persistent(instance_fd, spec, spec->persist[i], uid, gid, err);
	if (code == 0 && renameat(instance_fd, making, instance_fd, "release") != 0)
		code = error_errno(err, errno, "The instance's directory cannot be put in place");
	return code;
}

/* Mark the ports that other instances have written down. */
static void read_taken(int instances_fd, bool *taken)
{
	int fd = openat(instances_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	if (!all)
		return;
	for (struct dirent *entry; (entry = readdir(all));) {
		char name[512];
		struct buf text;
		struct error err;
		struct instance_record record;
		if (!instance_id_valid(entry->d_name))
			continue;
		snprintf(name, sizeof name, "%s/state", entry->d_name);
		buf_init(&text, RECORD_MAX_BYTES);
		if (file_read(instances_fd, name, &text, &err) == 0 &&
		    instance_record_read(buf_text(&text), text.size, &record, &err) == 0 &&
		    !instance_state_over(record.state) && record.port >= PLACE_PORT_FIRST &&
		    record.port <= PLACE_PORT_LAST)
			taken[record.port - PLACE_PORT_FIRST] = true;
		buf_done(&text);
	}
	closedir(all);
}

static int choose(int instances_fd, uint16_t *port, struct error *err)
{
	enum { COUNT = PLACE_PORT_LAST - PLACE_PORT_FIRST + 1 };
	bool taken[COUNT] = {false};
	read_taken(instances_fd, taken);
	/* From a random one on: servers that were told a port by hand tend to sit at the beginning. */
	uint64_t first = random_below(COUNT);
	for (uint64_t i = 0; i < COUNT; i++) {
		uint64_t at = (first + i) % COUNT;
		if (!taken[at] && tcp_port_free((uint16_t)(PLACE_PORT_FIRST + at))) {
			*port = (uint16_t)(PLACE_PORT_FIRST + at);
			return 0;
		}
	}
	return error_set(err, ERR_LIMIT, "No port between %d and %d is free.", PLACE_PORT_FIRST,
			 PLACE_PORT_LAST);
}

int place_port(int instance_fd, uint16_t *port, int (*keep)(void *context, struct error *err),
	       void *context, struct error *err)
{
	if (*port != 0 && tcp_port_free(*port))
		return keep(context, err);
	AUTO_CLOSE int instances_fd = -1;
	AUTO_CLOSE int lock_fd = -1;
	int code = file_open_directory(instance_fd, "..", &instances_fd, err);
	if (code == 0)
		code = lock_wait(instances_fd, ".ports", &lock_fd, err);
	if (code == 0)
		code = choose(instances_fd, port, err);
	if (code == 0)
		code = keep(context, err);
	return code;
}
