/* SPDX-License-Identifier: Apache-2.0
 * commit - transactions, and what becomes of a control whose store cannot commit. See environment.h. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/environment.h"

void control_begin(struct control *c, bool urgent)
{
	if (urgent)
		store_begin_urgent(c->parts.store);
	else
		store_begin(c->parts.store);
}

void control_degrade(struct control *c, const struct error *why)
{
	if (!c->degraded)
		log_event(LOG_ERROR, "control.degraded", "error=\"%s\"", why->text);
	c->degraded = true;
	text_copy(c->degraded_text, sizeof c->degraded_text, why->text);
}

/* What was to be written, not the store, is the matter. */
static bool about_content(int result)
{
	return result == ERR_CONFLICT || result == ERR_LIMIT;
}

int control_commit(struct control *c, struct error *err)
{
	struct error why;
	int result = store_commit(c->parts.store, err);
	if (about_content(result))
		return result;
	if (result < 0) {
		control_degrade(c, err);
	} else if (store_room(c->parts.store, &why) < 0) {
		control_degrade(c, &why);
	} else {
		if (c->degraded)
			log_event(LOG_INFO, "control.recovered", "the store commits again");
		c->degraded = false;
	}
	return result;
}

bool control_again(struct control *c, bool urgent, int result)
{
	if (!urgent || result != ERR_NO_SPACE || !store_spend_reserve(c->parts.store))
		return false;
	log_event(LOG_WARNING, "control.reserve-spent",
		  "the disk is full; only ways back are committed until there is room");
	return true;
}

bool control_kind_urgent(const char *kind)
{
	return strcmp(kind, "rollback") == 0;
}
