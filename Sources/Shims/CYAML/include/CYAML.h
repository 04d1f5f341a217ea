// SPDX-License-Identifier: Apache-2.0
#ifndef NARTHEX_CYAML_H
#define NARTHEX_CYAML_H
#include <yaml.h>
#endif
