/* SPDX-License-Identifier: Apache-2.0
 *
 * survey_kinds - what the kinds of a survey share. Of survey.c and survey_c.c only. */
#ifndef CLI_SURVEY_KINDS_H
#define CLI_SURVEY_KINDS_H

#include "base/buf.h"
#include "cli/survey.h"

/* The beginning of a file, as text; false when it is not there. `ret_text` is the caller's to end either way. */
bool survey_read(int dir_fd, const char *name, struct buf *ret_text);
bool survey_has(int dir_fd, const char *name);

/* A path of davit.yaml's list; one that needs more than quotes is left to the person. */
void survey_archive(struct survey *survey, const char *path);

/* Meson, CMake and Make: false when the repository has none of their files. */
bool survey_c(int dir_fd, struct survey *survey);

#endif
