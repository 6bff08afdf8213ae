/* SPDX-License-Identifier: Apache-2.0
 * secrets - see secrets.h for the contract. */
#include "keeper/secrets.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"

static int read_one(int secrets_fd, const char *directory, const struct instance_secret *secret,
		    struct variables *variables, struct mask *mask, struct error *err)
{
	struct buf value, variable;
	buf_init(&value, VARIABLES_WORD_BYTES);
	buf_init(&variable, VARIABLES_WORD_BYTES);
	value.secret = variable.secret = true;
	int code = file_read(secrets_fd, secret->name, &value, err);
	if (code == 0 && !secret->file && strlen(buf_text(&value)) != value.size)
		code = error_set(err, ERR_INVALID,
				 "The secret %s has a NUL in it and cannot be a variable; use "
				 "\"as: file\".",
				 secret->name);
	if (code == 0) {
		/* False: it cannot be told from other text. */
		(void)!mask_add(mask, buf_text(&value), value.size);
		buf_printf(&variable, "%s=", secret->name);
		if (secret->file)
			buf_printf(&variable, "%s/%s", directory, secret->name);
		else
			buf_append(&variable, buf_text(&value), value.size);
		variables_add_secret(variables, buf_take(&variable));
	}
	buf_done(&variable);
	buf_done(&value);
	return code;
}

int secrets_read(int instance_fd, const struct instance_spec *spec, struct variables *variables,
		 struct output *output, struct error *err)
{
	char directory[PATH_MAX];
	AUTO_CLOSE int secrets_fd = -1;
	if (spec->secret_count == 0)
		return 0;
	ssize_t size = readlinkat(instance_fd, "secrets", directory, sizeof directory - 1);
	if (size <= 0)
		return error_errno(err, errno, "The instance's secrets cannot be found");
	directory[size] = '\0';
	int code = file_open_directory(instance_fd, directory, &secrets_fd, err);
	struct mask *mask = code == 0 ? output_mask(output) : NULL;
	for (size_t i = 0; i < spec->secret_count && code == 0; i++)
		code = read_one(secrets_fd, directory, &spec->secrets[i], variables, mask, err);
	return code;
}
