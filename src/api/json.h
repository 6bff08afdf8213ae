/* SPDX-License-Identifier: Apache-2.0
 *
 * json - views and store rows as the JSON of docs/reference/api.md. Each function returns a new reference.
 */
#ifndef API_JSON_H
#define API_JSON_H

#include <jansson.h>

#include "control/view.h"
#include "report/postmortem.h"
#include "store/audit.h"
#include "store/releases.h"

json_t *json_of_environment(const struct view_environment *e);
json_t *json_of_rollout(const struct view_rollout *r);
json_t *json_of_gate(const struct view_gate *g);
json_t *json_of_infrastructure(const struct view_infrastructure *i); /* null: it plans nothing */
json_t *json_of_drift(const struct view_drift *d);                   /* null: nothing is followed */
json_t *json_of_git_tag(const struct view_git_tag *t);               /* null: none is wanted */
json_t *json_of_way_back(const struct view_way_back *w);             /* null: it does not go back */
json_t *json_of_freeze(const struct view_freeze *f);                 /* null: there is none */
json_t *json_of_plan(const struct view_plan *p);
json_t *json_of_audit_entry(const struct store_audit_entry *e);
json_t *json_of_release(const struct store_release *r);
json_t *json_of_error(const struct error *err, const char *next);

json_t *json_of_postmortem(const struct postmortem *p); /* json_postmortem.c */

/* What a request says. ERR_INVALID: it is no object; ERR_LIMIT: past HTTP_BODY_MAX it is made of so many values that their tree
 * would take far more memory than the text does. */
json_t *json_object_read(const char *text, size_t size, struct error *err);

/* The object's text, ended by "\n" when `line`; the reference is released. The caller frees. */
char *json_text(json_t *object, bool line);

#endif
