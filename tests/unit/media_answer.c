/* The check of a probe's description: one whole answer that holds, and every way to break it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "media/answer.h"
#include "media/wire.h"

static const char whole[] =
    "{'altitude':12.5,'attachments':[{'name':'原件.xml'}],'author':'王','bit_rate':128000,'charset'"
    ":'GB18030','charset_assumed':true,'"
    "container':'mov,mp4',"
    "'created':'2026-11-22T10:03:04.5+08:00','created_ns':'1795312984500000000','duration_ms':1000,"
    "'encrypted':false,'findings':[{'code':'extension','text':'扩展名不符'}],"
    "'format_version':'1.7',"
    "'labels':[{'案件编号':'1号'}],'latitude':-31.5,'longitude':180,'make':'m','model':'n',"
    "'modified':'2026-11-22T02:03:04Z','modified_ns':'1795312984000000000','pages':3,"
    "'rotation':90,'signatures':[{'chain':'trusted','detail':'','intact':null,'kind':'pdf',"
    "'signer':'CN=王','time_ns':'-5'}],'software':'s','streams':[{'bit_rate':1,'channels':2,"
    "'codec':'h264','frame_rate':'30000/1001','height':1080,'kind':'video','sample_rate':48000,"
    "'width':1920}],'text':{'bytes':6,'truncated':false},'title':'t','type':'video/mp4'}";

/* ' to " so that the cases can be read. */
static int parse(const char *quoted, uint64_t text_bytes)
{
    char *text = strdup(quoted);
    json_t *answer;
    int rc;

    for (char *at = text; *at; at++) {
        if (*at == '\'')
            *at = '"';
    }
    rc = answer_parse((const uint8_t *)text, strlen(text), text_bytes, &answer);
    assert_true((rc == 0) == (answer != NULL));
    json_decref(answer);
    free(text);
    return rc;
}

static void test_whole(void **state)
{
    (void)state;
    assert_int_equal(parse(whole, 6), 0);
    assert_int_equal(parse(whole, 7), SR_ERR_INVALID);
    assert_int_equal(parse("{'type':'image/svg+xml'}", 0), 0);
    assert_int_equal(parse("{'type':'a/b'}", 1), SR_ERR_INVALID);
}

/* Every prefix of a whole answer, and every byte of it changed, is another answer or none. */
static void test_damage(void **state)
{
    (void)state;
    char text[sizeof(whole)];
    unsigned refused = 0;
    json_t *answer;

    for (size_t i = 0; i < sizeof(whole); i++)
        text[i] = whole[i] == '\'' ? '"' : whole[i];
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        assert_int_equal(answer_parse((uint8_t *)text, len, 6, &answer), SR_ERR_INVALID);
        assert_null(answer);
    }
    for (size_t i = 0; i < sizeof(whole) - 1; i++) {
        for (int bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ 1 << bit);
            if (answer_parse((uint8_t *)text, sizeof(whole) - 1, 6, &answer))
                refused++;
            else
                assert_int_equal(answer_check(answer), 0);
            json_decref(answer);
            text[i] = (char)(text[i] ^ 1 << bit);
        }
    }
    assert_true(refused > sizeof(whole) * 8 / 2);
}

/* Long: one table. */
static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "{}",
        "{'type':'video'}",
        "{'type':'video/'}",
        "{'type':'/mp4'}",
        "{'type':'a/b/c'}",
        "{'type':'Video/mp4'}",
        "{'type':5}",
        "{ 'type':'a/b'}",
        "{'type':'a/b','type':'a/b'}",
        "{'type':'a/b','unknown':1}",
        "{'duration_ms':-1,'type':'a/b'}",
        "{'duration_ms':1.5,'type':'a/b'}",
        "{'duration_ms':'1','type':'a/b'}",
        "{'created':'2026-11-22','type':'a/b'}",
        "{'created':'2026-13-22T10:03:04','type':'a/b'}",
        "{'created':'2026-02-30T10:03:04','type':'a/b'}",
        "{'created':'2026-11-22T24:03:04','type':'a/b'}",
        "{'created':'2026-11-22T10:63:04','type':'a/b'}",
        "{'created':'2026-11-22T10:03:61','type':'a/b'}",
        "{'created':'2026-11-22T10:03:04.','type':'a/b'}",
        "{'created':'2026-11-22T10:03:04+8:00','type':'a/b'}",
        "{'created':'2026-11-22T10:03:04+24:00','type':'a/b'}",
        "{'created':'2026-11-22T10:03:04','created_ns':'5','type':'a/b'}",
        "{'created_ns':'5','type':'a/b'}",
        "{'modified':'2026-11-22T10:03:04','modified_ns':'5','type':'a/b'}",
        "{'created':'2026-11-22T10:03:04Z','modified_ns':'5','type':'a/b'}",
        "{'attachments':[{}],'type':'a/b'}",
        "{'attachments':[{'name':5}],'type':'a/b'}",
        "{'attachments':['a'],'type':'a/b'}",
        "{'format_version':1.7,'type':'a/b'}",
        "{'created':'2026-11-22T10:03:04Z','created_ns':5,'type':'a/b'}",
        "{'created':'2026-11-22T10:03:04Z','created_ns':'05','type':'a/b'}",
        "{'created':'2026-11-22T10:03:04Z','created_ns':'9223372036854775808','type':'a/b'}",
        "{'latitude':90.5,'type':'a/b'}",
        "{'longitude':-181,'type':'a/b'}",
        "{'rotation':91,'type':'a/b'}",
        "{'rotation':'90','type':'a/b'}",
        "{'rotation':9,'type':'a/b'}",
        "{'make':'a\\nb','type':'a/b'}",
        "{'make':'\xc2\x85','type':'a/b'}",
        "{'make':'\\u0000','type':'a/b'}",
        "{'make':null,'type':'a/b'}",
        "{'encrypted':1,'type':'a/b'}",
        "{'streams':{},'type':'a/b'}",
        "{'streams':[1],'type':'a/b'}",
        "{'streams':[{}],'type':'a/b'}",
        "{'streams':[{'kind':'vid'}],'type':'a/b'}",
        "{'streams':[{'kind':'video audio'}],'type':'a/b'}",
        "{'streams':[{'kind':'video','width':0}],'type':'a/b'}",
        "{'streams':[{'frame_rate':'25','kind':'video'}],'type':'a/b'}",
        "{'streams':[{'frame_rate':'25/0','kind':'video'}],'type':'a/b'}",
        "{'streams':[{'frame_rate':'1234567890/1','kind':'video'}],'type':'a/b'}",
        "{'signatures':[{'intact':0,'kind':'pdf'}],'type':'a/b'}",
        "{'signatures':[{'chain':'good','kind':'pdf'}],'type':'a/b'}",
        "{'findings':[{'code':'x'}],'type':'a/b'}",
        "{'findings':[{'code':'X','text':''}],'type':'a/b'}",
        "{'labels':[{'a':1}],'type':'a/b'}",
        "{'labels':{},'type':'a/b'}",
        "{'text':{'bytes':0},'type':'a/b'}",
        "{'text':{'bytes':-1,'truncated':true},'type':'a/b'}",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(bad[i], 0) != SR_ERR_INVALID)
            fail_msg("accepted: %s", bad[i]);
    }
}

static json_t *repeated(const char *key, const char *element, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_loads(element, 0, NULL));
    return json_pack("{s:s, s:o}", "type", "a/b", key, list);
}

static void check_limit(const char *key, const char *element, size_t limit)
{
    json_t *fits = repeated(key, element, limit), *over = repeated(key, element, limit + 1);

    assert_int_equal(answer_check(fits), 0);
    assert_int_equal(answer_check(over), SR_ERR_INVALID);
    json_decref(fits);
    json_decref(over);
}

static void test_limits(void **state)
{
    (void)state;
    static char text[ANSWER_TEXT_MAX + 2], large[WIRE_ANSWER_MAX + 100];
    json_t *answer, *checked;

    check_limit("streams", "{\"kind\": \"audio\"}", ANSWER_STREAMS_MAX);
    check_limit("signatures", "{\"kind\": \"pdf\"}", ANSWER_SIGNATURES_MAX);
    check_limit("findings", "{\"code\": \"x\", \"text\": \"\"}", ANSWER_FINDINGS_MAX);
    check_limit("labels", "{\"a\": \"b\"}", ANSWER_LABELS_MAX);
    check_limit("attachments", "{\"name\": \"a\"}", ANSWER_ATTACHMENTS_MAX);
    memset(text, 'x', ANSWER_TEXT_MAX + 1);
    answer = json_pack("{s:s, s:s}", "type", "a/b", "title", text);
    assert_int_equal(answer_check(answer), SR_ERR_INVALID);
    json_decref(answer);
    answer = json_pack("{s:s, s:s}", "type", "a/b", "title", text + 1);
    assert_int_equal(answer_check(answer), 0);
    json_decref(answer);
    memset(large, ' ', sizeof(large));
    assert_int_equal(answer_parse((uint8_t *)large, sizeof(large), 0, &checked), SR_ERR_INVALID);
    assert_null(checked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
