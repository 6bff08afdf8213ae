/* SPDX-License-Identifier: Apache-2.0
 * release_upload - see release_upload.h for the contract. */
#include "cli/release_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/config_file.h"
#include "cli/screen.h"
#include "os/archive.h"

enum { PATH_SIZE = 4096 };

struct upload {
	int fd;
	struct error *err;
};

static long read_upload(void *context, void *to, size_t size)
{
	struct upload *upload = context;
	ssize_t n = read(upload->fd, to, size);
	if (n < 0)
		error_errno(upload->err, errno, "The release could not be read");
	return (long)n;
}

static int write_all(void *context, const void *bytes, size_t size, struct error *err)
{
	const int *fd = context;
	const char *p = bytes;
	while (size > 0) {
		ssize_t n = write(*fd, p, size);
		if (n < 0)
			return error_errno(err, errno,
					   "The release could not be packed into $TMPDIR");
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* A directory becomes a tar in a file without a name: the same tree gives the same bytes. */
static int pack_directory(const char *path, int *ret_fd, struct error *err)
{
	const char *temporary = getenv("TMPDIR");
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return error_errno(err, errno, "The directory %s cannot be opened", path);
	int fd = open(temporary && temporary[0] ? temporary : "/tmp",
		      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int result = fd < 0 ? error_errno(err, errno, "No temporary file can be made; set TMPDIR")
			    : archive_pack(directory, write_all, &fd, err);
	close(directory);
	if (result < 0) {
		if (fd >= 0)
			close(fd);
		return result;
	}
	lseek(fd, 0, SEEK_SET);
	*ret_fd = fd;
	return 0;
}

/* --config, else davit.yaml in the release's directory, else here. NULL: an archive may bring its own. */
static const char *find_config(const char *named, const char *path, bool directory,
			       char to[PATH_SIZE])
{
	if (named)
		return named;
	if (directory) {
		snprintf(to, PATH_SIZE, "%s/davit.yaml", path);
		if (access(to, F_OK) == 0)
			return to;
	}
	return directory || access("davit.yaml", F_OK) == 0 ? "davit.yaml" : NULL;
}

/* Every error at once, before anything is sent. */
static int take_config(struct cli *cli, const char *file, struct buf *config)
{
	struct error err;
	struct app *app;
	if (config_file_read(file, config, &err) < 0)
		return cli_fail(cli, &err, "davit init");
	int code = config_file_load(cli, config, file, &app);
	if (code == CLI_OK)
		config_free(app);
	return code;
}

static int open_release(const char *path, const struct stat *st, int *ret_fd, char name[256],
			struct error *err)
{
	if (S_ISDIR(st->st_mode)) {
		snprintf(name, 256, "release.tar");
		return pack_directory(path, ret_fd, err);
	}
	const char *slash = strrchr(path, '/');
	text_copy(name, 256, slash ? slash + 1 : path);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd >= 0 ? 0 : error_errno(err, errno, "The file %s cannot be opened", path);
}

static void say(const json_t *release)
{
	fprintf(stderr, "%s is release %.12s (%llu files)%s.\n", json_text_of(release, "tag"),
		json_text_of(release, "release"),
		(unsigned long long)json_number_of(release, "files"),
		json_is_true(json_object_get(release, "existed")) ? ", which davit has already"
								  : "");
}

/* With the configuration that was found. */
static int send(struct client *client, const struct release_upload *what, const struct stat *st,
		const char *file, const struct buf *config, json_t **ret_release, struct error *err)
{
	char name[256], url[2048] = "/v1/releases";
	struct upload upload = {.fd = -1, .err = err};
	int result = open_release(what->path, st, &upload.fd, name, err);
	client_query(url, sizeof url, "environment", what->environment);
	client_query(url, sizeof url, "app", what->app);
	client_query(url, sizeof url, "tag", what->tag);
	client_query(url, sizeof url, "name", name);
	client_query(url, sizeof url, "config", file);
	if (result == 0)
		result = client_upload(client, url, buf_text(config), config->size, read_upload,
				       &upload, ret_release, err);
	if (upload.fd >= 0)
		close(upload.fd);
	if (result < 0 && !err->where[0] && err->code == ERR_INVALID)
		error_where(err, "%s", what->path);
	return result;
}

int release_upload(struct cli *cli, struct client *client, const struct release_upload *what,
		   json_t **ret_release)
{
	char config_path[PATH_SIZE];
	struct stat st;
	struct error err;
	struct buf config;
	if (stat(what->path, &st) != 0) {
		error_errno(&err, errno, "The release %s cannot be read", what->path);
		return cli_fail(cli, &err, NULL);
	}
	buf_init(&config, CONFIG_FILE_MAX);
	const char *file = find_config(what->config, what->path, S_ISDIR(st.st_mode), config_path);
	int code = file ? take_config(cli, file, &config) : CLI_OK;
	if (code == CLI_OK && send(client, what, &st, file, &config, ret_release, &err) < 0)
		code = cli_fail(cli, &err, client_next(client));
	buf_done(&config);
	if (code == CLI_OK && !cli->json)
		say(*ret_release);
	return code;
}
