// SPDX-License-Identifier: Apache-2.0
#include "CCompression.h"

int narthex_gzip_start(z_stream *stream, int level) {
    // 15 bits of window, and 16 for the gzip frame.
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

int narthex_gunzip_start(z_stream *stream) {
    return inflateInit2(stream, 15 + 16);
}

int narthex_zstd_needs_room(size_t code) {
    return ZSTD_getErrorCode(code) == ZSTD_error_dstSize_tooSmall;
}
