/* SPDX-License-Identifier: Apache-2.0
 *
 * builder_role - the process that runs one build for the server: a crash of it, or of what it copies and unpacks, is
 *                none of the controller.
 *
 * HOW   davit builder DIRECTORY REPOSITORY COMMIT REF APP PARENT NUMBER ORIGIN SIGNERS SIGNED, started by
 *       drivers/builds/process.c; NUMBER: of the build; ORIGIN: of the build whose stages that passed are taken over, 0:
 *       none; SIGNED: the environments that only a tag of one of SIGNERS brings a release to. It dies with the
 *       controller, and its sandboxes with it. TERM cancels the run.
 *       On standard output a line for each change, its fields set apart by tabs, its texts escaped:
 *         stage NAME STATE ATTEMPT TOOK_MS TESTS FAILED SKIPPED WHY ORIGIN
 *         end OUTCOME WHY ARCHIVE AUTHOR ADDRESS SUBJECT COMMITTED_UNIX_S ENVIRONMENT...
 *       OUTCOME is "passed", "failed", "cancelled"; the environments are those that REF brings a release to.
 *       An application without a pipeline passes at once: its archive is the commit.
 */
#ifndef DAEMON_BUILDER_ROLE_H
#define DAEMON_BUILDER_ROLE_H

int builder_role(int argc, char **argv);

#endif
