// SPDX-License-Identifier: Apache-2.0
#ifndef NARTHEX_CCOMPRESSION_H
#define NARTHEX_CCOMPRESSION_H
#include <libdeflate.h>
#include <zstd.h>
#endif
