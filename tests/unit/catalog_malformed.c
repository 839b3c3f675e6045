/* What the schema does not know is refused, and the catalog is as it was. */
#include "tests/unit/catalog_entries.h"
#include "tests/unit/catalog_story.h"

#define MEMBERS_MAX 32

/* Entries of which one member is bad. */
#define USER_SET(uid, clearance, badge, from, until)                                         \
    "{'act':'user.set','uid':" uid ",'name':'n','roles':[],'unit':'','clearance':" clearance \
    ",'badge':'" badge "','badge_from':'" from "','badge_until':'" until "','by':1}"
#define CASE_OPEN(member)                                                                  \
    "{'act':'case.open','year':2026,'name':'b','stages':['x'],'drafts':'d','provisional':" \
    "true,'uid':20000,'client':''," member "}"
#define CLASSIFY(node, level, until, marks, approver)                                           \
    "{'act':'classify','node':'" node "','level':" level ",'until':'" until "','marks':[" marks \
    "],'approver':'" approver "','reason':'r','uid':1}"

static unsigned refused; /* counted, so that a test which tries nothing fails */

/* Members that may be absent, or that projection does not look at. */
static bool may_be_absent(const char *act, const char *key)
{
    if (strcmp(key, "salt") == 0 || strcmp(key, "private") == 0)
        return true; /* private: the record key is destroyed */
    if (strcmp(act, "refuse") == 0 && (strcmp(key, "node") == 0 || strcmp(key, "name") == 0))
        return true;
    if ((strcmp(act, "user.add") == 0 || strcmp(act, "case.open") == 0) &&
        (strcmp(key, "unit") == 0 || strcmp(key, "lead") == 0 || strcmp(key, "first") == 0))
        return true; /* in no entry of the first version */
    if (strcmp(act, "record.index") == 0 &&
        (strcmp(key, "text") == 0 || strcmp(key, "media") == 0 || strcmp(key, "labels") == 0))
        return true;
    if (strcmp(act, "record.label") == 0 && strcmp(key, "file") == 0)
        return true;
    return strcmp(act, "alert") == 0 && strcmp(key, "object") == 0;
}

/* A time may lie before 1970. */
static bool may_be_negative(const char *key)
{
    return strcmp(key, "time") == 0 || strcmp(key, "mtime") == 0 || strcmp(key, "until") == 0 ||
           strcmp(key, "from") == 0;
}

static void must_refuse(struct catalog *catalog, uint64_t index, const json_t *entry,
                        const char *before, const char *why, const char *key)
{
    struct sr_buf after = {0};
    int rc = catalog_project(catalog, index, entry);

    if (rc != SR_ERR_INVALID)
        fail_msg("entry %u, %s %s: %d", (unsigned)index, why, key, rc);
    if (strstr(sr_error_message(), "entry ") == NULL)
        fail_msg("sentence does not say which entry: %s", sr_error_message());
    assert_int_equal(dump_text(catalog, &after), 0);
    assert_string_equal(before, after.data);
    sr_buf_free(&after);
    refused++;
}

/* One member of the entry, or of its private part, is taken away or given another type. */
static void damage_member(struct catalog *catalog, uint64_t index, const char *before,
                          const char *part, const char *key)
{
    json_t *wrong[] = {json_null(), json_array(), json_object(), json_real(1.5), json_integer(-1)};
    const char *why[] = {"null as", "array as", "object as", "fraction as", "-1 as"};
    json_t *entry = entry_make(index, story[index]);
    json_t *in = part != NULL ? json_object_get(entry, part) : entry;
    bool array = json_is_array(json_object_get(in, key));
    bool private_part = strcmp(key, "private") == 0;
    char act[64];

    snprintf(act, sizeof(act), "%s", json_string_value(json_object_get(entry, "act")));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        json_object_set_new(in, key, wrong[i]);
        /* An empty array is a right array, unless somebody must stand in it. An empty private part
         * lacks members. */
        if ((i == 1 && array && strcmp(key, "lead") != 0 && strcmp(key, "labels") != 0) ||
            (i == 2 &&
             (strcmp(key, "media") == 0 || (private_part && strcmp(act, "record.index") == 0))) ||
            (i == 4 && may_be_negative(key)))
            continue;
        must_refuse(catalog, index, entry, before, why[i], key);
    }
    json_object_del(in, key);
    if (!may_be_absent(act, key) && (part != NULL || !private_part))
        must_refuse(catalog, index, entry, before, "without", key);
    json_decref(entry);
}

static size_t member_names(uint64_t index, const char *part, char names[MEMBERS_MAX][32])
{
    json_t *entry = entry_make(index, story[index]), *member;
    json_t *in = part != NULL ? json_object_get(entry, part) : entry;
    const char *key;
    size_t count = 0;

    json_object_foreach(in, key, member) if (strcmp(key, "salt") != 0)
        snprintf(names[count++], 32, "%s", key);
    json_decref(entry);
    return count;
}

static void test_every_member(void **state)
{
    struct catalog *catalog = *state;

    for (size_t index = 0; index < STORY_LEN; index++) {
        char names[MEMBERS_MAX][32];
        struct sr_buf before = {0};
        size_t count = member_names(index, NULL, names);

        assert_int_equal(dump_text(catalog, &before), 0);
        for (size_t i = 0; i < count; i++)
            damage_member(catalog, index, before.data, NULL, names[i]);
        count = member_names(index, "private", names);
        for (size_t i = 0; i < count; i++)
            damage_member(catalog, index, before.data, "private", names[i]);
        sr_buf_free(&before);
        entry_ok(catalog, index, story[index]); /* its index was not taken */
        check(catalog);
    }
    assert_true(refused > 1000);
}

static void test_not_entries(void **state)
{
    struct catalog *catalog = *state;
    json_t *array = json_array();

    assert_int_equal(catalog_project(catalog, 0, NULL), SR_ERR_INVALID);
    assert_int_equal(catalog_project(catalog, 0, array), SR_ERR_INVALID);
    json_decref(array);
    assert_int_equal(entry_try(catalog, UINT64_MAX, story[0]), SR_ERR_INVALID);
    assert_int_equal(entry_try(catalog, UINT64_C(1) << 54, story[0]), SR_ERR_INVALID);
    entry_refused(catalog, 0, "{}");
    entry_refused(catalog, 0, "{'act':'record.destroy'}");
    entry_refused(catalog, 0, "{'act':'Shutdown'}");
    entry_refused(catalog, 0, "{'v':2,'act':'shutdown'}");
    entry_refused(catalog, 0, "{'act':'shutdown','private':'AAAA'}");
    entry_refused(catalog, 0, "{'act':'shutdown','time':'01'}");
}

/* The largest index that has a node id still works. */
static void test_last_index(void **state)
{
    struct catalog *catalog = *state;
    uint64_t last = (UINT64_C(1) << 54) - 2;

    entry_ok(catalog, last, "{'act':'year.open','year':2026,'uid':1}");
    path_is(catalog, NODE(last), "/2026");
    check(catalog);
}

/* After the whole story, entries that are well formed but refer to what is not so. */
static void test_dangling(void **state)
{
    static const char *const bad[] = {
        "{'act':'year.open','year':2026,'uid':1}", /* twice */
        "{'act':'year.open','year':26,'uid':1}",
        "{'act':'case.open','year':2025,'name':'a','stages':[],'drafts':'d','provisional':true,"
        "'uid':1,'client':''}", /* no such year */
        "{'act':'case.open','year':2026,'name':'示例〔2026〕1号','stages':[],'drafts':'d',"
        "'provisional':true,'uid':1,'client':''}", /* name taken */
        "{'act':'case.open','year':2026,'name':'b','stages':['x','x'],'drafts':'d',"
        "'provisional':true,'uid':1,'client':''}", /* a stage twice */
        "{'act':'case.open','year':2026,'name':'b','stages':['x'],'drafts':'x',"
        "'provisional':true,'uid':1,'client':''}",
        "{'act':'case.open','year':2026,'name':'b','stages':[1],'drafts':'d',"
        "'provisional':true,'uid':1,'client':''}",
        "{'act':'folder.make','parent':'99','name':'a','uid':1,'kind':'folder'}",
        "{'act':'folder.make','parent':'$18','name':'a','uid':1,'kind':'folder'}", /* a record */
        "{'act':'folder.make','parent':'$32','name':'a','uid':1,'kind':'folder'}", /* a stub */
        "{'act':'folder.make','parent':'2','name':'a','uid':1,'kind':'folder'}",   /* 提示.txt */
        "{'act':'folder.make','parent':'$12+1','name':'a/b','uid':1,'kind':'folder'}",
        "{'act':'folder.make','parent':'$12+1','name':'..','uid':1,'kind':'folder'}",
        "{'act':'folder.make','parent':'$12+1','name':'','uid':1,'kind':'folder'}",
        "{'act':'folder.make','parent':'$12+1','name':'a','uid':1,'kind':'room'}",
        "{'act':'folder.make','parent':'$12+1','name':'a','uid':1,'kind':'unfiled_user'}",
        "{'act':'folder.make','parent':'4','name':'a','uid':1,'kind':'unfiled_date'}",
        "{'act':'folder.rename','node':'$13','parent':'$13','name':'a','uid':1}", /* into itself */
        "{'act':'folder.rename','node':'$12','parent':'$13','name':'a','uid':1}",
        "{'act':'folder.rename','node':'$12','parent':'1','name':'a','uid':1}",
        "{'act':'folder.rename','node':'$12+1','parent':'$12','name':'a','uid':1}", /* a stage */
        "{'act':'folder.rename','node':'$18','parent':'$12+1','name':'a','uid':1}",
        "{'act':'folder.remove','node':'$12','uid':1}", /* not empty */
        "{'act':'folder.remove','node':'$13','uid':1}",
        "{'act':'folder.remove','node':'$12+1','uid':1}",
        "{'act':'folder.remove','node':'4','uid':1}",
        "{'act':'folder.remove','node':'$15','uid':1}", /* gone */
        "{'act':'slot.remove','slot':'00112233','label':''}",
        "{'act':'user.add','uid':7,'account':'officer','name':'n','roles':[]}", /* account taken */
        "{'act':'user.add','uid':7,'account':'b','name':'n','roles':['']}",
        "{'act':'user.add','uid':20001,'account':'b','name':'n','roles':[]}", /* disabled */
        "{'act':'user.disable','uid':20001,'reason':'r','by':1}",             /* twice */
        "{'act':'user.disable','uid':7,'reason':'r','by':1}",
        "{'act':'user.disable','uid':20000,'reason':'','by':1}",
        USER_SET("7", "0", "", "", ""),     /* nobody */
        USER_SET("20001", "0", "", "", ""), /* disabled */
        USER_SET("20000", "5", "", "", ""),
        USER_SET("20000", "'1'", "", "", ""),
        USER_SET("20000", "0", "b", "2026-02-29", ""),
        USER_SET("20000", "0", "b", "1970-01-01", ""),
        USER_SET("20000", "0", "b", "", "20260101"),
        USER_SET("20000", "0", "b", "2026-01-02", "2026-01-01"),
        CASE_OPEN("'lead':[]"),
        CASE_OPEN("'lead':[9]"),
        CASE_OPEN("'lead':[20000,20000]"),
        CASE_OPEN("'lead':['20000']"),
        CASE_OPEN("'lead':[-1]"),
        CASE_OPEN("'lead':20000"),
        CASE_OPEN("'unit':1"),
        "{'act':'case.assign','node':'$48','lead':[],'helpers':[],'reason':'r','uid':1}",
        "{'act':'case.assign','node':'$48','lead':[20000],'helpers':[20000],'reason':'r','uid':1}",
        "{'act':'case.assign','node':'$48','lead':[20000],'helpers':[7],'reason':'r','uid':1}",
        "{'act':'case.assign','node':'$48','lead':[20000],'helpers':[],'reason':'','uid':1}",
        "{'act':'case.assign','node':'$48+1','lead':[20000],'helpers':[],'reason':'r','uid':1}",
        "{'act':'case.assign','node':'$18','lead':[20000],'helpers':[],'reason':'r','uid':1}",
        "{'act':'case.transfer','node':'$48','unit':'','reason':'r','uid':1}",
        "{'act':'case.transfer','node':'$13','unit':'u','reason':'r','uid':1}",
        CLASSIFY("$12", "5", "", "", ""),
        CLASSIFY("$12", "2", "", "", ""),
        CLASSIFY("$12", "2", "2036-13-01", "", ""),
        CLASSIFY("$12", "1", "", "'secret'", ""),
        CLASSIFY("$12", "1", "", "'privacy','privacy'", "a"),
        CLASSIFY("$12", "1", "", "'covert'", ""), /* no approver */
        CLASSIFY("$12", "1", "", "7", "a"),
        CLASSIFY("$11", "1", "", "", ""), /* a year */
        CLASSIFY("4", "1", "", "", ""),
        CLASSIFY("$16", "1", "", "", ""),
        CLASSIFY("$18", "1", "", "", ""), /* a record without its object */
        CLASSIFY("$32", "1", "", "", ""), /* a stub */
        CLASSIFY("99", "1", "", "", ""),
        "{'act':'classify','object':'@1','key':'65537','node':'$12','level':1,'until':'',"
        "'marks':[]}", /* not its node */
        "{'act':'classify','object':'@1','key':'65537','node':'$18','level':1,'until':'',"
        "'marks':['covert'],'private':{'uid':1,'reason':'r','approver':''}}",
        "{'act':'classify','object':'@1','key':'65537','node':'$18','level':1,'until':'',"
        "'marks':[],'private':{'uid':1,'reason':'','approver':''}}",
        "{'act':'record.create','object':'@1','key':'65537','private':{'parent':'$12+1','name':'n',"
        "'uid':1,'client':'','draft':false,'junk':false}}", /* object exists */
        "{'act':'record.create','object':'@50','key':'1','private':{'parent':'$18','name':'n',"
        "'uid':1,'client':'','draft':false,'junk':false}}",
        "{'act':'record.create','object':'@50','key':'1','private':{'parent':'0','name':'n',"
        "'uid':1,'client':'','draft':false,'junk':false}}",
        "{'act':'record.create','object':'0A','key':'1'}",
        "{'act':'record.create','object':'@50','key':'9223372036854775808'}",
        "{'act':'record.version','object':'@50','key':'1','node':'$18','previous':'@3'}",
        "{'act':'record.version','object':'@50','key':'1','node':'$18','previous':'@51'}",
        "{'act':'record.version','object':'@1','key':'1','node':'$18','previous':'@1'}",
        "{'act':'record.rename','object':'@7','key':'65543','node':'$18'}", /* not its node */
        "{'act':'record.rename','object':'@1','key':'65537','node':'$18'}", /* sealed */
        "{'act':'record.close','object':'@7','key':'65542','size':'1','mtime':'1'}", /* key */
        "{'act':'record.close','object':'@50','key':'1','size':'1','mtime':'1'}",
        "{'act':'record.close','object':'@1','key':'65537','size':'1','mtime':'1'}",
        "{'act':'record.reopen','object':'@1','key':'65537'}",
        "{'act':'record.discard','object':'@1','key':'65537','node':'$18'}", /* evidence */
        "{'act':'record.seal','object':'@1','key':'65537','size':'1','sha256':'#1','tag_root':'#1',"
        "'header_sha256':'#1','mtime':'1','state':'sealed','salvaged':false,'holes':[],"
        "'hole_count':0,'empty':false}", /* twice */
        "{'act':'record.seal','object':'@7','key':'65543','size':'1','sha256':'#1','tag_root':'#1',"
        "'header_sha256':'#1','mtime':'1','state':'open','salvaged':false,'holes':[],"
        "'hole_count':0,'empty':false}",
        "{'act':'record.seal','object':'@7','key':'65543','size':'1','sha256':'#1','tag_root':'#1',"
        "'header_sha256':'#1','mtime':'1','state':'sealed','salvaged':false,'holes':[['5','5']],"
        "'hole_count':0,'empty':false}",
        "{'act':'record.seal','object':'@7','key':'65543','size':'1','sha256':'#1','tag_root':'#1',"
        "'header_sha256':'#1','mtime':'1','state':'sealed','salvaged':false,'holes':[[0,1]],"
        "'hole_count':0,'empty':false}",
        "{'act':'record.incomplete','object':'@2','key':'65538','node':'$24'}", /* superseded */
        "{'act':'record.incomplete','object':'@7','key':'65543','node':'$41'}", /* not sealed */
        "{'act':'record.file','object':'@1','key':'65537','node':'$18','private':{'parent':'$15',"
        "'name':'n','uid':1,'reason':'','from_parent':'$13','from_name':'n','again':false}}",
        "{'act':'record.file','object':'@1','key':'65537','node':'$18','private':{'parent':'$13',"
        "'name':'n','uid':1,'reason':'','from_parent':'$15','from_name':'n','again':false}}",
    };
    struct catalog *catalog = *state;

    entries_ok(catalog, 0, story, STORY_LEN);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        entry_refused(catalog, STORY_LEN, bad[i]);
    entry_ok(catalog, STORY_LEN, "{'act':'shutdown'}");
}

/* Names and texts at their limits. */
static void test_long(void **state)
{
    struct catalog *catalog = *state;
    char name[300], text[600];

    entries_ok(catalog, 0, story, 17);
    memset(name, 'n', sizeof(name));
    for (int len = 255; len <= 256; len++) {
        snprintf(text, sizeof(text),
                 "{'act':'folder.make','parent':'$12+1','name':'%.*s','uid':1,'kind':'folder'}",
                 len, name);
        if (len == 255)
            entry_ok(catalog, 17, text);
        else
            entry_refused(catalog, 18, text);
    }
    assert_int_equal(strlen(node_get(catalog, NODE(17)).name), 255);
    /* U+0000 within a text. */
    entry_refused(catalog, 18, "{'act':'alert','kind':'a\\u0000b','detail':''}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_member, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_not_entries, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_last_index, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_dangling, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_long, open_catalog, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
