/* SPDX-License-Identifier: Apache-2.0
 * deploy - davit deploy ENV [VERSION|PATH]: make a release of a path, or take one that is there, and follow
 *          its rollout. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "os/archive.h"

enum { CONFIG_MAX = 256 * 1024, PATH_SIZE = 4096 };

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

static int read_config(const char *path, struct buf *to, struct error *err)
{
	char part[8192];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "The configuration %s cannot be read", path);
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_append(to, part, (size_t)n);
	close(fd);
	if (n < 0)
		return error_errno(err, errno, "The configuration %s cannot be read", path);
	if (to->overflowed)
		return error_set(err, ERR_LIMIT, "The configuration %s is larger than %d bytes.",
				 path, CONFIG_MAX);
	return 0;
}

/* --config, else davit.yaml in the release's directory, else here. */
static const char *find_config(const struct cli *cli, const char *path, bool directory,
			       char to[PATH_SIZE])
{
	const char *named = cli_option(cli, "config");
	if (named)
		return named;
	if (directory) {
		snprintf(to, PATH_SIZE, "%s/davit.yaml", path);
		if (access(to, F_OK) == 0)
			return to;
	}
	return "davit.yaml";
}

/* Every error at once, before anything is sent. */
static int check_config(const struct cli *cli, const struct buf *text, const char *file)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct app *app = NULL;
	int code = CLI_OK;
	if (config_load(text->data ? text->data : "", text->size, file, &app, errors) < 0) {
		for (uint32_t i = 0; i < errors->count; i++)
			code = cli_fail(cli, &errors->items[i],
					i + 1 == errors->count ? "davit docs KEY" : NULL);
		code = CLI_USAGE;
	} else {
		config_free(app);
	}
	free(errors);
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

static const char *query(const char *key, const char *value, char *to, size_t size)
{
	char name[32];
	snprintf(name, sizeof name, "&%s=", key);
	if (!value || !value[0])
		to[0] = '\0';
	else
		client_path(name, value, "", to, size);
	return to;
}

/* Make a release of a path; `ret_id` is its id. Returns an exit code. */
static int make_release(struct cli *cli, struct client *client, const char *environment,
			const char *path, const struct stat *st, char ret_id[DIGEST_HEX_SIZE])
{
	char config_path[PATH_SIZE], name[256], url[2048], part[512];
	struct error err;
	struct buf config;
	json_t *release = NULL;
	struct upload upload = {.fd = -1, .err = &err};
	buf_init(&config, CONFIG_MAX);
	const char *file = find_config(cli, path, S_ISDIR(st->st_mode), config_path);
	int code, result = read_config(file, &config, &err);
	if (result < 0) {
		buf_done(&config);
		return cli_fail(cli, &err, "davit init");
	}
	code = check_config(cli, &config, file);
	if (code != CLI_OK) {
		buf_done(&config);
		return code;
	}
	result = open_release(path, st, &upload.fd, name, &err);
	client_path("/v1/releases?environment=", environment, "", url, sizeof url);
	strncat(url, query("tag", cli_option(cli, "as"), part, sizeof part),
		sizeof url - strlen(url) - 1);
	strncat(url, query("name", name, part, sizeof part), sizeof url - strlen(url) - 1);
	strncat(url, query("config", file, part, sizeof part), sizeof url - strlen(url) - 1);
	if (result == 0)
		result = client_upload(client, url, config.data, config.size, read_upload, &upload,
				       &release, &err);
	if (upload.fd >= 0)
		close(upload.fd);
	buf_done(&config);
	if (result < 0)
		return cli_fail(cli, &err, NULL);
	text_copy(ret_id, DIGEST_HEX_SIZE, json_text_of(release, "release"));
	if (!cli->json)
		fprintf(stderr, "%s is release %.12s (%llu files)%s.\n",
			json_text_of(release, "tag"), ret_id,
			(unsigned long long)json_number_of(release, "files"),
			json_is_true(json_object_get(release, "existed"))
				? ", which davit has already"
				: "");
	json_decref(release);
	return CLI_OK;
}

static int begin(struct cli *cli, struct client *client, const char *environment,
		 const char *release, uint32_t *ret_rollout)
{
	char url[512];
	struct error err;
	json_t *answer, *body = json_object();
	const char *strategy = cli_option(cli, "strategy"), *reason = cli_option(cli, "reason");
	json_object_set_new(body, "release", json_string(release));
	if (strategy)
		json_object_set_new(body, "strategy", json_string(strategy));
	if (reason)
		json_object_set_new(body, "reason", json_string(reason));
	json_object_set_new(body, "allow_bad", json_boolean(cli_option(cli, "allow-bad") != NULL));
	client_path("/v1/environments/", environment, "/deploy", url, sizeof url);
	if (client_post(client, url, body, &answer, &err) < 0)
		return cli_fail(cli, &err, NULL);
	*ret_rollout = (uint32_t)json_number_of(answer, "rollout");
	json_decref(answer);
	return CLI_OK;
}

static int run(struct cli *cli, struct client *client)
{
	const char *environment = cli_arg(cli, 0), *what = cli_arg(cli, 1),
		   *timeout = cli_option(cli, "timeout");
	char release[DIGEST_HEX_SIZE], number[16];
	uint64_t timeout_ms = 0;
	uint32_t rollout = 0;
	struct stat st;
	struct error err;
	int code = CLI_OK;
	if (timeout && !text_parse_duration(timeout, &timeout_ms)) {
		error_set(&err, ERR_INVALID, "--timeout takes a duration such as 30m, not \"%s\".",
			  timeout);
		return cli_fail(cli, &err, "davit deploy --help");
	}
	if (!what)
		what = ".";
	if (stat(what, &st) == 0)
		code = make_release(cli, client, environment, what, &st, release);
	else if (strchr(what, '/')) {
		error_errno(&err, errno, "The release %s cannot be read", what);
		return cli_fail(cli, &err, NULL);
	} else
		text_copy(release, sizeof release, what);
	if (code == CLI_OK)
		code = begin(cli, client, environment, release, &rollout);
	if (code != CLI_OK)
		return code;
	snprintf(number, sizeof number, "%u", rollout);
	if (cli_option(cli, "detach")) {
		if (cli->json)
			printf("{\"schema\":\"davit.v1/accepted\",\"rollout\":%u}\n", rollout);
		else
			printf("Rollout %u has begun. Next: davit watch %s\n", rollout, number);
		return CLI_OK;
	}
	return follow_rollout(cli, client, number, timeout_ms);
}

int verb_deploy(struct cli *cli)
{
	struct client *client;
	struct error err;
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, "davit up");
	int code = run(cli, client);
	client_free(client);
	return code;
}
