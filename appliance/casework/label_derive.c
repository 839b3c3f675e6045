/* What a recording says of itself: by its name and by its own metadata; and what is odd about that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/label.h"
#include "casework/label_value.h"

#define CLOCK_GOOD_S 60 /* seconds that a device may be off without a word */
#define SECOND INT64_C(1000000000)

/* --- labels of record.index --- */

/* A value that is no good tells nothing. */
static int add(json_t *labels, enum catalog_label label, const char *text, int64_t now_ns,
               enum catalog_label_source source)
{
    char *value = malloc(CATALOG_LABEL_MAX + 1);
    char sentence[LABEL_SENTENCE_MAX];
    int status = value != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    if (status == 0 && label_value(label, text, now_ns, value, sentence) && value[0] != '\0' &&
        json_array_append_new(
            labels, label_json(label, value, CATALOG_NO_OFFSET, catalog_source_words[source])) != 0)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    free(value);
    return status;
}

static int from_media(const json_t *answer, int64_t now_ns, json_t *labels)
{
    const char *created = json_string_value(json_object_get(answer, "created"));
    const char *make = json_string_value(json_object_get(answer, "make"));
    const char *model = json_string_value(json_object_get(answer, "model"));
    const json_t *latitude = json_object_get(answer, "latitude");
    const json_t *longitude = json_object_get(answer, "longitude");
    char text[600];
    int status = 0;
    if (created != NULL)
        status = add(labels, CATALOG_LABEL_CAPTURED, created, now_ns, CATALOG_FROM_MEDIA);
    if (status == 0 && json_is_number(latitude) && json_is_number(longitude)) {
        snprintf(text, sizeof text, "%.6f,%.6f", json_number_value(latitude),
                 json_number_value(longitude));
        status = add(labels, CATALOG_LABEL_PLACE, text, now_ns, CATALOG_FROM_MEDIA);
    }
    if (status == 0 && (make != NULL || model != NULL)) {
        snprintf(text, sizeof text, "%.290s%s%.290s", make != NULL ? make : "",
                 make != NULL && model != NULL ? " " : "", model != NULL ? model : "");
        status = add(labels, CATALOG_LABEL_DEVICE, text, now_ns, CATALOG_FROM_MEDIA);
    }
    return status;
}

static int from_name(const struct naming *naming, const char *name, int64_t now_ns, json_t *labels)
{
    struct naming_labels found;
    char text[200];
    int status = 0;
    if (!naming_read(naming, name, &found))
        return 0;
    if (found.has_time) {
        label_captured_text(found.captured_ns, text);
        status = add(labels, CATALOG_LABEL_CAPTURED, text, now_ns, CATALOG_FROM_NAME);
    }
    if (status == 0 && found.badge[0] != '\0')
        status = add(labels, CATALOG_LABEL_PERSON, found.badge, now_ns, CATALOG_FROM_NAME);
    if (status == 0 && (found.device[0] != '\0' || found.device_number[0] != '\0')) {
        snprintf(text, sizeof text, "%.140s%s%s", found.device,
                 found.device[0] != '\0' && found.device_number[0] != '\0' ? " " : "",
                 found.device_number);
        status = add(labels, CATALOG_LABEL_DEVICE, text, now_ns, CATALOG_FROM_NAME);
    }
    return status;
}

int label_derive(struct door *door, const struct catalog_node *node, const json_t *answer,
                 json_t **out)
{
    int64_t now = door->io->now_ns(door->io);
    json_t *labels = json_array();
    int status = labels != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    *out = NULL;
    pthread_mutex_lock(&door->lock);
    const struct agency *agency = door->agency; /* kept until the end */
    pthread_mutex_unlock(&door->lock);
    if (status == 0 && answer != NULL)
        status = from_media(answer, now, labels);
    if (status == 0 && agency->naming != NULL)
        status = from_name(agency->naming, node->name, now, labels);
    if (status == 0 && json_array_size(labels) > 0)
        *out = json_incref(labels);
    json_decref(labels);
    return status;
}

/* --- flags --- */

struct said { /* the labels in force that flags depend on */
    char person[CATALOG_LABEL_MAX + 1];
    int64_t captured_ns; /* 0: none */
    int64_t clock_s;
};

static int note_label(void *context, const struct catalog_label_value *value)
{
    struct said *said = context;
    if (value->value == NULL)
        return 0;
    if (value->label == CATALOG_LABEL_PERSON)
        snprintf(said->person, sizeof said->person, "%s", value->value);
    else if (value->label == CATALOG_LABEL_CAPTURED)
        (void)label_captured_ns(value->value, &said->captured_ns);
    else if (value->label == CATALOG_LABEL_CLOCK)
        said->clock_s = strtoll(value->value, NULL, 10);
    return 0;
}

struct wanted { /* a person, by 执法证件号, account or name */
    const char *text;
    struct catalog_user user;
    unsigned by_badge, by_name;
};

static int match_person(void *context, const struct catalog_user *user)
{
    struct wanted *wanted = context;
    if (user->badge[0] != '\0' && strcmp(user->badge, wanted->text) == 0) {
        wanted->by_badge++;
        wanted->user = *user;
    } else if (strcmp(user->name, wanted->text) == 0 || strcmp(user->account, wanted->text) == 0) {
        wanted->by_name++;
        if (wanted->by_badge == 0)
            wanted->user = *user;
    }
    return 0;
}

static int add_flag(json_t *flags, const char *code, const char *text)
{
    return json_array_append_new(flags, json_pack("{s:s, s:s}", "code", code, "text", text)) == 0
               ? 0
               : sr_fail(SR_ERR_NO_MEMORY, "no memory for flags");
}

/* 执法证 of who recorded, on the day of the recording. */
static int flag_person(struct door *door, const struct said *said, json_t *flags)
{
    struct wanted wanted = {.text = said->person};
    char text[400], day[11], from[11], until[11];
    if (said->person[0] == '\0')
        return 0;
    int status = catalog_users(door->catalog, match_person, &wanted);
    if (status < 0)
        return status;
    if (wanted.by_badge == 0 && wanted.by_name == 0)
        return add_flag(flags, "person_unknown", "采集人不在本库登记的人员中");
    if (wanted.by_badge == 0 && wanted.by_name > 1)
        return add_flag(flags, "person_ambiguous", "采集人有多人同名，请填执法证件号");
    const struct catalog_user *user = &wanted.user;
    if (user->badge[0] == '\0')
        return add_flag(flags, "badge_none", "采集人没有登记执法证件号");
    int32_t on = sr_day_local(said->captured_ns);
    if (said->captured_ns == 0 || ((user->badge_from == 0 || on >= user->badge_from) &&
                                   (user->badge_until == 0 || on <= user->badge_until)))
        return 0;
    sr_day_text(on, day);
    sr_day_text(user->badge_from, from);
    sr_day_text(user->badge_until, until);
    snprintf(text, sizeof text, "采集人的执法证在采集日 %s 无效（有效期 %s 至 %s）", day, from,
             until);
    return add_flag(flags, "badge_lapsed", text);
}

/* R3: not kept by oneself. */
static int flag_late(struct door *door, const struct catalog_node *node, const struct said *said,
                     json_t *flags)
{
    bool provisional = false;
    char text[300];
    pthread_mutex_lock(&door->lock);
    const struct agency *agency = door->agency; /* kept until the end */
    pthread_mutex_unlock(&door->lock);
    unsigned limit = workflow_ingest_days(agency->workflow);
    unsigned days = calendar_between(agency->calendar, sr_day_local(said->captured_ns),
                                     sr_day_local(node->version.sealed_ns), &provisional);
    if (said->captured_ns == 0 || days <= limit)
        return 0;
    snprintf(text, sizeof text, "采集后第 %u 个工作日才入库，超过 %u 个工作日的期限%s", days, limit,
             provisional ? "（其中有年份没有放假安排，暂按周一至周五计）" : "");
    return add_flag(flags, "late", text);
}

static int flag_times(const struct catalog_node *node, const struct said *said, json_t *flags)
{
    char text[300], right[20];
    int status = 0;
    if (said->captured_ns != 0 && said->captured_ns > node->version.sealed_ns)
        status = add_flag(flags, "captured_late", "采集时间晚于入库时间，请核对设备时钟");
    if (status < 0 || (said->clock_s <= CLOCK_GOOD_S && said->clock_s >= -CLOCK_GOOD_S))
        return status;
    if (said->captured_ns != 0) {
        sr_time_local_text(said->captured_ns - said->clock_s * SECOND, right);
        snprintf(text, sizeof text, "设备时间偏差 %+lld 秒，校正后的采集时间为 %s",
                 (long long)said->clock_s, right);
    } else {
        snprintf(text, sizeof text, "设备时间偏差 %+lld 秒", (long long)said->clock_s);
    }
    return add_flag(flags, "clock_off", text);
}

int label_flags(struct door *door, const struct catalog_node *node, json_t **out)
{
    struct said *said = calloc(1, sizeof *said);
    int status;
    *out = json_array();
    if (said == NULL || *out == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for flags");
    else if ((status = catalog_labels(door->catalog, node->id, note_label, said)) == 0 &&
             (status = flag_person(door, said, *out)) == 0 &&
             (status = flag_late(door, node, said, *out)) == 0)
        status = flag_times(node, said, *out);
    free(said);
    if (status < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}
