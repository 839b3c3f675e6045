/* Photographs with EXIF that exiftool has written, and what exiftool says of the samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/probe/photo.h"
#include "tests/lib/document_rig.h"

#define SAMPLE "/usr/share/forensics-samples/original-files/pic1/debian_logo.jpg"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/srt-photo.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static double real_of(const struct document_rig *rig, const char *key)
{
    const json_t *value = json_object_get(rig->result, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void look_bytes(struct document_rig *rig, const void *data, size_t len, const char *mime)
{
    document_rig_open(rig, data, len);
    assert_int_equal(photo_describe(rig->source, rig->answer, mime), 0);
    document_rig_result(rig);
}

static uint8_t *file_of(const char *name, size_t *len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return document_rig_file(path, len);
}

#define TAGS                                                                                       \
    "-DateTimeOriginal='2026:03:05 14:03:22' -SubSecTimeOriginal=250 -Make=HUAWEI -Model='ALN "    \
    "AL00' "                                                                                       \
    "-Software=v1 -GPSLatitude=32.4337 -GPSLatitudeRef=N -GPSLongitude=105.82 -GPSLongitudeRef=E " \
    "-GPSAltitude=480.5 -GPSAltitudeRef='Above Sea Level' -Orientation#=6"

static void has_all(const struct document_rig *rig, const char *created)
{
    assert_string_equal(document_rig_text(rig, "created"), created);
    assert_string_equal(document_rig_text(rig, "make"), "HUAWEI");
    assert_string_equal(document_rig_text(rig, "model"), "ALN AL00");
    assert_string_equal(document_rig_text(rig, "software"), "v1");
    assert_true(fabs(real_of(rig, "latitude") - 32.4337) < 1e-5);
    assert_true(fabs(real_of(rig, "longitude") - 105.82) < 1e-5);
    assert_true(fabs(real_of(rig, "altitude") - 480.5) < 0.01);
    assert_int_equal(json_integer_value(json_object_get(rig->result, "rotation")), 90);
}

static void test_formats(void **state)
{
    static const struct {
        const char *name, *mime;
    } files[] = {{"a.jpg", "image/jpeg"},
                 {"a.png", "image/png"},
                 {"a.tif", "image/tiff"},
                 {"a.webp", "image/webp"}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct document_rig rig;
        size_t len;
        if (i == 0)
            document_rig_run("cp " SAMPLE " %s/a.jpg", folder);
        else
            document_rig_run("ffmpeg -v error -y -i " SAMPLE " %s/%s", folder, files[i].name);
        document_rig_run("exiftool -q -overwrite_original " TAGS " %s/%s", folder, files[i].name);
        uint8_t *data = file_of(files[i].name, &len);
        look_bytes(&rig, data, len, files[i].mime);
        has_all(&rig, "2026-03-05T14:03:22.250");
        assert_string_equal(document_rig_text(&rig, "created_ns"), "");
        const json_t *stream = json_array_get(json_object_get(rig.result, "streams"), 0);
        assert_true(json_integer_value(json_object_get(stream, "width")) > 10);
        document_rig_close(&rig);
        free(data);
    }
}

static void test_offset_and_halves(void **state)
{
    struct document_rig rig;
    size_t len;
    (void)state;
    document_rig_run("cp " SAMPLE " %s/b.jpg", folder);
    document_rig_run("exiftool -q -overwrite_original " TAGS
                     " -OffsetTimeOriginal=+09:30 -GPSLatitudeRef=S -GPSLongitudeRef=W "
                     "-GPSAltitudeRef='Below Sea Level' %s/b.jpg",
                     folder);
    uint8_t *data = file_of("b.jpg", &len);
    look_bytes(&rig, data, len, "image/jpeg");
    assert_string_equal(document_rig_text(&rig, "created"), "2026-03-05T14:03:22.250+09:30");
    assert_string_equal(document_rig_text(&rig, "created_ns"), "1772685202250000000");
    assert_true(fabs(real_of(&rig, "latitude") + 32.4337) < 1e-5);
    assert_true(fabs(real_of(&rig, "longitude") + 105.82) < 1e-5);
    assert_true(fabs(real_of(&rig, "altitude") + 480.5) < 0.01);
    document_rig_close(&rig);
    free(data);
}

/* HEIF: nobody here can write it, so the block stands in a file that begins like one. */
static void test_heif(void **state)
{
    struct document_rig rig;
    size_t len;
    (void)state;
    document_rig_run("ffmpeg -v error -y -i " SAMPLE " %s/c.tif", folder);
    document_rig_run("exiftool -q -overwrite_original " TAGS " %s/c.tif", folder);
    uint8_t *tiff = file_of("c.tif", &len), *heif = calloc(1, len + 600);
    memcpy(heif,
           "\0\0\0\x18"
           "ftypheic\0\0\0\0mif1heic",
           24);
    memcpy(heif + 300, "E?Exif\0\0junk", 12); /* and something that is none */
    memcpy(heif + 400, "\0\0\0\6Exif\0\0", 10);
    memcpy(heif + 410, tiff, len);
    look_bytes(&rig, heif, len + 600, "image/heic");
    has_all(&rig, "2026-03-05T14:03:22.250");
    document_rig_close(&rig);
    free(heif);
    free(tiff);
}

static void test_samples(void **state)
{
    struct sr_buf list = {0};
    char *saved = NULL;
    (void)state;
    document_rig_command("find /usr/share/forensics-samples/original-files -iname '*.jpg'", &list);
    for (char *path = strtok_r(list.data, "\n", &saved); path != NULL;
         path = strtok_r(NULL, "\n", &saved)) {
        struct document_rig rig;
        struct sr_buf made = {0};
        char command[512];
        size_t len;
        uint8_t *data = document_rig_file(path, &len);
        look_bytes(&rig, data, len, "image/jpeg");
        snprintf(command, sizeof command, "exiftool -s3 -Make '%s'", path);
        document_rig_command(command, &made);
        if (made.len > 0)
            made.data[strcspn(made.data, "\n")] = '\0';
        assert_string_equal(document_rig_text(&rig, "make"), made.len > 0 ? made.data : "");
        sr_buf_free(&made);
        snprintf(command, sizeof command,
                 "exiftool -s3 -d %%Y-%%m-%%dT%%H:%%M:%%S -EXIF:DateTimeOriginal '%s'", path);
        document_rig_command(command, &made);
        if (made.len > 0)
            assert_memory_equal(document_rig_text(&rig, "created"), made.data, 19);
        sr_buf_free(&made);
        document_rig_close(&rig);
        free(data);
    }
    sr_buf_free(&list);
}

static void test_mutations(void **state)
{
    static const char *const mimes[] = {"image/jpeg", "image/heic", "image/png", "image/webp",
                                        "image/tiff"};
    unsigned seed = 3;
    size_t len;
    (void)state;
    document_rig_run("cp " SAMPLE " %s/d.jpg", folder);
    document_rig_run("exiftool -q -overwrite_original " TAGS " -UserComment=abc %s/d.jpg", folder);
    uint8_t *data = file_of("d.jpg", &len);
    len = len < 4096 ? len : 4096; /* where the EXIF is */
    for (int round = 0; round < 3000; round++) {
        struct document_rig rig;
        uint8_t *copy = malloc(len);
        size_t kept = round % 4 == 0 ? (size_t)rand_r(&seed) % len : len;
        memcpy(copy, data, len);
        for (int k = 0; k < 1 + round % 9; k++)
            copy[(size_t)rand_r(&seed) % (round % 2 ? 600 : len)] = (uint8_t)rand_r(&seed);
        look_bytes(&rig, copy, kept, mimes[round % 10 < 6 ? 0 : round % 5]);
        document_rig_close(&rig);
        free(copy);
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),   cmocka_unit_test(test_offset_and_halves),
        cmocka_unit_test(test_heif),      cmocka_unit_test(test_samples),
        cmocka_unit_test(test_mutations),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
