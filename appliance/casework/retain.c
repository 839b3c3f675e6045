/* Until when a record is kept, and why; categories and extensions, which only ever lengthen it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/label.h"
#include "casework/retain.h"
#include "catalog/archived.h"
#include "catalog/described.h"
#include "catalog/search_query.h"

/* What it is, by its description; nobody has looked: SEARCH_OTHER. */
static unsigned type_of(struct door *door, const struct catalog_node *node)
{
    struct catalog_description found;
    unsigned type = SEARCH_OTHER;
    if (catalog_description(door->catalog, node->version.create_index, &found) < 0)
        return type;
    json_t *media = found.media != NULL ? json_loads(found.media, 0, NULL) : NULL;
    type = search_type_of(json_string_value(json_object_get(media, "type")));
    json_decref(media);
    catalog_description_free(&found);
    return type;
}

static int fill_subject(struct door *door, const struct catalog_node *node,
                        struct retention_subject *out)
{
    struct catalog_node place;
    *out = (struct retention_subject){.type = type_of(door, node),
                                      .marks = node->marks,
                                      .sealed = sr_day_local(node->version.sealed_ns)};
    int status = catalog_case_of(door->catalog, node->id, &place);
    if (status == 0)
        out->scope = RETENTION_CASE;
    else if (status == SR_ERR_NOT_FOUND && (status = place_anchor(door, node, &place)) == 0 &&
             place.kind == CATALOG_KIND_UNFILED_USER)
        out->scope = RETENTION_UNFILED;
    return status;
}

/* --- reasons ------------------------------------------------------------------------------------- */

void retain_free(struct retain *retain)
{
    for (size_t i = 0; i < retain->count; i++) {
        free(retain->items[i].name);
        free(retain->items[i].why);
    }
    free(retain->items);
    memset(retain, 0, sizeof *retain);
}

static int add(struct retain *retain, const struct retain_reason *reason)
{
    struct retain_reason *longer =
        realloc(retain->items, (retain->count + 1) * sizeof *retain->items);
    if (longer == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for terms");
    retain->items = longer;
    retain->items[retain->count] = *reason;
    struct retain_reason *own = &retain->items[retain->count++];
    own->name = strdup(reason->name);
    own->why = strdup(reason->why);
    return own->name != NULL && own->why != NULL ? 0
                                                 : sr_fail(SR_ERR_NO_MEMORY, "no memory for terms");
}

struct collect {
    const struct retention *retention;
    struct retain *retain;
    int32_t sealed;
};

static int add_set(void *context, const struct catalog_retained *set)
{
    struct collect *collect = context;
    struct retain_reason reason = {.by = set->category[0] != '\0' ? RETAIN_CATEGORY
                                                                  : RETAIN_EXTENSION,
                                   .name = (char *)set->category,
                                   .why = (char *)set->reason,
                                   .basis = "",
                                   .months = set->months,
                                   .until = set->until,
                                   .node = set->node,
                                   .uid = set->uid,
                                   .time_ns = set->time_ns,
                                   .index = set->index};
    uint32_t now;
    if (reason.by == RETAIN_CATEGORY) {
        /* What the file says today, or what it said then: a file that was replaced while nobody looked shortens
         * nothing either. */
        if (retention_category(collect->retention, set->category, &now, &reason.basis) &&
            now > reason.months)
            reason.months = now;
        reason.until = retention_until(collect->sealed, reason.months);
    } else {
        reason.name = "延长";
        reason.months = set->until == 0 ? RETENTION_PERMANENT : 0;
    }
    return add(collect->retain, &reason);
}

/* Of days: 0 is the latest. */
static bool is_later(int32_t one, int32_t other)
{
    return other != 0 && (one == 0 || one > other);
}

int retain_collect(struct door *door, const struct agency *agency, const struct catalog_node *node,
                   struct retain *out)
{
    struct retention_reason rules[RETENTION_RULES_MAX + 1];
    struct retention_subject subject;
    memset(out, 0, sizeof *out);
    int status = fill_subject(door, node, &subject);
    if (status < 0)
        return status;
    if (node->kind != CATALOG_KIND_RECORD) /* of what would be sealed there today */
        subject.sealed = sr_day_local(door->io->now_ns(door->io));
    out->sealed = subject.sealed;
    out->type = subject.type;
    size_t count = retention_explain(agency->retention, &subject, rules);
    for (size_t i = 0; status == 0 && i < count; i++) {
        const struct retain_reason reason = {.by = RETAIN_RULE,
                                             .name = (char *)rules[i].name,
                                             .why = "",
                                             .basis = rules[i].basis,
                                             .months = rules[i].months,
                                             .until = rules[i].until,
                                             .line = rules[i].line};
        status = add(out, &reason);
    }
    struct collect collect = {agency->retention, out, subject.sealed};
    if (status == 0)
        status = catalog_retained(door->catalog, node->id, add_set, &collect);
    for (size_t i = 1; status == 0 && i < out->count; i++)
        if (is_later(out->items[i].until, out->items[out->best].until))
            out->best = i;
    if (status < 0)
        retain_free(out);
    return status;
}

uint32_t retain_months(const struct retain *retain)
{
    const struct retain_reason *best = &retain->items[retain->best];
    uint32_t months = 12;
    if (best->by != RETAIN_EXTENSION || best->until == 0)
        return best->months;
    while (months < 12 * 9999 && retention_until(retain->sealed, months) < best->until)
        months += 12;
    return months;
}

/* --- explain ------------------------------------------------------------------------------------- */

/* Who set it where the reader may not look (it was refiled from there) is not for them, nor why. */
static bool may_know(struct door *door, const struct catalog_user *reader, uint64_t place)
{
    struct catalog_node node;
    return catalog_get(door->catalog, place, &node) == 0 && place_visible(door, reader, &node) == 0;
}

static json_t *reason_json(struct door *door, const struct catalog_user *reader,
                           const struct retain_reason *reason, bool decides)
{
    static const char *const words[] = {"rule", "category", "extension"};
    struct catalog_user user;
    char until[11], period[32] = "";
    sr_day_text(reason->until, until);
    if (reason->by != RETAIN_EXTENSION || reason->until == 0)
        retention_period_text(reason->months, period);
    json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b}", "by", words[reason->by], "name",
                            reason->name, "basis", reason->basis, "period", period, "until", until,
                            "rule", (int)reason->line, "decides", decides);
    if (out == NULL || reason->by == RETAIN_RULE)
        return out;
    bool shown = may_know(door, reader, reason->node);
    bool known = shown && catalog_user(door->catalog, reason->uid, &user) == 0;
    if (json_object_set_new(out, "reason", json_string(shown ? reason->why : "")) != 0 ||
        json_object_set_new(out, "account", json_string(known ? user.account : "")) != 0 ||
        json_object_set_new(out, "person", json_string(known ? user.name : "")) != 0 ||
        json_object_set_new(out, "time", sr_json_i64_text(reason->time_ns)) != 0 ||
        json_object_set_new(out, "index", sr_json_u64_text(reason->index)) != 0) {
        json_decref(out);
        out = NULL;
    }
    return out;
}

static const struct agency *agency_now(struct door *door)
{
    pthread_mutex_lock(&door->lock);
    const struct agency *agency = door->agency; /* kept until the end */
    pthread_mutex_unlock(&door->lock);
    return agency;
}

static int explain(struct door *door, const struct catalog_user *reader,
                   const struct retain *retain, json_t *out)
{
    json_t *list = json_array();
    int status = entry_set(out, "reasons", list);
    for (size_t i = 0; status == 0 && i < retain->count; i++) {
        json_t *one = reason_json(door, reader, &retain->items[i], i == retain->best);
        if (one == NULL || json_array_append(list, one) != 0 ||
            (i == retain->best &&
             (json_object_set(out, "until", json_object_get(one, "until")) != 0 ||
              json_object_set(out, "period", json_object_get(one, "period")) != 0)))
            status = sr_fail(SR_ERR_NO_MEMORY, "no memory for an explanation");
        json_decref(one);
    }
    return status;
}

int door_retention(struct door *door, const struct door_actor *actor, uint64_t node_id,
                   json_t **out)
{
    struct catalog_user user;
    struct catalog_node node;
    struct retain retain;
    *out = NULL;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "list", status);
    if ((status = door_getattr(door, actor, node_id, &node)) < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD || node.version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "only a sealed record is kept for a term");
    if ((status = retain_collect(door, agency_now(door), &node, &retain)) < 0)
        return status;
    json_t *explained = json_object();
    status = explained != NULL ? explain(door, &user, &retain, explained)
                               : sr_fail(SR_ERR_NO_MEMORY, "no memory for an explanation");
    retain_free(&retain);
    if (status < 0)
        json_decref(explained);
    else
        *out = explained;
    return status;
}

/* --- acts ---------------------------------------------------------------------------------------- */

struct term {             /* what is to be set */
    const char *category; /* NULL: an extension */
    uint32_t months;
    int32_t until; /* of a record; of a folder an extension's */
};

/* Would it be shorter than what is in force? *same: it is set on the node already. */
static int check_longer(const struct retain *retain, const struct catalog_node *node,
                        const struct term *term, bool *same)
{
    bool record = node->kind == CATALOG_KIND_RECORD;
    const struct retain_reason *longest = NULL;
    char until[11];
    *same = false;
    for (size_t i = 0; i < retain->count; i++) {
        const struct retain_reason *reason = &retain->items[i];
        /* Of a folder, days are compared with days and terms with terms: what was sealed long ago may be kept
         * longer by a day that comes before the end of a term that began today. */
        bool comparable = record || reason->until == 0 ||
                          (reason->by == RETAIN_EXTENSION) == (term->category == NULL);
        *same |= reason->node == node->id && reason->until == term->until &&
                 (term->category != NULL
                      ? reason->by == RETAIN_CATEGORY && strcmp(reason->name, term->category) == 0
                      : reason->by == RETAIN_EXTENSION);
        if (comparable && is_later(reason->until, term->until) &&
            (longest == NULL || is_later(reason->until, longest->until)))
            longest = reason;
    }
    if (longest == NULL)
        return 0;
    sr_day_text(longest->until, until);
    return sr_fail(SR_ERR_INVALID, "保管期限只能延长：现为%s%s（%s“%.150s”%s%.150s），比所定的长",
                   longest->until == 0 ? "永久" : "至 ", until,
                   longest->by == RETAIN_RULE       ? "规则"
                   : longest->by == RETAIN_CATEGORY ? "类别"
                                                    : "",
                   longest->name, longest->why[0] != '\0' ? "，" : "", longest->why);
}

static int append(struct door *door, const struct door_actor *actor,
                  const struct catalog_node *node, const struct term *term, const char *why,
                  uint64_t *index)
{
    bool record = node->kind == CATALOG_KIND_RECORD;
    json_t *entry = NULL, *part = record ? door_private(actor) : NULL;
    char until[11];
    int status =
        entry_new(door->io, term->category != NULL ? "retention.set" : "retention.extend", &entry);
    sr_day_text(term->until, until);
    if (status < 0)
        goto out;
    if ((status = entry_set(entry, "node", sr_json_u64_text(node->id))) < 0 ||
        (status = term->category != NULL ? entry_set(entry, "category", json_string(term->category))
                                         : entry_set(entry, "until", json_string(until))) < 0 ||
        (term->category != NULL &&
         (status = entry_set(
              entry, "months",
              json_integer(term->months == RETENTION_PERMANENT ? 0 : (json_int_t)term->months))) <
             0) ||
        (record && part == NULL && (status = sr_fail(SR_ERR_NO_MEMORY, "no memory")) < 0) ||
        (status = entry_set(record ? part : entry, "reason", json_string(why))) < 0)
        goto out;
    status = record ? entry_set_record(door->vault, entry, &node->version.object,
                                       node->version.key_id, part)
                    : entry_set(entry, "uid", json_integer(actor->uid));
    if (status == 0) {
        status = door_act(door, entry, part, index);
        entry = NULL; /* taken over */
    }
out:
    json_decref(entry);
    json_decref(part);
    return status;
}

/* Lock held. */
static int settle(struct door *door, const struct door_actor *actor, uint64_t node_id,
                  struct term *term, const char *why, uint64_t *index)
{
    struct catalog_node node;
    struct retain retain;
    const char *basis;
    bool same = false;
    int status = catalog_get(door->catalog, node_id, &node);
    if (status < 0)
        return status;
    if (node.kind == CATALOG_KIND_RECORD && node.version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_BUSY, "the record is not sealed yet");
    if (term->category != NULL &&
        !retention_category(door->agency->retention, term->category, &term->months, &basis))
        return sr_fail(SR_ERR_INVALID, RETENTION_FILE " 的 类别 中没有“%.200s”", term->category);
    if ((status = retain_collect(door, door->agency, &node, &retain)) < 0)
        return status;
    if (term->category != NULL)
        term->until = retention_until(retain.sealed, term->months);
    status = check_longer(&retain, &node, term, &same);
    retain_free(&retain);
    return status < 0 || same ? status : append(door, actor, &node, term, why, index);
}

static int act(struct door *door, const struct door_actor *actor, uint64_t node_id,
               struct term *term, const char *why)
{
    struct catalog_user user;
    struct catalog_node node;
    uint64_t index = 0;
    int status = door_check_reason(why);
    if (status < 0)
        return status;
    if ((status = door_user(door, actor, &user)) < 0)
        return door_stranger(door, actor, "retention", status);
    if ((status = door_getattr(door, actor, node_id, &node)) < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD && node.kind != CATALOG_KIND_CASE &&
        node.kind != CATALOG_KIND_STAGE && node.kind != CATALOG_KIND_FOLDER)
        return sr_fail(SR_ERR_INVALID, "a term is set on a case, a folder in it or a record");
    if (!door_allows(door, &user, ACT_RETENTION, &node))
        return door_refused(
            door, actor, "retention", "denied", node_id, NULL,
            sr_fail(SR_ERR_DENIED, "%s may not set how long this is kept", user.account));
    if ((status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = settle(door, actor, node_id, term, why, &index);
    pthread_mutex_unlock(&door->lock);
    return status < 0 || index == 0 ? status : ledger_commit(door->ledger, index);
}

int door_retention_set(struct door *door, const struct door_actor *actor, uint64_t node,
                       const char *category, const char *reason)
{
    struct term term = {.category = category};
    return act(door, actor, node, &term, reason);
}

int door_retention_extend(struct door *door, const struct door_actor *actor, uint64_t node,
                          const char *until, const char *reason)
{
    struct term term = {.category = NULL};
    if (strcmp(until, "永久") != 0 && (!sr_day_parse(until, &term.until) || term.until == 0))
        return sr_fail(SR_ERR_INVALID, "\"%.40s\" is not a date YYYY-MM-DD, nor 永久", until);
    return act(door, actor, node, &term, reason);
}
