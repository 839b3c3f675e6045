/* The texts that people see in the share: 提示.txt, 入库回执.csv, and the stubs of filed records.
 * UTF-8 with BOM and CRLF, so that Notepad and Excel show them right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "casework/door_internal.h"
#include "casework/label.h"
#include "casework/nodes.h"

#define BOM "\xef\xbb\xbf"
#define NOTICE_LINES 100
#define RECEIPT_LINES 5000

static const struct {
    const char *reason, *sentence;
} sentences[] = {
    {"sealed", "该文件已封存入库，任何人都不能修改、覆盖、改名或删除。如需补正，请以新文件名另存；"
               "如上传有误，请用 strongroom record incomplete 标记后重新上传。"},
    {"denied", "您的账号没有这项权限。请联系案件承办人或安全保密员。"},
    {"purpose", "该件受限，查看须先说明事由：strongroom view --purpose 事由 路径；"
                "经常需要的，请负责人给限期的查看授权（strongroom grant add）。"
                "如已打开，请重新打开。"},
    {"unknown_user", "该账号未在本库登记。请系统管理员用 strongroom user add 登记。"},
    {"disabled", "该账号已停用。请联系系统管理员。"},
    {"name_too_long", "文件名超过 255 字节（约 85 个汉字）。请缩短文件名后重新复制。"},
    {"name_encoding",
     "文件名不是 UTF-8 编码（多为 GB18030、GBK）。请把文件名转为 UTF-8 后重新复制：在 Windows "
     "上经共享"
     "复制时会自动转换；在 Linux 上可用 convmv -f GB18030 -t UTF-8 --notest 文件名。"},
    {"name_twin", "同一文件夹中已有仅大小写或字符组合形式不同的名称。请换一个名称。"},
    {"name_reserved", "名称为空，或含有不允许的字符。请换一个名称。"},
    {"fixed_folder", "该文件夹由系统设置或已启用，不能改名、移动或删除。"},
    {"gathered", "按对象、按日期 由系统按标签自动汇集，其中不能存放、改名或删除。"
                 "请在案件的阶段文件夹中操作；对象和日期不对的，请更正该件的标签。"},
    {"place",
     "此处不能存放文件或新建文件夹。请放入案件的阶段文件夹、草稿，或待归案中自己的当天文件夹。"},
    {"no_space", "存储空间不足，文件没有保存完整。请勿清除设备中的原件，并联系系统管理员。"},
    {"in_use", "该名称属于他人尚未封存的文件。请换一个文件名，或待其封存后再处理。"},
    {"unsupported", "本库不支持这项操作，未作任何更改。"},
    {"too_large", "文件过大，或写入过于零散。请勿清除设备中的原件，并联系系统管理员。"},
    {"not_empty", "文件夹不是空的。"},
};

static const struct {
    const char *op, *text;
} operations[] = {
    {"write", "写入"},
    {"truncate", "清空或截断"},
    {"unlink", "删除"},
    {"rename", "改名或移动"},
    {"create", "新建文件"},
    {"mkdir", "新建文件夹"},
    {"rmdir", "删除文件夹"},
    {"read", "读取"},
    {"chmod", "修改权限"},
    {"chown", "修改所有者"},
    {"utimens", "修改时间"},
    {"setxattr", "修改属性"},
    {"removexattr", "删除属性"},
    {"link", "建立链接"},
    {"symlink", "建立链接"},
    {"fallocate", "预分配或打洞"},
    {"exchange", "互换"},
    {"ioctl", "修改标志"},
    {"close", "保存"},
    {"fsync", "保存"},
    {"classify", "定密"},
    {"label", "填写标签"},
    {"view", "说明查看事由"},
    {"view.grant", "给查看授权"},
    {"views", "查看查阅记录"},
    {"user.set", "修改账号"},
    {"user.password", "设置初始密码"},
    {"user.disable", "停用账号"},
    {"case.assign", "指定承办人"},
    {"case.transfer", "移交案件"},
};

const char *notice_sentence(const char *reason)
{
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (strcmp(sentences[i].reason, reason) == 0)
            return sentences[i].sentence;
    return "操作被拒绝，未作任何更改。";
}

static const char *operation_text(const char *op)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(operations[i].op, op) == 0)
            return operations[i].text;
    return op;
}

struct refusal_list {
    struct catalog_refusal *items;
    size_t count;
};

static int collect_refusal(void *context, const struct catalog_refusal *refusal)
{
    struct refusal_list *list = context;
    if (list->count < NOTICE_LINES)
        list->items[list->count++] = *refusal;
    return 0;
}

/* "/2026/…/a.mp4", as far as this person may see it. */
static void append_subject(struct door *door, const struct catalog_user *user,
                           const struct catalog_refusal *refusal, struct sr_buf *out)
{
    struct catalog_node node;
    char *path = NULL;
    if (refusal->node != 0 && catalog_get(door->catalog, refusal->node, &node) == 0 &&
        place_visible(door, user, &node) == 0 &&
        door_path_for(door, user, refusal->node, &path) == 0)
        sr_buf_text(out, path);
    free(path);
    if (refusal->name[0] != '\0')
        sr_buf_format(out, "%s%s",
                      out->len > 0 && out->data[out->len - 1] != '/' && refusal->node != 0 ? "/"
                                                                                           : "",
                      refusal->name);
}

int notice_render(struct door *door, const struct door_actor *actor, struct sr_buf *out)
{
    struct catalog_user user;
    struct refusal_list list = {.count = 0};
    int status = door_user(door, actor, &user);
    if (status < 0)
        return status;
    list.items = calloc(NOTICE_LINES, sizeof *list.items);
    if (list.items == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for 提示.txt");
    status = catalog_refusals(door->catalog, actor->uid, NOTICE_LINES, collect_refusal, &list);
    if (status < 0)
        goto out;
    sr_buf_format(out, BOM "提示（%s）\r\n\r\n", user.account);
    if (user.first_password[0] != '\0')
        sr_buf_format(
            out,
            "请先修改初始密码，修改后即可看到案卷。\r\n"
            "    Windows：按 Ctrl+Alt+Del，选“更改密码”，用户名填 本机地址\\%s。\r\n"
            "    其他：smbpasswd -r 本机地址 -U %s\r\n"
            "新密码至少 8 位，不能与最近 3 次相同；连续 5 次输错，账号锁定 30 分钟。\r\n\r\n",
            user.account, user.account);
    if (list.count == 0)
        sr_buf_text(out,
                    "没有被拒绝的操作。复制进来的文件是否已入库、可否清卡，见 入库回执.csv。\r\n");
    else
        sr_buf_text(out, "最近被拒绝的操作（最新的在前），以及怎么办：\r\n");
    for (size_t i = 0; i < list.count; i++) {
        const struct catalog_refusal *refusal = &list.items[i];
        char when[20];
        sr_time_local_text(refusal->last_ns, when);
        sr_buf_format(out, "\r\n%s  %s（%s）  ", when, operation_text(refusal->op), refusal->op);
        append_subject(door, &user, refusal, out);
        if (refusal->count > 1)
            sr_buf_format(out, "  共 %llu 次", (unsigned long long)refusal->count);
        sr_buf_format(out, "\r\n    %s [%s]\r\n", notice_sentence(refusal->reason),
                      refusal->reason);
    }
    status = label_file_notice(door, &user, out);
    if (status == 0 && out->failed)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for 提示.txt");
out:
    free(list.items);
    return status;
}

/* RFC 4180 quoting; a leading = + - @ would be a formula for Excel. */
static void append_csv(struct sr_buf *out, const char *text)
{
    sr_buf_text(out, strchr("=+-@\t", text[0]) != NULL && text[0] != '\0' ? "\"'" : "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"')
            sr_buf_text(out, "\"");
        sr_buf_append(out, text, 1);
    }
    sr_buf_text(out, "\"");
}

struct duplicate {
    uint64_t node;
    uint64_t found;
};

static int earlier_same(void *context, const struct catalog_node *node)
{
    struct duplicate *duplicate = context;
    if (node->id == duplicate->node)
        return 0;
    duplicate->found = node->id;
    return 1;
}

/* The path of the oldest other record with the same content, if this person may see it. */
static void append_duplicate(struct door *door, const struct catalog_user *user,
                             const struct catalog_node *node, struct sr_buf *out)
{
    struct duplicate duplicate = {.node = node->id};
    struct catalog_node other;
    char *path = NULL;
    if (catalog_same_content(door->catalog, node->version.sha256, earlier_same, &duplicate) >= 0 &&
        duplicate.found != 0 && catalog_get(door->catalog, duplicate.found, &other) == 0 &&
        place_visible(door, user, &other) == 0 && door_path_for(door, user, other.id, &path) == 0)
        append_csv(out, path);
    free(path);
}

static const char *state_text(const struct catalog_node *node, bool scratch)
{
    switch (node->version.state) {
    case CATALOG_SEALED:
        return "已入库";
    case CATALOG_INCOMPLETE:
        return "不完整";
    case CATALOG_SUPERSEDED:
        return "已被新版本取代";
    case CATALOG_STAGING:
        break;
    }
    if (node->draft)
        return "草稿";
    if (scratch)
        return "临时文件名，不会自动封存，请改名";
    return node->version.size == 0 ? "空文件，未入库" : "等待封存";
}

static void append_receipt(struct door *door, const struct catalog_user *user,
                           const struct catalog_node *node, struct sr_buf *out)
{
    char hash[2 * 32 + 1] = "", when[20] = "";
    char *path = NULL;
    bool done = node->version.state != CATALOG_STAGING;
    /* What was classified above the sender since is not there for them any more, here either. */
    if (place_visible(door, user, node) < 0 || door_path_for(door, user, node->id, &path) < 0)
        return;
    if (done) {
        sr_hex_encode(node->version.sha256, 32, hash);
        sr_time_local_text(node->version.sealed_ns, when);
    }
    append_csv(out, path);
    sr_buf_format(out, ",%llu,%s,%s,%s,%s,", (unsigned long long)node->version.size, hash, when,
                  state_text(node, workflow_is_scratch(door->workflow, node->name)),
                  node->version.state == CATALOG_SEALED ? "是" : "否");
    if (done)
        append_duplicate(door, user, node, out);
    sr_buf_text(out, "\r\n");
    free(path);
}

int notice_receipts(struct door *door, const struct door_actor *actor, struct sr_buf *out)
{
    struct catalog_user user;
    struct nodes list = {.count = 0};
    int status = door_user(door, actor, &user);
    if (status < 0)
        return status;
    status = catalog_records_of(door->catalog, actor->uid, RECEIPT_LINES, nodes_add, &list);
    sr_buf_text(out, BOM "文件,大小（字节）,SHA-256,封存时间,状态,可清卡,内容相同的记录\r\n");
    for (size_t i = 0; status >= 0 && i < list.count; i++) {
        if (list.items[i].junk)
            continue;
        pthread_mutex_lock(&door->lock);
        live_overlay(door, &list.items[i]);
        pthread_mutex_unlock(&door->lock);
        append_receipt(door, &user, &list.items[i], out);
    }
    nodes_free(&list);
    if (status >= 0 && out->failed)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for 入库回执.csv");
    return status < 0 ? status : 0;
}

int notice_stub(struct door *door, const struct door_actor *actor, const struct catalog_node *stub,
                struct sr_buf *out)
{
    char *path = NULL;
    char when[20];
    int status = door_path(door, actor, stub->moved_to, &path);
    if (status < 0)
        return status;
    sr_time_local_text(stub->created_ns, when);
    sr_buf_format(out, BOM "该记录已于 %s 归入：\r\n%s\r\n", when, path);
    free(path);
    return out->failed ? sr_fail(SR_ERR_NO_MEMORY, "no memory for a stub") : 0;
}

static int render(struct door *door, const struct door_actor *actor,
                  const struct catalog_node *node, struct sr_buf *out)
{
    if (node->id == CATALOG_NOTICE)
        return notice_render(door, actor, out);
    if (node->id == CATALOG_RECEIPTS)
        return notice_receipts(door, actor, out);
    if (node->kind == CATALOG_KIND_STUB)
        return notice_stub(door, actor, node, out);
    return sr_fail(SR_ERR_NOT_FOUND, "not a text of the store");
}

/* --- the cache: Explorer asks for the size of these files again and again --- */

#define CACHED_TEXTS 16
#define CACHE_NS (INT64_C(1000000000)) /* sizes of what is being written change without an entry */

struct text_cache {
    pthread_mutex_t lock;
    struct {
        uint32_t uid;
        uint64_t node;
        uint64_t entries; /* ledger size when it was rendered */
        int64_t until_ns;
        struct sr_buf text;
    } slots[CACHED_TEXTS];
};

void notice_forget(struct door *door)
{
    if (door->texts == NULL)
        return;
    for (size_t i = 0; i < CACHED_TEXTS; i++)
        sr_buf_free(&door->texts->slots[i].text);
    pthread_mutex_destroy(&door->texts->lock);
    free(door->texts);
    door->texts = NULL;
}

int notice_start(struct door *door)
{
    door->texts = calloc(1, sizeof *door->texts);
    if (door->texts == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for the texts of the store");
    pthread_mutex_init(&door->texts->lock, NULL);
    return 0;
}

/* Appends the text to out, or gives only its size (out NULL). */
static int cached(struct door *door, const struct door_actor *actor,
                  const struct catalog_node *node, struct sr_buf *out, uint64_t *size)
{
    struct sr_buf fresh = {0};
    struct text_cache *cache = door->texts;
    uint64_t entries = ledger_size(door->ledger);
    int64_t now = door->io->boottime_ns(door->io);
    size_t slot = (actor->uid * 2 + (node->id == CATALOG_NOTICE)) % CACHED_TEXTS;
    int status = 0;
    pthread_mutex_lock(&cache->lock);
    bool known = cache->slots[slot].uid == actor->uid && cache->slots[slot].node == node->id &&
                 cache->slots[slot].entries == entries && now < cache->slots[slot].until_ns;
    if (!known && (status = render(door, actor, node, &fresh)) == 0) {
        sr_buf_free(&cache->slots[slot].text);
        cache->slots[slot].text = fresh;
        cache->slots[slot].uid = actor->uid;
        cache->slots[slot].node = node->id;
        cache->slots[slot].entries = entries;
        cache->slots[slot].until_ns = now + CACHE_NS;
    } else if (!known) {
        sr_buf_free(&fresh);
    }
    if (status == 0 && out != NULL)
        sr_buf_append(out, cache->slots[slot].text.data, cache->slots[slot].text.len);
    if (status == 0)
        *size = cache->slots[slot].text.len;
    pthread_mutex_unlock(&cache->lock);
    if (status == 0 && out != NULL && out->failed)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a text");
    return status;
}

int notice_size(struct door *door, const struct door_actor *actor, const struct catalog_node *node,
                uint64_t *size)
{
    if (node->kind != CATALOG_KIND_VIRTUAL && node->kind != CATALOG_KIND_STUB)
        return sr_fail(SR_ERR_NOT_FOUND, "not a text of the store");
    return cached(door, actor, node, NULL, size);
}

int notice_text(struct door *door, const struct door_actor *actor, const struct catalog_node *node,
                struct sr_buf *out)
{
    uint64_t size;
    return cached(door, actor, node, out, &size);
}
