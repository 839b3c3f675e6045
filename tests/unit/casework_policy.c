/* The access rules at the door: what the shipped ones allow each role, a reload while files are open, what
 * a reload refuses, expectations, and rules that cannot be evaluated. */
#include "base/json.h"
#include "casework/door_internal.h"
#include "casework/policy_expect.h"
#include <unistd.h>

#include "tests/unit/casework_fixture.h"

static void write_policy(struct world *world, const char *name, const char *text)
{
    char *path = sr_path(WORLD_POLICY "/%s", name);
    assert_int_equal(sr_io_replace_file(memfs_io(world->fs), path, text, strlen(text), 0644), 0);
    free(path);
}

/* The shipped rules with more text behind them. */
static void write_more(struct world *world, const char *more)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(sr_io_read_file(sr_io_posix(), "policy/access.cedar", 1 << 20, &data, &len),
                     0);
    char *text = sr_path("%s\n%s", (const char *)data, more);
    write_policy(world, "access.cedar", text);
    free(text);
    free(data);
}

static int reload(struct world *world)
{
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    return door_policy_reload(world->door, &secoff);
}

/* --- what the shipped rules say --- */

#define X(act) (1u << (act))
#define SEES (X(ACT_PLACES) | X(ACT_LIST) | X(ACT_READ) | X(ACT_STATUS))
#define LEDGER (X(ACT_LEDGER) | X(ACT_CHECKPOINT))
static const struct {
    const char *role;
    uint32_t acts;
} shipped[] = {
    {"officer", SEES | X(ACT_ADD) | X(ACT_CASE_OPEN) | X(ACT_FILE) | X(ACT_INCOMPLETE) |
                    X(ACT_CASE_ASSIGN) | X(ACT_CLASSIFY) | X(ACT_LABEL)},
    {"reviewer", SEES | X(ACT_ADD)},
    {"head", SEES | X(ACT_ADD) | X(ACT_CASE_OPEN) | X(ACT_FILE) | X(ACT_CASE_ASSIGN) |
                 X(ACT_CASE_TRANSFER) | X(ACT_CLASSIFY) | X(ACT_EXPORT) | X(ACT_VIEW_GRANT) |
                 X(ACT_VIEWS) | X(ACT_LABEL) | X(ACT_ARCHIVE) | X(ACT_RETENTION)},
    {"supervisor", SEES | LEDGER | X(ACT_VERIFY) | X(ACT_VIEWS)},
    {"archivist", SEES | X(ACT_FILE) | LEDGER | X(ACT_VERIFY) | X(ACT_EXPORT) | X(ACT_LABEL) |
                      X(ACT_ARCHIVE) | X(ACT_RETENTION)},
    {"station", X(ACT_PLACES) | X(ACT_ADD) | X(ACT_STATUS)},
    {"sysadmin", X(ACT_PLACES) | X(ACT_USER_ADD) | X(ACT_USER_SET) | X(ACT_USER_DISABLE) |
                     X(ACT_USER_LIST) | X(ACT_STATUS)},
    {"secoff", X(ACT_PLACES) | X(ACT_USER_LIST) | X(ACT_USER_SET) | X(ACT_USER_DISABLE) |
                   X(ACT_CLASSIFY) | X(ACT_STATUS) | LEDGER | X(ACT_POLICY_SHOW) |
                   X(ACT_POLICY_EXPLAIN) | X(ACT_POLICY_TEST) | X(ACT_POLICY_RELOAD)},
    {"auditor", X(ACT_PLACES) | X(ACT_USER_LIST) | X(ACT_STATUS) | LEDGER | X(ACT_VERIFY) |
                    X(ACT_POLICY_SHOW) | X(ACT_POLICY_EXPLAIN)},
};

static void test_shipped_rules(void **state)
{
    struct world *world = *state;
    struct door_actor sysadmin = world_actor(WORLD_SYSADMIN);
    struct catalog_user user, root = {.uid = 0};
    struct catalog_node record;
    put(world, STAGE "/a.txt", "x", &record);
    for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
        char account[32];
        snprintf(account, sizeof account, "test_%s", shipped[i].role);
        assert_int_equal(door_user_add(world->door, &sysadmin, account, "某人", NULL,
                                       &shipped[i].role, 1, NULL, &user),
                         0);
        for (int act = 0; act < ACT_COUNT; act++) {
            bool expected = (shipped[i].acts & X(act)) != 0;
            if (door_allows(world->door, &user, (enum act)act, NULL) != expected ||
                door_allows(world->door, &user, (enum act)act, &record) != expected)
                fail_msg("%s, %s: expected %s", shipped[i].role, authorise_act_name((enum act)act),
                         expected ? "allow" : "deny");
        }
    }
    for (int act = 0; act < ACT_COUNT; act++)
        assert_int_equal(door_allows(world->door, &root, (enum act)act, NULL), act == ACT_PLACES);
    struct catalog_user stranger = {.uid = 29999, .account = "nobody"};
    for (int act = 0; act < ACT_COUNT; act++)
        assert_false(door_allows(world->door, &stranger, (enum act)act, &record));
}

/* 待归案: one's own, and for head, supervisor, archivist. */
static void test_unfiled_is_ones_own(void **state)
{
    struct world *world = *state;
    static const uint32_t others[] = {WORLD_SUPERVISOR, WORLD_ARCHIVIST};
    struct catalog_node node;
    char today[11], path[128];
    sr_time_local_date(memfs_io(world->fs)->now_ns(memfs_io(world->fs)), today);
    snprintf(path, sizeof path, "待归案/zhang/%s", today);
    assert_int_equal(world_find(world, WORLD_OFFICER, path, &node), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER2, path, &node), SR_ERR_NOT_FOUND);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(world_find(world, others[i], path, &node), 0);
}

/* --- units, assigned officers, classification --- */

static void set_unit(struct world *world, const char *account, const char *unit)
{
    struct door_actor sysadmin = world_actor(WORLD_SYSADMIN);
    struct door_user_change change = {.unit = unit, .clearance = -1};
    struct catalog_user user;
    assert_int_equal(door_user_set(world->door, &sysadmin, account, &change, &user), 0);
}

static int classify(struct world *world, uint64_t node, int level, uint32_t marks)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_class class = {.level = level,
                               .set_marks = true,
                               .marks = marks,
                               .approver = marks & CATALOG_MARK_COVERT ? "局长" : NULL,
                               .reason = "依据清单"};
    return door_classify(world->door, &officer, node, &class);
}

static int find(struct world *world, uint32_t uid, const char *path)
{
    struct catalog_node node;
    return world_find(world, uid, path, &node);
}

static int add(struct world *world, uint32_t uid, const char *path)
{
    struct catalog_node node;
    return world_put(world, uid, path, "x", 1, &node);
}

/* A case of a unit: its people see it, its leads and helpers add, other units know nothing of it. */
static void test_a_case_of_a_unit(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node;
    uint32_t colleague = add_user(world, "tong", "执法一科", "officer");
    uint32_t other = add_user(world, "wai", "执法二科", "officer");
    uint32_t other_head = add_user(world, "tou", "执法二科", "head");
    const uint32_t lead[] = {WORLD_OFFICER}, helpers[] = {other};
    set_unit(world, "zhang", "执法一科");
    assert_int_equal(door_case_open(world->door, &officer, 2026, "科案", &node), 0);
    put(world, "2026/科案/02调查取证/a.txt", "x", &node);
    assert_int_equal(find(world, colleague, "2026/科案/02调查取证/a.txt"), 0);
    assert_int_equal(add(world, colleague, "2026/科案/02调查取证/b.txt"), SR_ERR_DENIED);
    assert_int_equal(find(world, other, "2026/科案"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, other, "2026/科案/02调查取证/a.txt"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, other_head, "2026/科案/02调查取证/a.txt"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, WORLD_SUPERVISOR, "2026/科案/02调查取证/a.txt"), 0);
    assert_int_equal(find(world, WORLD_SYSADMIN, "2026/科案/02调查取证"), 0);
    assert_int_equal(find(world, WORLD_SYSADMIN, "2026/科案/02调查取证/a.txt"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, other, STAGE), 0); /* a case without a unit is open to all */

    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/科案", &node), 0);
    assert_int_equal(door_case_assign(world->door, &officer, node.id, lead, 1, helpers, 1, "协助"),
                     0);
    assert_int_equal(find(world, other, "2026/科案/02调查取证/a.txt"), 0);
    assert_int_equal(add(world, other, "2026/科案/02调查取证/c.txt"), 0);
    assert_int_equal(door_case_assign(world->door, &officer, node.id, lead, 1, NULL, 0, "协助完毕"),
                     0);
    assert_int_equal(find(world, other, "2026/科案"), SR_ERR_NOT_FOUND);
    reopen(world);
    assert_int_equal(find(world, other, "2026/科案"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, colleague, "2026/科案"), 0);
}

/* What is above somebody's clearance is not there for them: by name, in listings, in search. */
static int count_node(void *context, const struct catalog_node *node)
{
    (void)node;
    ++*(unsigned *)context;
    return 0;
}

static unsigned listed(struct world *world, uint32_t uid, const char *folder)
{
    struct door_actor actor = world_actor(uid);
    struct catalog_node node;
    unsigned count = 0;
    assert_int_equal(world_find(world, uid, folder, &node), 0);
    assert_int_equal(door_readdir(world->door, &actor, node.id, 0, count_node, &count), 0);
    return count;
}

static int count_hit(void *context, const struct catalog_node *node, const char *snippet)
{
    (void)snippet;
    return count_node(context, node);
}

static unsigned searched(struct world *world, uint32_t uid, const char *words)
{
    struct door_actor actor = world_actor(uid);
    unsigned count = 0;
    uint64_t total;
    assert_int_equal(door_search(world->door, &actor, words, 0, 100, count_hit, &count, &total), 0);
    assert_int_equal(total, count);
    return count;
}

static void test_clearance(void **state)
{
    struct world *world = *state;
    struct door_actor officer2 = world_actor(WORLD_OFFICER2);
    struct catalog_node node;
    struct door_open_info info;
    struct door_file *open;
    uint8_t byte;
    size_t got;
    clear_for(world, "zhang", CATALOG_INTERNAL);
    put(world, STAGE "/笔录.txt", "x", &node);
    seal(world, &node);
    assert_int_equal(searched(world, WORLD_OFFICER2, "笔录"), 1);
    assert_int_equal(listed(world, WORLD_OFFICER2, STAGE), 1);
    assert_int_equal(door_open(world->door, &officer2, node.id, false, false, &open, &info), 0);
    assert_int_equal(door_read(open, 0, &byte, 1, &got), 0);
    assert_int_equal(classify(world, node.id, CATALOG_INTERNAL, 0), 0);
    assert_int_equal(door_read(open, 0, &byte, 1, &got), SR_ERR_DENIED); /* the open handle, too */
    door_release(open);
    assert_int_equal(find(world, WORLD_OFFICER2, STAGE "/笔录.txt"), SR_ERR_NOT_FOUND);
    assert_int_equal(listed(world, WORLD_OFFICER2, STAGE), 0);
    assert_int_equal(searched(world, WORLD_OFFICER2, "笔录"), 0);
    assert_int_equal(find(world, WORLD_OFFICER, STAGE "/笔录.txt"), 0);
    assert_int_equal(listed(world, WORLD_OFFICER, STAGE), 1);
    clear_for(world, "li", CATALOG_INTERNAL);
    assert_int_equal(find(world, WORLD_OFFICER2, STAGE "/笔录.txt"), 0);
    /* A whole case: its name is not there either, for root neither. */
    clear_for(world, "li", CATALOG_PUBLIC);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &node), 0);
    assert_int_equal(classify(world, node.id, CATALOG_INTERNAL, 0), 0);
    assert_int_equal(find(world, WORLD_OFFICER2, "2026/案"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, 0, "2026/案"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, WORLD_OFFICER, STAGE), 0);
}

static void test_marks(void **state)
{
    struct world *world = *state;
    struct catalog_node private_one, covert, secret;
    uint8_t *data;
    size_t len;
    put(world, STAGE "/隐私.txt", "x", &private_one);
    put(world, STAGE "/隐蔽.mp4", "x", &covert);
    put(world, STAGE "/商业.txt", "x", &secret);
    assert_int_equal(classify(world, private_one.id, -1, CATALOG_MARK_PRIVACY), 0);
    assert_int_equal(classify(world, covert.id, -1, CATALOG_MARK_COVERT), 0);
    assert_int_equal(classify(world, secret.id, -1, CATALOG_MARK_TRADE_SECRET), 0);
    assert_int_equal(find(world, WORLD_OFFICER2, STAGE "/隐私.txt"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, WORLD_SUPERVISOR, STAGE "/隐私.txt"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, WORLD_SUPERVISOR, STAGE "/隐蔽.mp4"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, WORLD_OFFICER, STAGE "/隐蔽.mp4"), 0);
    /* Filed away, the stub at the old place is as private as the record. */
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node stage;
    seal(world, &private_one);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案/05决定", &stage), 0);
    assert_int_equal(
        door_record_file(world->door, &officer, private_one.id, stage.id, NULL, "放错", true), 0);
    assert_int_equal(find(world, WORLD_OFFICER, STAGE "/隐私.txt"), 0);
    assert_int_equal(find(world, WORLD_OFFICER2, STAGE "/隐私.txt"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, WORLD_OFFICER2, "2026/案/05决定/隐私.txt"), SR_ERR_NOT_FOUND);
    assert_int_equal(find(world, WORLD_SUPERVISOR, STAGE "/商业.txt"), 0);
    assert_int_equal(world_read(world, WORLD_SUPERVISOR, secret.id, &data, &len), SR_ERR_DENIED);
    assert_int_equal(world_read(world, WORLD_OFFICER2, secret.id, &data, &len), SR_ERR_DENIED);
    assert_notice(world, WORLD_OFFICER2, "strongroom view --purpose");
    free(data);
}

/* --- docs/policy.md --- */

#define TABLE_FILE "docs/policy.md"
#define TABLE_FROM "<!-- made from the shipped rules by tests/unit/casework_policy.c -->\n"

/* A record of a case without a unit, that somebody else sent. */
static const struct {
    const char *title;
    uint32_t level, marks;
    int clearance;
} classes[] = {
    {"公开", CATALOG_PUBLIC, 0, CATALOG_PUBLIC},
    {"内部", CATALOG_INTERNAL, 0, CATALOG_INTERNAL},
    {"秘密", CATALOG_CONFIDENTIAL, 0, CATALOG_CONFIDENTIAL},
    {"机密", CATALOG_SECRET, 0, CATALOG_SECRET},
    {"绝密", CATALOG_TOP_SECRET, 0, CATALOG_TOP_SECRET},
    {"above clearance", CATALOG_SECRET, 0, CATALOG_CONFIDENTIAL},
    {"工作秘密", CATALOG_PUBLIC, CATALOG_MARK_WORK_SECRET, CATALOG_PUBLIC},
    {"商业秘密", CATALOG_PUBLIC, CATALOG_MARK_TRADE_SECRET, CATALOG_PUBLIC},
    {"个人隐私", CATALOG_PUBLIC, CATALOG_MARK_PRIVACY, CATALOG_PUBLIC},
    {"隐蔽录音录像", CATALOG_PUBLIC, CATALOG_MARK_COVERT, CATALOG_PUBLIC},
};
#define CLASSES (sizeof classes / sizeof classes[0])
static const enum act table_acts[] = {
    ACT_LIST,        ACT_READ,          ACT_ADD,      ACT_FILE,     ACT_INCOMPLETE,
    ACT_CASE_ASSIGN, ACT_CASE_TRANSFER, ACT_CLASSIFY, ACT_EXPORT,   ACT_VIEW_GRANT,
    ACT_VIEWS,       ACT_LABEL,         ACT_ARCHIVE,  ACT_RETENTION};

static const char *answer(struct world *world, const struct catalog_user *user, enum act act,
                          const struct catalog_node *node)
{
    if (door_allows(world->door, user, act, node))
        return " yes |";
    if ((act == ACT_READ || act == ACT_EXPORT) &&
        door_allows_for(world->door, user, act, node, "复核"))
        return " purpose |";
    return " · |";
}

static void table_row(struct world *world, const char *role, enum act act,
                      const struct catalog_node *record, struct sr_buf *out)
{
    struct catalog_user user;
    char account[32];
    snprintf(account, sizeof account, "table_%s", role);
    sr_buf_format(out, "| %s | %s |", role, authorise_act_name(act));
    for (size_t i = 0; i < CLASSES; i++) {
        struct catalog_node node = *record;
        node.level = classes[i].level;
        node.marks = classes[i].marks;
        clear_for(world, account, classes[i].clearance);
        assert_int_equal(catalog_user_by_account(door_catalog(world->door), account, &user), 0);
        sr_buf_text(out, answer(world, &user, act, &node));
    }
    sr_buf_text(out, "\n");
}

/* The committed table is what the shipped rules say. When it is not, out/policy-table.md is. */
static void test_the_committed_table(void **state)
{
    struct world *world = *state;
    struct sr_buf table = {0};
    struct catalog_node record;
    uint8_t *data;
    size_t len;
    put(world, STAGE "/a.txt", "x", &record);
    record.version.uid = WORLD_ARCHIVIST; /* nobody of the table */
    sr_buf_text(&table, "| role | action |");
    for (size_t i = 0; i < CLASSES; i++)
        sr_buf_format(&table, " %s |", classes[i].title);
    sr_buf_text(&table, "\n|---|---|");
    for (size_t i = 0; i < CLASSES; i++)
        sr_buf_text(&table, "---|");
    sr_buf_text(&table, "\n");
    for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
        char account[32];
        snprintf(account, sizeof account, "table_%s", shipped[i].role);
        add_user(world, account, NULL, shipped[i].role);
        for (size_t act = 0; act < sizeof table_acts / sizeof table_acts[0]; act++)
            table_row(world, shipped[i].role, table_acts[act], &record, &table);
    }
    assert_false(table.failed);
    assert_int_equal(sr_io_read_file(sr_io_posix(), TABLE_FILE, 1 << 20, &data, &len), 0);
    const char *committed = strstr((const char *)data, TABLE_FROM);
    if (committed == NULL || strcmp(committed + strlen(TABLE_FROM), table.data) != 0) {
        FILE *fresh = fopen("out/policy-table.md", "w");
        if (fresh != NULL) {
            fputs(table.data, fresh);
            fclose(fresh);
        }
        fail_msg(TABLE_FILE " is not what the rules say; out/policy-table.md is");
    }
    sr_buf_free(&table);
    free(data);
}

/* Nobody of 三员 can both read evidence and change who may. */
static void test_three_administrators(void **state)
{
    struct world *world = *state;
    static const char *const three[] = {"sysadmin", "secoff", "auditor"};
    static const enum act power[] = {ACT_USER_ADD, ACT_USER_SET, ACT_POLICY_RELOAD};
    struct catalog_node record;
    struct catalog_user user;
    put(world, STAGE "/a.txt", "x", &record);
    for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
        bool reads, changes = false, is_one = false;
        char account[32];
        snprintf(account, sizeof account, "three_%s", shipped[i].role);
        uint32_t uid = add_user(world, account, NULL, shipped[i].role);
        assert_int_equal(catalog_user(door_catalog(world->door), uid, &user), 0);
        reads = door_allows(world->door, &user, ACT_READ, &record) ||
                door_allows(world->door, &user, ACT_LIST, &record);
        for (size_t act = 0; act < 3; act++) /* of people and of rules */
            changes |= door_allows(world->door, &user, power[act], NULL);
        for (size_t j = 0; j < 3; j++)
            is_one |= strcmp(three[j], shipped[i].role) == 0;
        assert_false(reads && changes);
        assert_false(reads && is_one);
        assert_true(is_one || !changes);
    }
}

/* --- reloading --- */

static void test_reload_reaches_open_files(void **state)
{
    struct world *world = *state;
    struct door_actor supervisor = world_actor(WORLD_SUPERVISOR),
                      officer = world_actor(WORLD_OFFICER);
    struct catalog_node node;
    struct door_open_info info;
    struct door_file *theirs, *own, *late;
    char byte;
    size_t got;
    put(world, STAGE "/a.txt", "evidence", &node);
    seal(world, &node);
    assert_state(world, STAGE "/a.txt", CATALOG_SEALED);
    assert_int_equal(door_open(world->door, &supervisor, node.id, false, false, &theirs, &info), 0);
    assert_int_equal(door_open(world->door, &officer, node.id, false, false, &own, &info), 0);
    assert_int_equal(door_read(theirs, 0, &byte, 1, &got), 0);
    write_more(world,
               "forbid (principal in Role::\"supervisor\", action == Action::\"read\", resource);");
    assert_int_equal(door_read(theirs, 0, &byte, 1, &got), 0); /* not loaded yet */
    assert_int_equal(reload(world), 0);
    assert_int_equal(door_read(theirs, 0, &byte, 1, &got), SR_ERR_DENIED);
    assert_int_equal(door_read(own, 0, &byte, 1, &got), 0);
    assert_int_equal(door_open(world->door, &supervisor, node.id, false, false, &late, &info),
                     SR_ERR_DENIED);
    assert_notice(world, WORLD_SUPERVISOR, "a.txt");
    write_more(world, ""); /* and back */
    assert_int_equal(reload(world), 0);
    assert_int_equal(door_read(theirs, 0, &byte, 1, &got), 0);
    door_release(theirs);
    door_release(own);
}

static void test_who_may_reload(void **state)
{
    struct world *world = *state;
    static const uint32_t others[] = {
        0, WORLD_SYSADMIN, WORLD_OFFICER, WORLD_SUPERVISOR, WORLD_ARCHIVIST, WORLD_STRANGER};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct door_actor actor = world_actor(others[i]);
        assert_int_equal(door_policy_reload(world->door, &actor), SR_ERR_DENIED);
    }
}

static int count_files(void *context, const char *file, const uint8_t sha256[32])
{
    static const uint8_t zero[32];
    assert_memory_not_equal(sha256, zero, 32);
    assert_true(file[0] != '\0');
    ++*(unsigned *)context;
    return 0;
}

static void test_a_load_is_on_record(void **state)
{
    struct world *world = *state;
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    uint64_t before = ledger_size(world->ledger);
    unsigned files = 0;
    write_policy(world, "more.cedar",
                 "permit (principal in Role::\"head\", action == Action::\"verify\", resource);");
    write_policy(world, ".hidden.cedar", "this is not Cedar");
    assert_int_equal(reload(world), 0);
    assert_int_equal(ledger_size(world->ledger), before + 1);
    assert_int_equal(ledger_committed(world->ledger), before + 1);
    assert_int_equal(door_policy_show(world->door, &secoff, count_files, &files), 0);
    assert_int_equal(files, 4); /* workflow.yaml naming.yaml access.cedar more.cedar */
    reopen(world);
}

static void refused(struct world *world, const char *sentence)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    uint64_t before = ledger_size(world->ledger);
    int status = reload(world);
    if (status == 0 || strstr(sr_error_message(), sentence) == NULL)
        fail_msg("%d: \"%s\", not \"%s\"", status, sr_error_message(), sentence);
    assert_int_equal(ledger_size(world->ledger), before);
    struct catalog_node node; /* the rules before are in force */
    assert_int_equal(door_getattr(world->door, &officer, CATALOG_ROOT, &node), 0);
}

static void test_a_broken_policy_changes_nothing(void **state)
{
    struct world *world = *state;
    write_policy(world, "access.cedar",
                 "permit (principal, action, resource)\nwhen { principal.x = 1 };");
    refused(world, "/policy/access.cedar:2:");
    write_policy(world, "access.cedar", "permit (principal == ?principal, action, resource);");
    refused(world, "never applies");
    write_policy(world, "access.cedar", "permit (principal, action, resource) when { \xff };");
    refused(world, "/policy/access.cedar");
    write_policy(world, "access.cedar", /* what the schema does not have */
                 "permit (principal, action == Action::\"read\", resource)\n"
                 "when { principal.clearence > 2 };");
    refused(world, "/policy/access.cedar:2:18: User has no attribute `clearence`; did you mean "
                   "`clearance`?");
    write_policy(world, "access.cedar",
                 "permit (principal, action == Action::\"user.list\", resource is Record);");
    refused(world, "/policy/access.cedar:1:1: ");
    write_policy(world, "access.cedar",
                 "permit (principal, action == Action::\"read\", resource is Record)\n"
                 "when { resource.sender == principal };");
    refused(world, "is optional: test it with `has` before");
    write_more(world, "");
    write_policy(world, "zzz.cedar", "forbid (principal, action, resource");
    refused(world, "/policy/zzz.cedar:1:");
    write_policy(world, "zzz.cedar", "");
    write_policy(world, "workflow.yaml", "settle_secnods: 5");
    refused(world, "settle_secnods");
    write_policy(world, "workflow.yaml", "settle_seconds: 5");
    assert_int_equal(reload(world), 0);
}

/* Without a file everything is kept for ever: a file that says less is refused. */
static void test_terms_are_only_extended(void **state)
{
    struct world *world = *state;
    write_policy(world, "retention.yaml",
                 "期限:\n  - {名称: c, 范围: 案件, 期限: 永久}\n  - {名称: f, 范围: 全部, 期限: "
                 "30年}\n");
    refused(world, "terms are only ever extended");
    write_policy(world, "retention.yaml", "期限:\n  - {名称: c, 范围: 案件}\n");
    refused(world, "retention.yaml:2:");
}

static void test_without_rules_nothing_starts(void **state)
{
    struct world *world = *state;
    struct memfs *fs = world->fs;
    struct sr_io *io = memfs_io(fs);
    world_close(world);
    assert_int_equal(io->unlink(io, WORLD_POLICY "/access.cedar"), 0);
    assert_int_equal(world_open(world, fs, 60 * SECOND_NS), SR_ERR_NOT_FOUND);
    assert_non_null(strstr(sr_error_message(), "copy the shipped access.cedar there"));
    world->fs = fs;
    world->door = NULL;
}

/* --- expectations --- */

static int keep_failure(void *context, const char *sentence)
{
    snprintf(context, 512, "%s", sentence);
    return 0;
}

static void test_expectations(void **state)
{
    struct world *world = *state;
    struct door_actor secoff = world_actor(WORLD_SECOFF), officer = world_actor(WORLD_OFFICER);
    char failure[512] = "";
    struct door_policy_report report = {.fn = keep_failure, .context = failure};
    struct catalog_node node;
    const char *text = "expectations:\n"
                       "  - user: zhang\n    action: read\n    path: /" STAGE "/a.txt\n"
                       "    decision: allow\n"
                       "  - user: sys\n    action: read\n    path: /" STAGE "/a.txt\n"
                       "    decision: deny\n"
                       "  - user: root\n    action: places\n    decision: allow\n"
                       "  - user: zhang\n    action: user.add\n    decision: allow\n";
    put(world, STAGE "/a.txt", "x", &node);
    assert_int_equal(
        door_policy_test(world->door, &officer, "e", (const uint8_t *)text, strlen(text), &report),
        SR_ERR_DENIED);
    assert_int_equal(door_policy_test(world->door, &secoff, "e.yaml", (const uint8_t *)text,
                                      strlen(text), &report),
                     0);
    assert_int_equal(report.passed, 3);
    assert_int_equal(report.failed, 1);
    assert_string_equal(
        failure, "e.yaml:13:5: zhang, user.add, the store: expected allow, the rules say deny");

    write_policy(world, POLICY_EXPECT_FILE, text); /* a reload must meet them */
    refused(world, POLICY_EXPECT_FILE ":13:5: zhang, user.add");
    write_more(world,
               "permit (principal == User::\"zhang\", action == Action::\"user.add\", resource);");
    assert_int_equal(reload(world), 0);
    write_more(world, "");
    refused(world, POLICY_EXPECT_FILE ":13:");
}

static void bad_expectations(struct world *world, const char *text, const char *sentence)
{
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    char failure[512] = "";
    struct door_policy_report report = {.fn = keep_failure, .context = failure};
    int status = door_policy_test(world->door, &secoff, "e.yaml", (const uint8_t *)text,
                                  strlen(text), &report);
    const char *said = status == 0 ? failure : sr_error_message();
    if (strstr(said, sentence) == NULL)
        fail_msg("\"%s\", not \"%s\"", said, sentence);
}

static void test_bad_expectations(void **state)
{
    struct world *world = *state;
    bad_expectations(world,
                     "expectations:\n  - user: zhang\n    action: read\n    decision: maybe\n",
                     "e.yaml:2:5: decision is `allow` or `deny`");
    bad_expectations(world, "expectations:\n  - user: zhang\n    action: fly\n    decision: deny\n",
                     "there is no action \"fly\"");
    bad_expectations(world, "expectations:\n  - user: wu\n    action: read\n    decision: deny\n",
                     "there is no account \"wu\"");
    bad_expectations(world,
                     "expectations:\n  - user: zhang\n    action: read\n    path: /1999/x\n"
                     "    decision: deny\n",
                     "there is no /1999/x");
    bad_expectations(world, "expectations:\n  - user: zhang\n    decision: deny\n", "e.yaml:");
    bad_expectations(world, "expectations: 5\n", "e.yaml:");
    bad_expectations(world, "rules: []\n", "unknown key `rules`");
    bad_expectations(world, "", "e.yaml");
}

/* --- explaining, and rules that cannot be evaluated --- */

static int keep_reason(void *context, const struct door_policy_reason *reason)
{
    snprintf(context, 512, "%s:%u %s %s %s", reason->file, reason->line,
             reason->forbid ? "forbid" : "permit", reason->id,
             reason->fault != NULL ? reason->fault : "");
    return 0;
}

static int explain(struct world *world, const char *account, const char *act, const char *path,
                   bool *allow, char reason[512])
{
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    const struct door_policy_question question = {.account = account, .act = act, .path = path};
    return door_policy_explain(world->door, &secoff, &question, allow, keep_reason, reason);
}

static void test_explain(void **state)
{
    struct world *world = *state;
    char reason[512] = "";
    bool allow;
    assert_int_equal(explain(world, "zhang", "add", STAGE, &allow, reason), 0);
    assert_true(allow);
    assert_non_null(strstr(reason, "permit officer"));
    assert_non_null(strstr(reason, "access.cedar:"));
    assert_int_equal(explain(world, "sys", "read", NULL, &allow, reason), 0);
    assert_false(allow);
    assert_non_null(strstr(reason, "forbid the three administrators see no evidence"));
    assert_int_equal(explain(world, "wu", "read", NULL, &allow, reason), SR_ERR_NOT_FOUND);
}

static void test_explain_with_a_purpose(void **state)
{
    struct world *world = *state;
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    struct door_policy_question question = {.account = "li", .act = "read", .path = STAGE "/a.txt"};
    struct catalog_node node;
    char reason[512] = "";
    bool allow;
    put(world, STAGE "/a.txt", "x", &node);
    assert_int_equal(classify(world, node.id, -1, CATALOG_MARK_WORK_SECRET), 0);
    assert_int_equal(
        door_policy_explain(world->door, &secoff, &question, &allow, keep_reason, reason), 0);
    assert_false(allow);
    assert_non_null(strstr(reason, "forbid restricted content needs a purpose"));
    question.purpose = "复核";
    assert_int_equal(
        door_policy_explain(world->door, &secoff, &question, &allow, keep_reason, reason), 0);
    assert_true(allow);
    question.act = "list";
    assert_failed(door_policy_explain(world->door, &secoff, &question, &allow, keep_reason, reason),
                  SR_ERR_NOT_FOUND, "purpose");
    bad_expectations(world,
                     "expectations:\n  - user: li\n    action: read\n    path: /" STAGE "/a.txt\n"
                     "    decision: allow\n",
                     "expected allow, the rules say deny");
    bad_expectations(world,
                     "expectations:\n  - user: li\n    action: read\n    path: /" STAGE "/a.txt\n"
                     "    purpose: 复核\n    decision: deny\n",
                     "expected deny, the rules say allow");
    bad_expectations(world,
                     "expectations:\n  - user: li\n    action: add\n    purpose: 复核\n"
                     "    decision: deny\n",
                     "a purpose goes with");
}

static void test_a_faulting_forbid_denies(void **state)
{
    struct world *world = *state;
    struct catalog_counts before, after;
    struct catalog_node node;
    put(world, STAGE "/a.txt", "x", &node);
    assert_int_equal(catalog_counts(door_catalog(world->door), &before), 0);
    write_more(world, "@id(\"odd\")\nforbid (principal, action == Action::\"read\", resource)\n"
                      "when { principal.uid * 9223372036854775807 > 3 };");
    assert_int_equal(reload(world), 0);
    uint8_t *data;
    size_t len;
    assert_int_equal(world_read(world, WORLD_OFFICER, node.id, &data, &len), SR_ERR_DENIED);
    for (int i = 0; i < 200; i++) { /* the sealer writes the alert */
        assert_int_equal(catalog_counts(door_catalog(world->door), &after), 0);
        if (after.alerts > before.alerts)
            break;
        usleep(20000);
    }
    assert_int_equal(after.alerts, before.alerts + 1);
    /* A permit that cannot be evaluated only does not permit. */
    write_more(
        world,
        "permit (principal, action, resource) when { principal.uid * 9223372036854775807 > 3 };");
    assert_int_equal(reload(world), 0);
    assert_content(world, node.id, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_shipped_rules),
        TEST(test_unfiled_is_ones_own),
        TEST(test_the_committed_table),
        TEST(test_three_administrators),
        TEST(test_a_case_of_a_unit),
        TEST(test_clearance),
        TEST(test_marks),
        TEST(test_reload_reaches_open_files),
        TEST(test_who_may_reload),
        TEST(test_a_load_is_on_record),
        TEST(test_a_broken_policy_changes_nothing),
        TEST(test_terms_are_only_extended),
        TEST(test_without_rules_nothing_starts),
        TEST(test_expectations),
        TEST(test_bad_expectations),
        TEST(test_explain),
        TEST(test_explain_with_a_purpose),
        TEST(test_a_faulting_forbid_denies),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
