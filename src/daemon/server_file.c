/* SPDX-License-Identifier: Apache-2.0
 * server_file - see server_file.h for the contract. */
#include "daemon/server_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"
#include "config/server.h"
#include "config/yaml.h"
#include "os/file.h"

#define USUAL_PATH "/etc/davit/server.yaml"

struct server_file {
	char path[4096];
	struct stat seen; /* of what was read last, good or not */
	struct server *server;
	struct server *before; /* somebody may still be reading it: it is freed a change later */
};

static bool changed(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec ||
	       a->st_ino != b->st_ino || a->st_size != b->st_size;
}

static int load(struct server_file *file, struct error *err)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct server *server;
	struct buf text;
	buf_init(&text, YAML_BYTES_MAX);
	int result = file_read(AT_FDCWD, file->path, &text, err);
	if (result == 0) {
		result = server_load(buf_text(&text), text.size, file->path, &server, errors);
		if (result < 0) {
			error_set(err, ERR_INVALID, "%s: %s", errors->items[0].where,
				  errors->items[0].text);
			result = ERR_DENIED; /* another try at once changes nothing */
		}
	}
	if (result == 0) {
		server_free(file->before);
		file->before = file->server;
		file->server = server;
	}
	buf_done(&text);
	free(errors);
	return result;
}

int server_file_open(const char *path, struct server_file **ret_file, struct error *err)
{
	struct server_file *file = mem_zero(1, sizeof *file);
	text_copy(file->path, sizeof file->path, path ? path : USUAL_PATH);
	if (stat(file->path, &file->seen) == 0 || path) {
		int result = load(file, err);
		if (result < 0) {
			server_file_close(file);
			return result;
		}
	}
	*ret_file = file;
	return 0;
}

void server_file_close(struct server_file *file)
{
	if (!file)
		return;
	server_free(file->before);
	server_free(file->server);
	free(file);
}

const struct server *server_file_now(void *context)
{
	struct server_file *file = context;
	struct stat now;
	struct error err;
	/* One that is gone for a moment, as while an editor writes it, is not an empty one. */
	if (stat(file->path, &now) != 0 || !changed(&now, &file->seen))
		return file->server;
	file->seen = now;
	if (load(file, &err) < 0)
		log_event(LOG_ERROR, "server.file",
			  "error=\"%s\" why=\"the last good one stays in force\"", err.text);
	else
		log_event(LOG_INFO, "server.file", "path=\"%s\"", file->path);
	return file->server;
}
