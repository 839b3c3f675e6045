/* Photographs: EXIF of JPEG, PNG, WebP, TIFF and HEIF files, by libexif: when, where and with what they were taken,
 * and how to turn them. Sizes of JPEG and PNG are av.h's, of the others theirs here. */
#ifndef SR_MEDIA_PROBE_PHOTO_H
#define SR_MEDIA_PROBE_PHOTO_H

#include "media/probe/describe.h"
#include "media/probe/source.h"

/* Gives nothing for a picture without EXIF. Errors as examine_file. */
int photo_describe(struct probe_source *source, struct describe *answer, const char *mime);

#endif
