/* SPDX-License-Identifier: Apache-2.0
 * cgroup - see cgroup.h for the contract.
 *
 * A record in the text form is "KIND PATH" in lines, KIND one of v2, freezer, other. */
#include "os/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { FILE_SIZE = 16 * 1024, CPU_PERIOD_US = 100000 };

static bool read_text(const char *directory, const char *name, char *to, size_t size)
{
	char path[CGROUP_PATH_SIZE + 64];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t used = 0;
	ssize_t count;
	while (used + 1 < size && (count = read(fd, to + used, size - 1 - used)) > 0)
		used += (size_t)count;
	close(fd);
	to[used] = '\0';
	return true;
}

static bool write_text(const char *directory, const char *name, const char *text)
{
	char path[CGROUP_PATH_SIZE + 64];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t size = strlen(text);
	bool done = write(fd, text, size) == (ssize_t)size;
	close(fd);
	return done;
}

static bool has_file(const char *directory, const char *name)
{
	char path[CGROUP_PATH_SIZE + 64];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return access(path, F_OK) == 0;
}

/* Is `word` one of the words in `list`, which are separated by `separator`? */
static bool has_word(const char *list, const char *word, char separator)
{
	size_t size = strlen(word);
	for (const char *at = list; at; at = strchr(at, separator)) {
		at += *at == separator;
		if (strncmp(at, word, size) == 0 &&
		    (at[size] == separator || at[size] == '\0' || at[size] == '\n'))
			return true;
	}
	return false;
}

/* Cut the next line off a text; NULL at its end. */
static char *next_line(char **rest)
{
	char *line = *rest;
	if (!line || !*line)
		return NULL;
	char *end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*rest = end ? end + 1 : NULL;
	return line;
}

/* Cut the next word off a line; "" at its end. */
static char *next_word(char **rest)
{
	char *word = *rest;
	char *end = strchr(word, ' ');
	if (end)
		*end = '\0';
	*rest = end ? end + 1 : word + strlen(word);
	return word;
}

/* Our own cgroup's path in the hierarchy of `controller`; "" names v2. */
static bool own_path(const char *controller, char *to, size_t size)
{
	char text[FILE_SIZE];
	if (!read_text("/proc/self", "cgroup", text, sizeof text))
		return false;
	char *rest = text;
	for (char *line; (line = next_line(&rest));) { /* number:controllers:path */
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		names++;
		if (controller[0] ? has_word(names, controller, ',') : names[0] == '\0')
			return text_copy(to, size, path);
	}
	return false;
}

struct mount {
	char root[CGROUP_PATH_SIZE]; /* what part of the hierarchy is mounted */
	char point[CGROUP_PATH_SIZE];
};

static bool find_mount(const char *controller, struct mount *ret_mount)
{
	char text[4 * FILE_SIZE];
	if (!read_text("/proc/self", "mountinfo", text, sizeof text))
		return false;
	char *rest = text;
	for (char *line; (line = next_line(&rest));) {
		char *type = strstr(line, " - ");
		if (!type)
			continue;
		*type = '\0';
		type += 3;
		for (int i = 0; i < 3; i++)
			next_word(&line);
		const char *root = next_word(&line);
		const char *point = next_word(&line);
		const char *name = next_word(&type);
		next_word(&type); /* the source */
		if (controller[0] ? strcmp(name, "cgroup") == 0 && has_word(type, controller, ',')
				  : strcmp(name, "cgroup2") == 0)
			return text_copy(ret_mount->root, sizeof ret_mount->root, root) &&
			       text_copy(ret_mount->point, sizeof ret_mount->point, point);
	}
	return false;
}

/* The directory of the cgroup we are in, in the hierarchy of `controller`. */
static bool own_directory(const char *controller, char *to, size_t size)
{
	char path[CGROUP_PATH_SIZE];
	struct mount mount;
	if (!own_path(controller, path, sizeof path) || !find_mount(controller, &mount))
		return false;
	const char *below = path;
	size_t root = strlen(mount.root);
	if (root > 1 && strncmp(path, mount.root, root) == 0)
		below += root;
	int length = snprintf(to, size, "%s%s", mount.point, strcmp(below, "/") == 0 ? "" : below);
	return length > 0 && (size_t)length < size;
}

/* Make `name` in our cgroup of that hierarchy and add it; false when that cannot be. */
static bool add_directory(struct cgroup *cgroup, const char *controller, const char *name)
{
	char own[CGROUP_PATH_SIZE];
	char *to = cgroup->dirs[cgroup->dir_count];
	if (cgroup->dir_count == CGROUP_DIRS_MAX || !own_directory(controller, own, sizeof own))
		return false;
	int length = snprintf(to, CGROUP_PATH_SIZE, "%s/%s", own, name);
	if (length < 0 || length >= CGROUP_PATH_SIZE || (mkdir(to, 0755) != 0 && errno != EEXIST))
		return false;
	if (!has_file(to, "cgroup.procs")) {
		rmdir(to);
		return false;
	}
	cgroup->dir_count++;
	return true;
}

static void add_killer(struct cgroup *cgroup, const char *name)
{
	const char *only = getenv("DAVIT_CGROUPS");
	bool v2 = !only || strcmp(only, "v2") == 0;
	bool v1 = !only || strcmp(only, "v1") == 0;
	if (v2 && add_directory(cgroup, "", name)) {
		if (has_file(cgroup->dirs[0], "cgroup.kill")) {
			cgroup->kill = CGROUP_V2;
			return;
		}
		rmdir(cgroup->dirs[--cgroup->dir_count]);
	}
	if (v1 && add_directory(cgroup, "freezer", name))
		cgroup->kill = CGROUP_FREEZER;
}

/* A v2 directory has a controller's files once its parent lets it; that fails where processes live. */
static void enable_controllers(const struct cgroup *cgroup)
{
	char parent[CGROUP_PATH_SIZE];
	if (cgroup->kill != CGROUP_V2 || !text_copy(parent, sizeof parent, cgroup->dirs[0]))
		return;
	*strrchr(parent, '/') = '\0';
	write_text(parent, "cgroup.subtree_control", "+memory");
	write_text(parent, "cgroup.subtree_control", "+cpu");
	write_text(parent, "cgroup.subtree_control", "+pids");
}

static bool limit_memory(struct cgroup *cgroup, const char *name, uint64_t bytes)
{
	char text[32];
	snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
	if (cgroup->kill == CGROUP_V2 && write_text(cgroup->dirs[0], "memory.max", text)) {
		write_text(cgroup->dirs[0], "memory.swap.max", "0"); /* only where there is swap */
		return true;
	}
	return add_directory(cgroup, "memory", name) &&
	       write_text(cgroup->dirs[cgroup->dir_count - 1], "memory.limit_in_bytes", text);
}

static bool limit_cpu(struct cgroup *cgroup, const char *name, uint32_t milli)
{
	char text[48];
	unsigned long quota = (unsigned long)milli * (CPU_PERIOD_US / 1000);
	snprintf(text, sizeof text, "%lu %d", quota, CPU_PERIOD_US);
	if (cgroup->kill == CGROUP_V2 && write_text(cgroup->dirs[0], "cpu.max", text))
		return true;
	*strchr(text, ' ') = '\0';
	return add_directory(cgroup, "cpu", name) &&
	       write_text(cgroup->dirs[cgroup->dir_count - 1], "cpu.cfs_quota_us", text);
}

static void limit_processes(struct cgroup *cgroup, const char *name, uint32_t count)
{
	char text[16];
	snprintf(text, sizeof text, "%u", count);
	if (cgroup->kill == CGROUP_V2 && write_text(cgroup->dirs[0], "pids.max", text))
		return;
	if (add_directory(cgroup, "pids", name))
		write_text(cgroup->dirs[cgroup->dir_count - 1], "pids.max", text);
}

void cgroup_make(const char *name, const struct cgroup_limits *limits, struct cgroup *ret_cgroup,
		 char *ret_note)
{
	struct cgroup cgroup = {.kill = CGROUP_NONE};
	const char *only = getenv("DAVIT_CGROUPS");
	bool memory = limits->memory_bytes > 0;
	bool cpu = limits->cpu_milli > 0;
	add_killer(&cgroup, name);
	if ((!only || strcmp(only, "none") != 0) && (memory || cpu || limits->processes > 0)) {
		enable_controllers(&cgroup);
		memory = memory && !limit_memory(&cgroup, name, limits->memory_bytes);
		cpu = cpu && !limit_cpu(&cgroup, name, limits->cpu_milli);
		if (limits->processes > 0)
			limit_processes(&cgroup, name, limits->processes);
	}
	ret_note[0] = '\0';
	if (memory || cpu)
		snprintf(ret_note, CGROUP_NOTE_SIZE,
			 "The limit of %s is not set: no cgroup with that controller is writable "
			 "here.",
			 memory && cpu ? "memory and cpu"
			 : memory      ? "memory"
				       : "cpu");
	*ret_cgroup = cgroup;
}

static const char *const kinds[] = {
	[CGROUP_NONE] = "other", [CGROUP_V2] = "v2", [CGROUP_FREEZER] = "freezer"};

const char *cgroup_text(const struct cgroup *cgroup, char to[CGROUP_TEXT_SIZE])
{
	size_t used = 0;
	to[0] = '\0';
	for (size_t i = 0; i < cgroup->dir_count; i++)
		used += (size_t)snprintf(
			to + used, CGROUP_TEXT_SIZE - used, "%s%s %s", i > 0 ? "\n" : "",
			kinds[i == 0 ? cgroup->kill : CGROUP_NONE], cgroup->dirs[i]);
	return to;
}

void cgroup_open(const char *text, struct cgroup *ret_cgroup)
{
	char copy[CGROUP_TEXT_SIZE];
	struct cgroup cgroup = {.kill = CGROUP_NONE};
	char *rest = text_copy(copy, sizeof copy, text) ? copy : NULL;
	for (char *line; (line = next_line(&rest)) && cgroup.dir_count < CGROUP_DIRS_MAX;) {
		const char *kind = next_word(&line);
		if (line[0] != '/' ||
		    !text_copy(cgroup.dirs[cgroup.dir_count], CGROUP_PATH_SIZE, line))
			continue;
		if (cgroup.dir_count++ == 0)
			cgroup.kill = strcmp(kind, kinds[CGROUP_V2]) == 0        ? CGROUP_V2
				      : strcmp(kind, kinds[CGROUP_FREEZER]) == 0 ? CGROUP_FREEZER
										 : CGROUP_NONE;
	}
	*ret_cgroup = cgroup;
}

size_t cgroup_join_fds(const struct cgroup *cgroup, int to[CGROUP_DIRS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < cgroup->dir_count; i++) {
		char path[CGROUP_PATH_SIZE + 64];
		snprintf(path, sizeof path, "%s/cgroup.procs", cgroup->dirs[i]);
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			to[count++] = fd;
	}
	return count;
}

size_t cgroup_list(const struct cgroup *cgroup, pid_t *to, size_t max)
{
	char text[FILE_SIZE];
	size_t count = 0;
	if (cgroup->kill == CGROUP_NONE ||
	    !read_text(cgroup->dirs[0], "cgroup.procs", text, sizeof text))
		return 0;
	char *rest = text;
	uint64_t pid;
	for (char *line; count < max && (line = next_line(&rest));)
		if (text_parse_u64(line, INT32_MAX, &pid) && pid > 0)
			to[count++] = (pid_t)pid;
	return count;
}

void cgroup_end(const struct cgroup *cgroup)
{
	if (cgroup->kill == CGROUP_NONE)
		return;
	if (cgroup->kill == CGROUP_V2) {
		write_text(cgroup->dirs[0], "cgroup.kill", "1");
		return;
	}
	/* Frozen, none of them can fork away between the list and the signal. */
	pid_t pids[1024];
	write_text(cgroup->dirs[0], "freezer.state", "FROZEN");
	size_t count = cgroup_list(cgroup, pids, sizeof pids / sizeof pids[0]);
	for (size_t i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	write_text(cgroup->dirs[0], "freezer.state", "THAWED");
}

/* The number of a file that has only one, or what follows `field` in one that has many. */
static bool read_number(const char *directory, const char *name, const char *field,
			uint64_t *ret_value)
{
	char text[FILE_SIZE];
	if (!read_text(directory, name, text, sizeof text))
		return false;
	char *rest = text;
	for (char *line; (line = next_line(&rest));)
		if ((!field || strcmp(next_word(&line), field) == 0) &&
		    text_parse_u64(line, UINT64_MAX, ret_value))
			return true;
	return false;
}

bool cgroup_number(const struct cgroup *cgroup, const char *name, const char *field,
		   uint64_t *ret_value)
{
	for (size_t i = 0; i < cgroup->dir_count; i++)
		if (read_number(cgroup->dirs[i], name, field, ret_value))
			return true;
	return false;
}

uint64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
	static const char *const names[] = {"memory.events", "memory.oom_control"};
	uint64_t sum = 0, count;
	for (size_t i = 0; i < cgroup->dir_count; i++)
		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
			if (read_number(cgroup->dirs[i], names[k], "oom_kill", &count))
				sum += count;
	return sum;
}

bool cgroup_remove(const struct cgroup *cgroup)
{
	bool removed = true;
	for (size_t i = 0; i < cgroup->dir_count; i++)
		if (rmdir(cgroup->dirs[i]) != 0 && errno != ENOENT)
			removed = false;
	return removed;
}
