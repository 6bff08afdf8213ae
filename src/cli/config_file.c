/* SPDX-License-Identifier: Apache-2.0
 * config_file - see config_file.h for the contract. */
#include "cli/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/ask.h"

int config_file_read(const char *path, struct buf *to, struct error *err)
{
	char part[8192];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "The configuration %s cannot be read", path);
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_append(to, part, (size_t)n);
	int number = errno;
	close(fd);
	if (n < 0)
		return error_errno(err, number, "The configuration %s cannot be read", path);
	if (to->overflowed)
		return error_set(err, ERR_LIMIT, "The configuration %s is larger than %d bytes.",
				 path, CONFIG_FILE_MAX);
	return 0;
}

static void print_json(const struct config_errors *errors, const char *file)
{
	json_t *list = json_array();
	char message[512];
	for (uint32_t i = 0; i < errors->count; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "where", errors->items[i].where,
						      "message", errors->items[i].text));
	snprintf(message, sizeof message, "%s has %u %s.", file, errors->count + errors->left_out,
		 errors->count + errors->left_out == 1 ? "error" : "errors");
	ask_print(json_pack("{s:s,s:s,s:s,s:s,s:o,s:i,s:s}", "schema", "davit.v1/error", "error",
			    "invalid", "message", message, "where", file, "errors", list,
			    "exit_code", CLI_USAGE, "next", "davit docs KEY"));
}

static void print_text(const struct cli *cli, const struct config_errors *errors)
{
	for (uint32_t i = 0; i < errors->count; i++)
		(void)cli_fail(cli, &errors->items[i], NULL);
	if (errors->left_out > 0)
		fprintf(stderr, "davit: and %u more.\n", errors->left_out);
	fputs("Next: davit docs KEY\n", stderr);
}

int config_file_load(const struct cli *cli, const struct buf *text, const char *file,
		     struct app **ret_app)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	int code = CLI_OK;
	if (config_load(buf_text(text), text->size, file, ret_app, errors) < 0) {
		if (cli->json)
			print_json(errors, file);
		else
			print_text(cli, errors);
		code = CLI_USAGE;
	}
	free(errors);
	return code;
}

int config_file_open(const struct cli *cli, const char *file, struct app **ret_app)
{
	struct buf text;
	struct error err;
	buf_init(&text, CONFIG_FILE_MAX);
	int code = config_file_read(file, &text, &err) < 0
			   ? cli_fail(cli, &err, "davit init")
			   : config_file_load(cli, &text, file, ret_app);
	buf_done(&text);
	return code;
}
