/* SPDX-License-Identifier: Apache-2.0
 * offers - see gating.h. A release that became good in one environment asks to go on to the next.
 *
 * Nothing is remembered for it: what was offered is what has a rollout there since it became live here. So a crash
 * between the one and the other only means that the offer is made a moment later. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "config/server.h"
#include "control/environment.h"
#include "control/gating.h"
#include "control/release_config.h"
#include "store/releases.h"
#include "store/rollouts.h"

enum { ROLLOUTS_LOOKED_AT = 100 };

struct offer {
	struct control *control;
	struct environment *from;
	struct store_stable live; /* there */
	char origin[DIGEST_HEX_SIZE];
};

static int take_live(void *context, const struct store_stable *stable)
{
	*(struct store_stable *)context = *stable;
	return 1;
}

struct search {
	const struct offer *offer;
	struct store *store;
	bool found;
};

/* A rollout there of the same content, since it is live here. */
static int find_offered(void *context, const struct store_rollout *row)
{
	struct search *s = context;
	char origin[DIGEST_HEX_SIZE];
	struct error ignored;
	if (row->number < s->offer->live.rollout)
		return 1;
	s->found = release_origin(s->store, row->new_release, origin, &ignored) == 0 &&
		   strcmp(origin, s->offer->origin) == 0;
	return s->found;
}

static bool was_offered(const struct offer *offer, const char *name)
{
	struct store *store = offer->control->parts.store;
	struct search search = {offer, store, false};
	struct store_rollout_filter filter = {
		.app = offer->from->app, .environment = name, .limit = ROLLOUTS_LOOKED_AT};
	struct error ignored;
	/* What cannot be read is better not offered twice. */
	return store_rollouts(store, &filter, find_offered, &search, &ignored) < 0 || search.found;
}

/* Does it come after `from`, and does somebody have to say yes there? Then it may come by itself. */
static bool comes_next(const struct offer *offer, const char *key, const struct resolved *config)
{
	struct control *c = offer->control;
	struct app_approve ignored;
	const struct server *server =
		c->parts.server ? c->parts.server(c->parts.server_context) : NULL;
	return config->environment.from &&
	       strcmp(config->environment.from, offer->from->name) == 0 &&
	       server_approval(server, key, &config->environment.approve, &ignored);
}

static int deploy_there(const struct offer *offer, const char *key, const char *name,
			struct error *err)
{
	struct control *c = offer->control;
	struct control_caller davit = {.who = "davit"};
	struct control_deploy deploy = {.offered = true};
	uint32_t rollout;
	int result = environment_ensure(c, offer->from->app, name, err);
	text_copy(deploy.release, sizeof deploy.release, offer->live.release);
	snprintf(deploy.reason, sizeof deploy.reason, "good in %s", offer->from->name);
	return result < 0 ? result : control_deploy(c, &davit, key, &deploy, &rollout, err);
}

static int offer_to(void *context, const char *name, const struct resolved *config)
{
	struct offer *offer = context;
	char key[CONTROL_KEY_SIZE];
	struct error err;
	snprintf(key, sizeof key, "%s/%s", offer->from->app, name);
	if (!comes_next(offer, key, config) || was_offered(offer, name))
		return 0;
	int result = deploy_there(offer, key, name, &err);
	/* What is live or on its way there, or marked bad, needs no offer. */
	if (result < 0 && result != ERR_CONFLICT && result != ERR_DENIED)
		log_event(LOG_WARNING, "control.offer", "environment=%s error=\"%s\"", key,
			  err.text);
	return 0;
}

static int is_deployment(void *context, const struct store_rollout *row)
{
	*(bool *)context = strcmp(row->kind, "deploy") == 0;
	return 0;
}

/* Was it brought here, or gone back to? What was gone back to has nothing to prove elsewhere. */
static bool was_deployed(struct store *store, const struct store_stable *live)
{
	bool deployed = false;
	struct error ignored;
	return store_rollout_get(store, live->rollout, is_deployment, &deployed, &ignored) == 0 &&
	       deployed;
}

static void look_from(struct control *c, struct environment *e)
{
	struct store *store = c->parts.store;
	struct offer offer = {.control = c, .from = e};
	struct store_release row;
	struct buf json;
	struct error err;
	if (e->core.stable == SLOT_NONE ||
	    store_stables(store, e->app, e->name, 1, take_live, &offer.live, &err) < 0 ||
	    offer.live.rollout == 0 || offer.live.bad || !was_deployed(store, &offer.live) ||
	    release_origin(store, offer.live.release, offer.origin, &err) < 0)
		return;
	buf_init(&json, STORE_BLOB_MAX);
	int result = store_release_get(store, offer.live.release, &row, &json, &err);
	if (result == 0)
		result = release_config_each(buf_text(&json), json.size, offer_to, &offer, &err);
	buf_done(&json);
	if (result < 0)
		log_event(LOG_WARNING, "control.offer", "environment=%s error=\"%s\"", e->key,
			  err.text);
}

void offers_look(struct control *c)
{
	uint32_t count = c->environment_count; /* it may grow */
	for (uint32_t i = 0; i < count; i++)
		look_from(c, c->environments[i]);
}
