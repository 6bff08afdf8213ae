/* SPDX-License-Identifier: Apache-2.0
 *
 * register_findings - the reports of scans that go along with davit register: read here, where the commit's files are, and sent
 *                     as the stages that they are of.
 *
 * WHAT  Each `--sarif [STAGE=]FILE`; without a name the stage is called "scan". The reports of a stage become one, which has
 *       davit's identities of its findings (scan/sarif.h), so that the server knows them again without the files. How severe a
 *       finding blocks, and the baseline, are what the pipeline of the commit's davit.yaml says of a stage of that name; the
 *       waivers are the commit's. The server judges.
 *
 * HOW   register_findings_add() puts stages into the body of POST /v1/external-builds.
 * ERRORS A report that is not there, or is none, is told, and nothing is to be sent. Returns an exit code.
 * LIMITS REGISTER_FINDINGS_STAGES stages; scan/scan.h, scan/finding.h; all of it has to fit into a body of the API.
 */
#ifndef DAEMON_REGISTER_FINDINGS_H
#define DAEMON_REGISTER_FINDINGS_H

#include <jansson.h>

#include "cli/command.h"
#include "drivers/builder/checkout.h"

enum { REGISTER_FINDINGS_STAGES = 32 };

/* Appends to `stages`; `ret_waivers`, the text of a file, is the caller's, NULL where there is none. */
int register_findings_add(struct cli *cli, const struct checkout *checkout, json_t *stages,
			  json_t **ret_waivers);

/* A line of each stage that has findings, as the server answered. */
void register_findings_print(const struct cli *cli, const json_t *build);

#endif
