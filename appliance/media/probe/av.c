#include "media/probe/av.h"

#include <inttypes.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "media/answer.h"

#define BUFFER_LEN (64u << 10)
#define PROBE_BYTES (5u << 20)
#define ANALYZE_US (5 * AV_TIME_BASE)

/* Formats of one file each: none that names other files, none of the network. */
static const char formats[] =
    "aac,ac3,aiff,amr,ape,asf,au,avi,bmp_pipe,caf,dv,flac,flv,gif,jpeg_pipe,matroska,webm,"
    "mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegvideo,h264,hevc,ogg,"
    "png_pipe,rm,tiff_pipe,wav,w64,webp_pipe,wv";

struct reader {
    struct probe_source *source;
    int64_t at;
    int error; /* the first of the source */
};

static int read_packet(void *opaque, uint8_t *buf, int len)
{
    struct reader *reader = opaque;
    size_t got;
    int rc = probe_source_read(reader->source, (uint64_t)reader->at, buf, (size_t)len, &got);

    if (rc) {
        reader->error = reader->error ? reader->error : rc;
        return AVERROR(EIO);
    }
    reader->at += (int64_t)got;
    return got ? (int)got : AVERROR_EOF;
}

static int64_t seek(void *opaque, int64_t offset, int whence)
{
    struct reader *reader = opaque;
    int64_t size = (int64_t)probe_source_size(reader->source);
    int64_t from = whence == SEEK_CUR ? reader->at : whence == SEEK_END ? size : 0;

    if (whence & AVSEEK_SIZE)
        return size;
    if (__builtin_add_overflow(from, offset, &from) || from < 0)
        return AVERROR(EINVAL);
    return reader->at = from;
}

static int set(json_t *object, const char *key, int64_t value, int64_t max)
{
    return value > 0 && value <= max ? json_object_set_new(object, key, json_integer(value)) : 0;
}

static json_t *describe_stream(const AVStream *stream)
{
    const AVCodecParameters *codec = stream->codecpar;
    static const char *const kinds[] = {"video", "audio", "data", "subtitle", "attachment"};
    unsigned kind = (unsigned)codec->codec_type;
    json_t *out = json_pack("{s:s, s:s}", "kind", kind < 5 ? kinds[kind] : "data", "codec",
                            avcodec_get_name(codec->codec_id));
    AVRational rate = stream->avg_frame_rate;
    char fraction[32];
    int failed = !out;

    failed |= set(out, "bit_rate", codec->bit_rate, INT64_C(1) << 53);
    if (codec->codec_type == AVMEDIA_TYPE_VIDEO) {
        failed |= set(out, "width", codec->width, INT32_MAX);
        failed |= set(out, "height", codec->height, INT32_MAX);
        if (rate.num > 0 && rate.den > 0 && rate.num < 1000000000 && rate.den < 1000000000) {
            snprintf(fraction, sizeof(fraction), "%d/%d", rate.num, rate.den);
            failed |= json_object_set_new(out, "frame_rate", json_string(fraction));
        }
    } else if (codec->codec_type == AVMEDIA_TYPE_AUDIO) {
        failed |= set(out, "sample_rate", codec->sample_rate, INT32_MAX);
        failed |= set(out, "channels", codec->ch_layout.nb_channels, 1024);
    }
    if (failed) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* Containers that keep a moment (MP4, Matroska) keep it in UTC; 1904 and 1970 are clocks never set. */
static void describe_created(const AVFormatContext *format, struct describe *answer)
{
    const AVDictionaryEntry *entry = av_dict_get(format->metadata, "creation_time", NULL, 0);
    int year, month, day, hour, minute, second, used = 0;

    if (!entry ||
        sscanf(entry->value, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
               &second, &used) != 6 ||
        used != 19 || year <= 1970 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        day > 31 || hour > 23 || minute > 59 || second > 59)
        return;
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second};
    int64_t ns = (int64_t)timegm(&tm) * 1000000000;
    char text[24];

    if (tm.tm_mday != day) /* the 30th of February */
        return;
    snprintf(text, sizeof(text), "%.19sZ", entry->value);
    describe_text_value(answer, "created", text);
    snprintf(text, sizeof(text), "%" PRId64, ns);
    describe_text_value(answer, "created_ns", text);
}

/* ISO 6709, as phones write it: "+27.5916+086.5640+8850/". */
static void describe_place(const AVFormatContext *format, struct describe *answer)
{
    static const char *const keys[] = {"location", "com.apple.quicktime.location.ISO6709"};
    double latitude, longitude, altitude;
    const AVDictionaryEntry *entry = NULL;
    int count;

    for (size_t i = 0; !entry && i < sizeof(keys) / sizeof(keys[0]); i++)
        entry = av_dict_get(format->metadata, keys[i], NULL, 0);
    if (!entry || (entry->value[0] != '+' && entry->value[0] != '-') ||
        (count = sscanf(entry->value, "%9lf%10lf%12lf", &latitude, &longitude, &altitude)) < 2 ||
        !(latitude >= -90 && latitude <= 90) || !(longitude >= -180 && longitude <= 180))
        return;
    describe_real(answer, "latitude", latitude);
    describe_real(answer, "longitude", longitude);
    if (count == 3 && altitude > -100000 && altitude < 100000)
        describe_real(answer, "altitude", altitude);
}

/* Clockwise, of the first picture that says so. */
static void describe_rotation(const AVFormatContext *format, struct describe *answer)
{
    for (unsigned i = 0; i < format->nb_streams && i < ANSWER_STREAMS_MAX; i++) {
        size_t size = 0;
        const uint8_t *matrix =
            av_stream_get_side_data(format->streams[i], AV_PKT_DATA_DISPLAYMATRIX, &size);

        if (matrix && size >= 9 * sizeof(int32_t)) {
            double turn = -av_display_rotation_get((const int32_t *)matrix);

            if (turn == turn) { /* a matrix that turns nothing gives NaN */
                describe_number(answer, "rotation",
                                ((int)lround(turn / 90) * 90 % 360 + 360) % 360);
                return;
            }
        }
    }
}

static void describe_format(const AVFormatContext *format, struct describe *answer)
{
    static const char *const tags[][2] = {{"title", "title"},
                                          {"artist", "author"},
                                          {"encoder", "software"},
                                          {"make", "make"},
                                          {"model", "model"},
                                          {"com.apple.quicktime.make", "make"},
                                          {"com.apple.quicktime.model", "model"},
                                          {"com.apple.quicktime.software", "software"},
                                          {"com.android.manufacturer", "make"},
                                          {"com.android.model", "model"}};
    bool still = strstr(format->iformat->name, "_pipe") != NULL;
    json_t *streams = json_array(), *stream;

    describe_text_value(answer, "container", format->iformat->name);
    if (!still && format->duration > 0)
        describe_number(answer, "duration_ms", format->duration / 1000);
    if (!still && format->bit_rate > 0)
        describe_number(answer, "bit_rate", format->bit_rate);
    for (unsigned i = 0; i < format->nb_streams && i < ANSWER_STREAMS_MAX; i++) {
        stream = describe_stream(format->streams[i]);
        if (stream && still) {
            json_object_set_new(stream, "kind", json_string("image"));
            json_object_del(stream, "frame_rate");
        }
        if (!stream || json_array_append_new(streams, stream) != 0) {
            json_decref(streams);
            streams = NULL;
            break;
        }
    }
    describe_member(answer, "streams", streams);
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        const AVDictionaryEntry *entry = av_dict_get(format->metadata, tags[i][0], NULL, 0);

        if (entry)
            describe_text_value(answer, tags[i][1], entry->value);
    }
    describe_created(format, answer);
    describe_place(format, answer);
    describe_rotation(format, answer);
}

int av_describe(struct probe_source *source, struct describe *answer, const char *mime)
{
    struct reader reader = {.source = source};
    AVFormatContext *format = avformat_alloc_context();
    uint8_t *buffer = av_malloc(BUFFER_LEN);
    AVIOContext *io =
        buffer ? avio_alloc_context(buffer, BUFFER_LEN, 0, &reader, read_packet, NULL, seek) : NULL;
    AVDictionary *options = NULL;
    int rc = 0, result;

    av_log_set_level(AV_LOG_QUIET);
    if (!format || !io) {
        av_free(io ? NULL : buffer);
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        goto out;
    }
    format->pb = io;
    format->probesize = PROBE_BYTES;
    format->max_analyze_duration = ANALYZE_US;
    av_dict_set(&options, "format_whitelist", formats, 0);
    av_dict_set(&options, "protocol_whitelist", "", 0);
    result = avformat_open_input(&format, "", NULL, &options); /* frees format when it fails */
    if (result >= 0)
        result = avformat_find_stream_info(format, NULL);
    if (reader.error)
        rc = sr_fail(reader.error, "the record cannot be read");
    else if (result == AVERROR(ENOMEM))
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    else if (result < 0)
        describe_finding(answer, "broken", "the content is %s, but cannot be read as such", mime);
    else
        describe_format(format, answer);
out:
    av_dict_free(&options);
    avformat_close_input(&format);
    if (io) {
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
    return rc;
}
