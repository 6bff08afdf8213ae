/* SPDX-License-Identifier: Apache-2.0
 *
 * identity - by what a finding is known again in the next report, though lines have moved.
 *
 * WHAT  The best of these that there is, always with tool, rule and path, and with its number among equal ones
 *       (in the order of lines): the tool's own fingerprint; the line with its neighbours, blanks evened out,
 *       from the tree or else from the report; the message. Beside it `plain`, of the message alone, for two
 *       lists of which one had the tree and the other had not.
 *
 * HOW   findings_identify() once a list is complete. It sorts the list (findings_sort()): the order of reports and
 *       of findings in them changes nothing.
 */
#ifndef SCAN_IDENTITY_H
#define SCAN_IDENTITY_H

#include "scan/finding.h"
#include "scan/source.h"

/* `source` may be NULL. */
void findings_identify(struct findings *list, struct source *source);

#endif
