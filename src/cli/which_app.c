/* SPDX-License-Identifier: Apache-2.0
 * which_app - see which_app.h for the contract. */
#include "cli/which_app.h"

#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/config_file.h"
#include "cli/screen.h"

static bool only_app(const json_t *status, char to[WHICH_APP_SIZE])
{
	const json_t *apps = json_object_get(status, "applications");
	return json_array_size(apps) == 1 &&
	       text_copy(to, WHICH_APP_SIZE, json_text_of(json_array_get(apps, 0), "app"));
}

int which_app(const struct cli *cli, const char *what, char to[WHICH_APP_SIZE])
{
	const char *said = cli_option(cli, "app");
	struct error err;
	struct app *app;
	json_t *status;
	if (said && text_copy(to, WHICH_APP_SIZE, said))
		return CLI_OK;
	if (access("davit.yaml", R_OK) == 0) {
		int code = config_file_open(cli, "davit.yaml", &app);
		if (code == CLI_OK) {
			text_copy(to, WHICH_APP_SIZE, app->name);
			config_free(app);
		}
		return code;
	}
	int code = ask_get(cli, "/v1/status", &status);
	if (code != CLI_OK)
		return code;
	bool found = only_app(status, to);
	json_decref(status);
	if (found)
		return CLI_OK;
	error_set(&err, ERR_INVALID, "%s cannot be told here: name the application with --app.",
		  what);
	return cli_fail(cli, &err, NULL);
}
