// SPDX-License-Identifier: Apache-2.0
#ifndef NARTHEX_CCOMPRESSION_H
#define NARTHEX_CCOMPRESSION_H
#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/// Begins a gzip stream of one member (zlib hides this behind a macro). Z_OK or an error of zlib.
int narthex_gzip_start(z_stream *stream, int level);
/// Begins reading one gzip member. Z_OK or an error of zlib.
int narthex_gunzip_start(z_stream *stream);
/// Whether a zstd call failed because the room given was too small.
int narthex_zstd_needs_room(size_t code);

#endif
